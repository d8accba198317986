"""Shards are whole or absent, and readable while the set grows."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from edgeau.errors import InputError
from edgeau_training.synth import shards


def row(index: int, detected: bool = True) -> dict:
    random = np.random.default_rng(index)
    return {
        "index": index,
        "identity": 3,
        "texture": 4,
        "seed": 2**62 + index,
        "image": b"image%d" % index,
        "crop": b"crop%d" % index if detected else None,
        "detected": detected,
        "landmarks": random.random(478 * 3, np.float32) if detected else None,
        "aus": random.random(22, np.float32),
        "sides": random.random(44, np.float32),
        "pose": np.array([1, 2, 3], np.float32),
    }


@pytest.fixture
def folder(tmp_path):
    shards.write_shard(shards.shard_path(tmp_path, "val", 0), [row(0), row(1, detected=False)])
    shards.write_shard(shards.shard_path(tmp_path, "val", 1), [row(2)])
    return tmp_path


def test_a_split_is_read_as_written(folder):
    faces = shards.read_split(folder, "val")
    np.testing.assert_array_equal(faces["index"], [0, 1, 2])
    assert faces["seed"][2] == 2**62 + 2
    assert faces["image"] == [b"image0", b"image1", b"image2"]
    assert faces["crop"] == [b"crop0", b"", b"crop2"]
    assert faces["landmarks"].shape == (3, 478, 3)
    np.testing.assert_array_equal(faces["landmarks"][2].ravel(), row(2)["landmarks"])
    assert not faces["landmarks"][1].any()
    np.testing.assert_array_equal(faces["detected"], [True, False, True])
    np.testing.assert_array_equal(faces["aus"][1], row(1, detected=False)["aus"])
    np.testing.assert_array_equal(faces["sides"][2], row(2)["sides"].reshape(2, 22))


@pytest.mark.parametrize(
    "read", [shards.read_split, lambda root, split: list(shards.read_rows(shards.shard_path(root, split, 1)))]
)
@pytest.mark.parametrize("size", [0, 20, 300])
def test_a_damaged_shard_is_named(folder, read, size):
    path = shards.shard_path(folder, "val", 1)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(
        InputError, match=r"shard-00001\.parquet cannot be read as a shard of faces.*render again"
    ):
        read(folder, "val")
    with pytest.raises(InputError, match=r"shard-00001\.parquet cannot be read"):
        shards.count_rows(path)


def test_rows_come_in_batches(folder):
    sizes = [len(rows) for rows in shards.read_rows(shards.shard_path(folder, "val", 0), ["index"], 1)]
    assert sizes == [1, 1]
    assert shards.count_rows(shards.shard_path(folder, "val", 0)) == 2


@pytest.mark.parametrize("content", ["{", "[]", "[" * 100_000, '{"version": 1}', '{"version": 1, "aus": 3}'])
def test_a_damaged_description_is_one_line(tmp_path, content):
    (tmp_path / "dataset.json").write_text(content)
    with pytest.raises(InputError, match=r"dataset\.json .*render the set again"):
        shards.dataset_info(tmp_path)


def test_a_set_without_sides_is_still_read(tmp_path):
    (tmp_path / "dataset.json").write_text(json.dumps({"version": 1, "aus": []}))
    old = {name: value for name, value in row(0).items() if name != "sides"}
    schema = pa.schema([field for field in shards.SCHEMA if field.name != "sides"])
    path = shards.shard_path(tmp_path, "val", 0)
    path.parent.mkdir()
    pq.write_table(pa.Table.from_pylist([old], schema=schema), path)
    assert shards.dataset_info(tmp_path)["version"] == 1
    assert "sides" not in shards.read_split(tmp_path, "val")
    with pytest.raises(InputError, match="has no column sides"):
        shards.read_split(tmp_path, "val", ["index", "sides"])


def test_columns_and_limit(folder):
    faces = shards.read_split(folder, "val", ["aus"], limit=2)
    assert set(faces) == {"aus"}
    assert faces["aus"].shape == (2, 22)


def test_a_split_without_any_face_found(tmp_path):
    shards.write_shard(shards.shard_path(tmp_path, "test", 0), [row(0, detected=False)])
    assert shards.read_split(tmp_path, "test")["landmarks"].shape == (1, 478, 3)


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("crop", ["a", "b"], "crop holds string, a shard of faces has binary"),
        ("detected", [1, 0], "detected holds int64, a shard of faces has bool"),
        ("identity", [0.5, None], "identity holds double, a shard of faces has int32"),
        ("aus", ["0.1", "0.2"], "aus holds string"),
        ("aus", [["0.1"], ["0.2"]], "aus holds list<"),
        ("landmarks", [[1, 2], None], "landmarks holds list<.*int64"),
        ("landmarks", [[0.5] * 1434, [0.5] * 1404], "landmarks has lists of 1404 and 1434 numbers"),
        ("landmarks", [[0.5], None], "landmarks has lists of 1 numbers, a shard of faces has 1434 numbers"),
        ("aus", [[0.5, 0.5], [0.5]], "aus has lists of 1 and 2 numbers"),
        ("sides", [[0.5] * 3, [0.5] * 3], "sides has lists of 3 numbers"),
    ],
)
def test_a_column_of_another_kind_is_one_line(tmp_path, column, values, said):
    path = shards.shard_path(tmp_path, "val", 0)
    shards.write_shard(path, [row(0), row(1)])
    table = pq.read_table(path)
    pq.write_table(table.set_column(table.column_names.index(column), column, pa.array(values)), path)
    with pytest.raises(InputError, match=rf"shard-00000\.parquet: its column {said}.*render again"):
        shards.read_split(tmp_path, "val", [column])
    assert len(shards.read_split(tmp_path, "val", ["index"])["index"]) == 2


def test_numbers_of_other_widths_are_read(tmp_path):
    path = shards.shard_path(tmp_path, "val", 0)
    shards.write_shard(path, [row(0)])
    table = pq.read_table(path)
    for name, kind in (
        ("aus", pa.large_list(pa.float64())),
        ("identity", pa.int64()),
        ("crop", pa.large_binary()),
    ):
        place = table.column_names.index(name)
        table = table.set_column(place, name, table.column(name).cast(kind))
    pq.write_table(table, path)
    faces = shards.read_split(tmp_path, "val")
    np.testing.assert_array_equal(faces["aus"][0], row(0)["aus"])
    assert faces["crop"] == [b"crop0"]


def test_shards_of_different_sets_are_one_line(tmp_path):
    shards.write_shard(shards.shard_path(tmp_path, "val", 0), [row(0)])
    shards.write_shard(shards.shard_path(tmp_path, "val", 1), [{**row(1), "aus": [0.5] * 44}])
    with pytest.raises(InputError, match="aus has lists of 22 and 44 numbers in different shards"):
        shards.read_split(tmp_path, "val", ["aus"])


def test_a_growing_set_shows_finished_shards_only(folder):
    (folder / "val" / ".shard-00002.0123456789ab.part.parquet").write_bytes(b"half")
    assert len(shards.shard_paths(folder, "val")) == 2


@pytest.mark.parametrize(
    ("split", "columns", "words"),
    [("train", None, "no finished shard"), ("val", ["smile"], r"shard-00000\.parquet has no column smile")],
)
def test_what_is_not_there_is_said(folder, split, columns, words):
    with pytest.raises(InputError, match=words):
        shards.read_split(folder, split, columns)


def test_a_folder_without_description(tmp_path):
    with pytest.raises(InputError, match="edgeau-synth RIG"):
        shards.dataset_info(tmp_path)


def test_a_newer_format_is_refused(tmp_path):
    (tmp_path / "dataset.json").write_text(json.dumps({"version": 99}))
    with pytest.raises(InputError, match="99"):
        shards.dataset_info(tmp_path)


def test_a_failed_write_leaves_nothing(tmp_path):
    path = shards.shard_path(tmp_path, "val", 0)
    with pytest.raises((ValueError, TypeError)):
        shards.write_shard(path, [{**row(0), "pose": "none"}])
    assert not path.parent.exists() or not list(path.parent.iterdir())


def test_a_disk_without_room_leaves_nothing_and_keeps_what_is_there(folder):
    # The limit on a file's size makes the real write call fail, as a full disk does.
    program = f"""
import resource
from pathlib import Path
from edgeau.errors import OutputError
from edgeau_training.synth import shards
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
rows = [{{"index": 1, "identity": 1, "texture": 1, "seed": 1, "image": bytes(9000), "crop": None, "detected": False,
         "landmarks": None, "aus": [0.0], "pose": [0.0]}}]
try:
    shards.write_shard(shards.shard_path(Path({str(folder)!r}), "val", 2), rows)
except OutputError as error:
    print(error)
"""
    outcome = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "cannot be written" in outcome.stdout
    assert len(list((folder / "val").iterdir())) == 2
    assert len(shards.read_split(folder, "val")["index"]) == 3
