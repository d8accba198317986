from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeau.errors import CalibrationError
from edgeau.faces.alignment import Alignment
from edgeau_calibration.data.labelled import labelled_faces, labelled_splits

ALIGNMENT = Alignment()


@pytest.fixture
def data_set(tmp_path: Path, face_crops: np.ndarray) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    (tmp_path / "dataset.json").write_text(json.dumps({"aus": ["AU1", "AU2", "AU12"]}))
    files = [cv2.imencode(".png", crop[..., ::-1])[1].tobytes() for crop in face_crops[:3]]
    for split in ("val", "test"):
        (tmp_path / split).mkdir()
        table = pyarrow.table(
            {
                "crop": pyarrow.array([files[0], None, *files[1:]], pyarrow.binary()),
                "aus": [[0.3, 0.0, 0.9], [1.0, 1.0, 1.0], [0.12, 0.5, 0.0], [0.0, 0.0, 0.29]],
                "landmarks": [[float(row)] * 478 * 3 for row in range(4)],
            }
        )
        parquet.write_table(table, tmp_path / split / "shard-00000.parquet")
    return tmp_path


def test_labels_follow_the_network_and_faces_that_were_not_detected_are_left_out(
    data_set: Path, face_crops: np.ndarray
) -> None:
    faces = labelled_faces(data_set, "val", ("AU12", "AU1"), ALIGNMENT)
    assert len(faces) == 3
    assert faces.present.tolist() == [[True, True], [False, False], [False, False]]
    assert faces.landmarks[:, 0, 0].tolist() == [0, 2, 3]
    np.testing.assert_array_equal(faces.crops[0:3], face_crops[:3])
    np.testing.assert_array_equal(faces.evenly(2).crops[0:2], face_crops[:3:2])
    assert faces.crops.digest != faces.evenly(2).crops.digest


def test_an_unknown_label_lists_the_known_ones(data_set: Path) -> None:
    with pytest.raises(CalibrationError, match=r"no labels for AU4; it has AU1, AU2, AU12"):
        labelled_faces(data_set, "val", ("AU1", "AU4"), ALIGNMENT)


def test_a_damaged_shard_is_named(data_set: Path) -> None:
    (data_set / "val" / "shard-00000.parquet").write_bytes(b"PAR1 cut")
    with pytest.raises(CalibrationError, match=r"shard-00000\.parquet cannot be read"):
        labelled_faces(data_set, "val", ("AU1",), ALIGNMENT)


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        (
            "crop",
            ["a", None, "b", "c"],
            "its column crop holds string, a shard of faces has the bytes of pictures",
        ),
        ("aus", [1, 2, 3, 4], "its column aus holds int64, a shard of faces has lists"),
        ("landmarks", [["1"]] * 4, "its column landmarks holds list<"),
        ("aus", [[0.5]] * 4, "a face needs 3 AUs and 1434 numbers of landmarks, and one has 1 and 1434"),
        ("landmarks", [[0.5], None, None, None], "a face needs .* and one has 3 and 1"),
    ],
)
def test_a_column_of_another_kind_is_one_line(data_set: Path, column: str, values: list, said: str) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    path = data_set / "val" / "shard-00000.parquet"
    table = parquet.read_table(path)
    place = table.column_names.index(column)
    parquet.write_table(table.set_column(place, column, pa.array(values)), path)
    with pytest.raises(CalibrationError, match=rf"shard-00000\.parquet: {said}"):
        labelled_faces(data_set, "val", ("AU1",), ALIGNMENT)


def test_only_a_whole_data_set_is_one_to_measure_on(data_set: Path, tmp_path: Path) -> None:
    assert labelled_splits(data_set)
    (data_set / "test" / "shard-00000.parquet").unlink()
    assert not labelled_splits(data_set)
    with pytest.raises(CalibrationError, match="no detected faces in its split 'test'"):
        labelled_faces(data_set, "test", ("AU1",), ALIGNMENT)
