import csv
import json
import shutil

import cv2
import numpy as np
import pytest

from edgeau.errors import InputError, UsageError
from edgeau_training.evaluation.faces import open_faces
from edgeau_training.evaluation.predictions import Predictions


def all_of(faces, size=10, limit=None):
    return list(faces.batches(size, limit))


class TestSynthetic:
    def test_a_split_is_read_in_batches_without_faces_that_were_not_found(self, faces):
        opened = open_faces(faces, "val")
        batches = all_of(opened)
        assert opened.count == 64
        assert opened.labels == ("AU1", "AU4", "AU12")
        assert sum(len(batch.truth) for batch in batches) == 60
        assert max(len(batch.truth) for batch in batches) <= 10
        assert batches[0].pictures[0].shape == (256, 256, 3)
        assert batches[0].landmarks.shape[1:] == (478, 3)
        assert batches[0].groups.tolist()[:8] == list(range(8))

    def test_truth_is_an_intensity_of_at_least_three_tenths(self, faces):
        import pyarrow.parquet as pq

        rows = pq.read_table(faces / "val" / "shard-00000.parquet").to_pylist()
        expected = [[int(value >= 0.3) for value in row["aus"]] for row in rows if row["detected"]]
        assert all_of(open_faces(faces, "val"), 64)[0].truth.tolist() == expected

    def test_limit_counts_faces_looked_at(self, faces):
        assert sum(len(batch.truth) for batch in all_of(open_faces(faces, "val"), limit=40)) == 38

    def test_the_split_is_test_unless_another_is_named(self, faces):
        assert open_faces(faces).name == "tiny/test"

    def test_an_unknown_or_empty_split_is_refused(self, faces):
        with pytest.raises(InputError, match="no split 'dev'; it has train, val, test"):
            open_faces(faces, "dev")
        with pytest.raises(InputError, match="no finished shard of split 'train'"):
            open_faces(faces, "train")

    def test_the_digest_changes_with_the_shards(self, faces, tmp_path):
        before = open_faces(faces, "val").digest
        copy = tmp_path / "tiny"
        shutil.copytree(faces, copy)
        assert open_faces(copy, "val").digest == before
        (copy / "val" / "shard-00001.parquet").unlink()
        assert open_faces(copy, "val").digest != before


class TestLandmarkFile:
    @pytest.fixture
    def arrays(self):
        random = np.random.default_rng(0)
        return {
            "landmarks": random.normal(0, 1, (5, 468, 3)),
            "labels": np.array([[1, 0], [0, -1], [1, 1], [0, 0], [0, 0]]),
            "aus": np.array([12, 4]),
        }

    def test_columns_are_put_into_ascending_order(self, arrays, tmp_path):
        np.savez(tmp_path / "faces.npz", **arrays)
        opened = open_faces(tmp_path / "faces.npz")
        (first, second) = all_of(opened, 3)
        assert opened.labels == ("AU4", "AU12")
        assert first.truth.tolist() == [[0, 1], [-1, 0], [1, 1]]
        assert first.pictures is None
        assert len(second.truth) == 2

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"labels": None}, "lacks labels"),
            ({"labels": np.zeros((5, 3))}, r"labels are \(5, 3\)"),
            ({"landmarks": np.zeros((5, 68, 3))}, r"landmarks are \(5, 68, 3\)"),
            ({"landmarks": np.zeros((0, 468, 3)), "labels": np.zeros((0, 2))}, "at least one face"),
            ({"labels": np.full((5, 2), 3)}, "label 3 is not known"),
        ],
    )
    def test_a_file_that_does_not_fit_is_refused(self, arrays, tmp_path, changes, message):
        changed = {name: array for name, array in {**arrays, **changes}.items() if array is not None}
        np.savez(tmp_path / "faces.npz", **changed)
        with pytest.raises(InputError, match=message):
            open_faces(tmp_path / "faces.npz")

    def test_a_damaged_file_is_refused(self, tmp_path):
        (tmp_path / "faces.npz").write_bytes(b"PK\x03\x04 and no more")
        with pytest.raises(InputError, match="cannot be read as a file of labelled landmarks"):
            open_faces(tmp_path / "faces.npz")

    def test_the_real_faces_are_read(self, shared_data):
        opened = open_faces(shared_data / "real-landmarks.npz")
        assert (opened.count, len(opened.labels)) == (128, 8)


