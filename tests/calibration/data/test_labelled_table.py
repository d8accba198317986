"""A table of one's own pictures: who calibrates sets no thresholds, and who sets thresholds measures nothing."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeau.action_units.labelled_pictures import read_labelled_pictures
from edgeau.faces.alignment import Alignment
from edgeau_calibration.data.labelled_table import divided, table_faces
from edgeau_calibration.data.load import load_calibration_set


def written(folder: Path, columns: str, rows: list[str], crops: np.ndarray) -> Path:
    for number, crop in enumerate(crops):
        cv2.imwrite(str(folder / f"{number}.png"), crop[..., ::-1])
    table = folder / "labels.csv"
    table.write_text("\n".join([columns, *rows]) + "\n")
    return table


@pytest.mark.parametrize("persons", [3, 4, 7, 20])
def test_nobody_stands_in_two_parts(tmp_path: Path, face_crops: np.ndarray, persons: int) -> None:
    rows = [f"{number}.png,p{number % persons},1" for number in range(len(face_crops))]
    found = divided(read_labelled_pictures(written(tmp_path, "picture,person,AU12", rows, face_crops)))
    assert found.split is not None
    assert found.person is not None
    parts = {
        name: {person for person, split in zip(found.person, found.split, strict=True) if split == name}
        for name in ("train", "val", "test")
    }
    assert all(parts.values())
    assert sum(map(len, parts.values())) == len({*found.person})
    again = divided(read_labelled_pictures(tmp_path / "labels.csv"))
    assert again.split == found.split, "the same division every time"


def test_two_persons_are_not_divided_and_a_split_of_the_table_is_kept(
    tmp_path: Path, face_crops: np.ndarray
) -> None:
    rows = [f"{number}.png,p{number % 2},1" for number in range(4)]
    assert (
        divided(read_labelled_pictures(written(tmp_path, "picture,person,AU12", rows, face_crops))).split
        is None
    )
    rows = ["0.png,test,1", "1.png,train,0", "2.png,val,1"]
    table = written(tmp_path, "picture,split,AU12", rows, face_crops)
    assert divided(read_labelled_pictures(table)).split == ("test", "train", "val")


def test_faces_of_a_part_with_what_is_known_of_them(tmp_path: Path, face_crops: np.ndarray) -> None:
    rows = ["0.png,test,1,", "1.png,train,0,1", "2.png,test,0,0"]
    found = read_labelled_pictures(written(tmp_path, "picture,split,AU12,smile", rows, face_crops))
    faces = table_faces(found, "test", ("smile", "AU4", "AU12"), Alignment())
    np.testing.assert_array_equal(faces.crops[:], face_crops[[0, 2]])
    np.testing.assert_array_equal(faces.present, [[False, False, True], [False, False, False]])
    np.testing.assert_array_equal(faces.known, [[False, False, True], [True, False, True]])
    assert faces.landmarks is None, "crops that came ready"


def test_a_picture_is_cut_with_its_landmarks(tmp_path: Path, astronaut: np.ndarray) -> None:
    rows = ["0.png,test,1", "1.png,train,1", "2.png,val,1"]
    found = read_labelled_pictures(
        written(tmp_path, "picture,split,AU12", rows, np.stack([astronaut[..., ::-1]] * 3))
    )
    faces = table_faces(found, "test", ("AU12",), Alignment())
    assert faces.landmarks is not None
    assert faces.landmarks.shape == (1, 478, 3)
    assert faces.crops[:].shape == (1, 224, 224, 3)


def test_half_of_the_persons_calibrate_where_the_table_divides_nobody(
    tmp_path: Path, face_crops: np.ndarray
) -> None:
    many = np.concatenate((face_crops, face_crops))
    rows = [f"{number}.png,p{number % 8},1" for number in range(len(many))]
    table = written(tmp_path, "picture,person,AU12", rows, many)
    found = load_calibration_set(table, Alignment())
    assert len(found) == divided(read_labelled_pictures(table)).split.count("train")  # type: ignore[union-attr]
    assert len(found) < len(many)
