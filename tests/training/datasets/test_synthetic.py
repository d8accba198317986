import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from edgeau.errors import InputError
from edgeau_training.datasets.synthetic import SyntheticFaces, list_shards
from edgeau_training.datasets.synthetic_crops import SyntheticCrops

AUS = ("AU1", "AU4", "AU12")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, write_tiny_faces):
    return write_tiny_faces(tmp_path_factory.mktemp("faces"))


def test_detected_faces_are_read_with_their_labels(folder):
    faces = SyntheticFaces.read(folder, "train", AUS)
    assert len(faces) == 60  # one in sixteen was not detected
    assert faces.occurrence.shape == faces.intensity.shape == (60, 3)
    assert np.array_equal(faces.occurrence, faces.intensity >= 0.3)
    assert 0.2 < faces.occurrence.mean() < 0.6
    assert SyntheticCrops(faces).crops([0], 256).shape == (1, 256, 256, 3)


def test_labels_follow_the_order_asked_for(folder):
    forward, backward = (SyntheticFaces.read(folder, "val", order) for order in (AUS, AUS[::-1]))
    assert np.array_equal(forward.intensity, backward.intensity[:, ::-1])


def test_points_are_in_the_crop(folder):
    points = SyntheticFaces.read(folder, "val", AUS).points
    assert points.shape == (30, 468, 2)
    eyes = points[:, [33, 263]].mean(axis=(0, 1))
    assert 100 < eyes[0] < 156
    assert points[:, 33, 0].max() < points[:, 263, 0].min()


def test_only_the_named_shards_are_read(folder):
    names = list_shards(folder, "train")
    assert names == ["shard-00000.parquet", "shard-00001.parquet"]
    assert len(SyntheticFaces.read(folder, "train", AUS, names[:1])) == 30


def test_faults_are_named(folder, tmp_path):
    with pytest.raises(InputError, match=r"no dataset\.json there"):
        SyntheticFaces.read(tmp_path, "train", AUS)
    with pytest.raises(InputError, match="no finished shard of split 'test'"):
        SyntheticFaces.read(folder, "test", AUS)
    with pytest.raises(InputError, match="no labels for AU99; it has AU1 AU4 AU12"):
        SyntheticFaces.read(folder, "train", ["AU1", "AU99"])


def test_a_damaged_shard_is_named(tmp_path, write_tiny_faces):
    write_tiny_faces(tmp_path, (("train", 8),))
    (tmp_path / "train" / "shard-00000.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(InputError, match="shard-00000.parquet cannot be read"):
        SyntheticFaces.read(tmp_path, "train", AUS)


def test_a_shard_without_a_face_is_passed_over(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "faces")
    path = tmp_path / "faces" / "train" / "shard-00000.parquet"
    rows = [{**row, "detected": False} for row in pq.read_table(path).to_pylist()]
    pq.write_table(pa.Table.from_pylist(rows), path)
    assert len(SyntheticFaces.read(tmp_path / "faces", "train", AUS)) == 30
    with pytest.raises(InputError, match="holds no detected face"):
        SyntheticFaces.read(tmp_path / "faces", "train", AUS, [path.name])