class TestPictureFolder:
    @pytest.fixture
    def folder(self, astronaut, tmp_path):
        pytest.importorskip("mediapipe")
        cv2.imwrite(str(tmp_path / "face.png"), astronaut)
        cv2.imwrite(str(tmp_path / "grey.png"), np.full((64, 64, 3), 128, np.uint8))
        return tmp_path

    def table(self, folder, rows):
        with (folder / "labels.csv").open("w", newline="") as file:
            csv.writer(file).writerows(rows)
        return folder

    def test_faces_are_found_and_a_picture_without_one_is_left_out(self, folder):
        rows = [
            ("picture", "AU12", "AU01", "person"),
            ("grey.png", 0, 0, "nobody"),
            ("face.png", 1, "", "eileen"),
        ]
        opened = open_faces(self.table(folder, rows))
        (batch,) = all_of(opened)
        assert opened.labels == ("AU1", "AU12")
        assert opened.count == 2
        assert batch.truth.tolist() == [[-1, 1]]
        assert batch.landmarks.shape == (1, 478, 3)
        assert batch.pictures[0].shape == (512, 512, 3)
        assert batch.groups.tolist() == [0]

    def test_a_split_of_the_table_is_chosen(self, folder):
        rows = [("picture", "split", "AU12"), ("grey.png", "train", 0), ("face.png", "test", 1)]
        table = self.table(folder, rows)
        opened = open_faces(table, "test")
        assert opened.name.endswith("/test")
        assert all_of(opened)[0].truth.tolist() == [[1]]
        with pytest.raises(InputError, match="no row of .* says so; its splits are test, train"):
            open_faces(table, "val")

    def test_a_table_without_splits_has_none_to_choose(self, folder):
        table = self.table(folder, [("picture", "AU12"), ("face.png", 1)])
        with pytest.raises(InputError, match="has no column split"):
            open_faces(table, "test")

    def test_a_folder_without_a_table_says_what_is_missing(self, tmp_path):
        with pytest.raises(
            InputError, match=r"must hold a labels.json, a labels.csv, or one CSV file .*found: none"
        ):
            open_faces(tmp_path)

    def test_absent_and_damaged_pictures_are_named_and_the_rest_is_read(self, folder):
        (folder / "cut.png").write_bytes((folder / "face.png").read_bytes()[:100])
        rows = [("picture", "smile"), ("gone.png", 1), ("cut.png", 1), ("face.png", 1)]
        opened = open_faces(self.table(folder, rows))
        (batch,) = all_of(opened)
        assert batch.names == ("face.png",)
        assert opened.labels == ("smile",)
        absent, damaged = opened.problems
        assert "row 2: there is no picture" in absent
        assert "cut.png" in damaged


def test_data_of_another_kind_or_none_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist; expected a synthetic data set"):
        open_faces(tmp_path / "nothing")
    (tmp_path / "text.txt").write_text("x")
    with pytest.raises(InputError, match="is of another kind"):
        open_faces(tmp_path / "text.txt")
    with pytest.raises(UsageError, match="no splits"):
        open_faces(tmp_path / "labels.npz", "test")


class TestLabelsInJson:
    @pytest.fixture
    def folder(self, astronaut, tmp_path):
        pytest.importorskip("mediapipe")
        cv2.imwrite(str(tmp_path / "face.png"), astronaut)
        cv2.imwrite(str(tmp_path / "mirrored.png"), astronaut[:, ::-1])
        return tmp_path

    def write(self, folder, faces):
        (folder / "labels.json").write_text(json.dumps({"note": "two views of one face", "faces": faces}))
        return folder

    def test_labels_and_rest_are_read(self, folder):
        faces = [
            {"file": "face.png", "au": {"12": 1, "4": 0}},
            {"file": "mirrored.png", "au": {"12": 0}, "neutral": True},
        ]
        opened = open_faces(self.write(folder, faces))
        (batch,) = all_of(opened, 8)
        assert opened.labels == ("AU4", "AU12")
        assert batch.truth.tolist() == [[0, 1], [-1, 0]]
        assert batch.at_rest.tolist() == [False, True]

    @pytest.mark.parametrize("faces", [[{"au": {"12": 1}}], [{"file": "face.png", "au": {}}], "none", [3]])
    def test_a_file_of_another_form_is_refused(self, folder, faces):
        with pytest.raises(InputError, match=r"labels\.json"):
            open_faces(self.write(folder, faces))

    def test_false_alarms_at_rest_are_counted_among_decisions_on_labels(self):
        rows = Predictions(
            ("AU6", "AU12"),
            np.array([[3, 3], [3, -3], [-3, 3]], np.float32),
            np.array([[0, 1], [0, 0], [-1, 0]], np.int8),
            np.array([0.5, 0.5]),
            at_rest=np.array([True, True, False]),
        )
        assert rows.alarms_at_rest == (2, 3)
        assert rows.select(["AU12"]).alarms_at_rest == (0, 1)
