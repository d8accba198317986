from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeau.errors import CalibrationError
from edgeau.faces.alignment import Alignment
from edgeau_calibration.data.load import load_calibration_set
from edgeau_calibration.data.npz import write_jpeg_npz

ALIGNMENT = Alignment()


def jpeg(crop: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", crop[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, 95))[1].tobytes()


def test_ready_crops_of_a_folder_come_as_they_are_in_rgb(crop_folder: Path, face_crops: np.ndarray) -> None:
    found = load_calibration_set(crop_folder, ALIGNMENT)
    assert found.source == "faces"
    order = [*range(0, 12, 2), *range(1, 12, 2)]
    np.testing.assert_array_equal(found.crops, face_crops[order])


def test_crops_of_the_canvas_are_cut_to_their_centre(tmp_path: Path, face_crops: np.ndarray) -> None:
    canvas = np.pad(face_crops, ((0, 0), (16, 16), (16, 16), (0, 0)))
    np.savez(tmp_path / "crops.npz", crops=canvas)
    np.testing.assert_array_equal(load_calibration_set(tmp_path / "crops.npz", ALIGNMENT).crops, face_crops)


def test_whole_pictures_go_through_landmarks_and_alignment(
    tmp_path: Path, astronaut: np.ndarray, face_crop: np.ndarray
) -> None:
    for index in range(8):
        cv2.imwrite(str(tmp_path / f"{index}.png"), astronaut)
    found = load_calibration_set(tmp_path, ALIGNMENT)
    np.testing.assert_array_equal(found.crops, np.stack([face_crop] * 8))


def test_a_video_gives_evenly_spaced_faces(tmp_path: Path, astronaut: np.ndarray) -> None:
    file = tmp_path / "film.avi"
    video = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"MJPG"), 25, (512, 512))
    for index in range(20):
        video.write(np.roll(astronaut, index, axis=1))
    video.release()
    found = load_calibration_set(file, ALIGNMENT, wanted=8)
    assert found.crops.shape == (8, 224, 224, 3)
    assert len({crop.tobytes() for crop in found.crops}) == 8


def test_a_synthetic_data_set_gives_crops_of_its_training_split(
    tmp_path: Path, face_crops: np.ndarray
) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    for split, values in (("train", [jpeg(crop) for crop in face_crops]), ("test", [b"not to be read"] * 12)):
        (tmp_path / split).mkdir()
        for shard in range(2):
            rows = [*values[shard::2], None]  # the last face was not detected
            table = pyarrow.table({"index": range(7), "crop": pyarrow.array(rows, pyarrow.binary())})
            parquet.write_table(table, tmp_path / split / f"shard-{shard:05}.parquet")
    found = load_calibration_set(tmp_path, ALIGNMENT)
    assert len(found) == 12
    order = [*range(0, 12, 2), *range(1, 12, 2)]
    assert np.abs(found.crops.astype(int) - face_crops[order]).mean() < 3  # JPEG


def test_packed_jpeg_crops_are_read_like_pixels(tmp_path: Path, face_crops: np.ndarray) -> None:
    write_jpeg_npz(tmp_path / "packed.npz", [jpeg(crop) for crop in face_crops])
    found = load_calibration_set(tmp_path / "packed.npz", ALIGNMENT, wanted=10)
    assert found.crops.shape == (10, 224, 224, 3)
    assert np.abs(found.crops[0].astype(int) - face_crops[0]).mean() < 3
    assert (tmp_path / "packed.npz").stat().st_size < face_crops.nbytes / 5


def test_an_unreadable_picture_and_one_without_a_face_are_named_and_the_others_used(
    crop_folder: Path,
) -> None:
    (crop_folder / "broken.jpg").write_bytes(b"not a picture")
    cv2.imwrite(str(crop_folder / "wall.png"), np.full((300, 400, 3), 90, np.uint8))
    found = load_calibration_set(crop_folder, ALIGNMENT)
    assert len(found) == 12
    assert any("broken.jpg" in note for note in found.notes)
    assert any("wall.png" in note and "no face" in note for note in found.notes)


def test_where_a_chosen_picture_fails_another_is_taken(crop_folder: Path) -> None:
    for bad in ("a/00.png", "b/11.png"):
        (crop_folder / bad).write_bytes(b"")
    assert len(load_calibration_set(crop_folder, ALIGNMENT, wanted=10)) == 10


def test_an_empty_folder_says_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no faces here")
    with pytest.raises(CalibrationError, match=r"nothing to calibrate on.*\.jpg.*\.mp4.*npz"):
        load_calibration_set(tmp_path, ALIGNMENT)


def test_too_few_faces_says_how_many_are_wanted_and_what_failed(
    tmp_path: Path, face_crop: np.ndarray
) -> None:
    cv2.imwrite(str(tmp_path / "one.png"), face_crop)
    (tmp_path / "broken.png").write_bytes(b"x")
    with pytest.raises(CalibrationError, match=r"gives 1 face crops.*broken\.png.*8 at the least, 128"):
        load_calibration_set(tmp_path, ALIGNMENT)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"images": np.zeros((9, 224, 224, 3), np.uint8)}, "no array 'crops'; it has images"),
        ({"crops": np.zeros((9, 224, 224, 3), np.float32)}, "float32"),
        ({"crops": np.zeros((9, 3, 224, 224), np.uint8)}, "expected uint8"),
        (
            {"crops": np.zeros((9, 112, 112, 3), np.uint8)},
            "crops of 112 x 112 pixels; expected aligned crops of 224 x 224 or 256 x 256",
        ),
        ({"jpeg": np.zeros(9, np.uint8), "lengths": np.array([4, 4])}, "do not match"),
        ({"jpeg": np.zeros(8, np.uint8), "lengths": np.array([4, 4])}, "not a picture"),
        ({"jpeg": np.zeros(8, np.uint8), "lengths": np.array([4.0, 4.0])}, "do not match"),
        ({"jpeg": np.zeros(8, np.uint8), "lengths": np.array([12, -4])}, "do not match"),
        ({"jpeg": np.zeros(8, np.uint8), "lengths": np.array(8)}, "do not match"),
        ({"crops": np.array(8, np.uint8)}, "expected uint8"),
        ({"crops": np.array([{}], dtype=object)}, "cannot be read as an NPZ"),
    ],
)
def test_an_npz_that_does_not_fit_says_how(tmp_path: Path, arrays: dict[str, np.ndarray], said: str) -> None:
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(CalibrationError, match=said):
        load_calibration_set(tmp_path / "bad.npz", ALIGNMENT)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("absent", "does not exist"),
        ("faces.zip", "of no kind that is known"),
        ("broken.npz", "cannot be read"),
    ],
)
def test_other_paths_say_what_is_wanted(tmp_path: Path, name: str, said: str) -> None:
    if name != "absent":
        (tmp_path / name).write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(CalibrationError, match=said):
        load_calibration_set(tmp_path / name, ALIGNMENT)


def test_without_data_the_packaged_crops_are_taken(
    tmp_path: Path, face_crops: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_jpeg_npz(tmp_path / "calibration.npz", [jpeg(crop) for crop in face_crops])
    monkeypatch.setattr("edgeau_calibration.data.load.packaged_bundle_path", lambda: tmp_path)
    found = load_calibration_set(None, ALIGNMENT)
    assert len(found) == 12
    assert "packaged synthetic" in found.source


def test_without_data_and_packaged_crops_the_error_says_what_to_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeau_calibration.data.load.packaged_bundle_path", lambda: tmp_path)
    with pytest.raises(CalibrationError, match="pass --calib"):
        load_calibration_set(None, ALIGNMENT)


def test_crops_of_renders_fit_a_network_that_takes_smaller_ones(tmp_path: Path) -> None:
    crops = np.random.default_rng(0).integers(0, 256, (9, 256, 256, 3), np.uint8)
    np.savez(tmp_path / "crops.npz", crops=crops)
    small = Alignment(size=160, canvas=183)
    loaded = load_calibration_set(tmp_path / "crops.npz", small)
    assert loaded.crops.shape[1:] == (160, 160, 3)
    whole = cv2.resize(crops[0], (183, 183), interpolation=cv2.INTER_AREA)
    assert np.array_equal(loaded.crops[0], whole[11:171, 11:171])


def test_a_table_gives_the_crops_of_its_training_split_and_says_who_they_show(
    tmp_path: Path, face_crops: np.ndarray
) -> None:
    rows = ["picture,person,split,smile"]
    for index, crop in enumerate(face_crops):
        cv2.imwrite(str(tmp_path / f"{index}.png"), crop[..., ::-1])
        rows.append(f"{index}.png,p{index % 3},{'test' if index == 0 else 'train'},{index % 2}")
    (tmp_path / "labels.csv").write_text("\n".join([*rows, "gone.png,p1,train,1", "1.png,p1"]))
    for path in (tmp_path, tmp_path / "labels.csv"):
        found = load_calibration_set(path, ALIGNMENT)
        np.testing.assert_array_equal(found.crops, face_crops[1:])
        assert found.persons is not None
        assert found.persons.tolist() == [index % 3 for index in range(1, len(face_crops))]
        absent, short = found.problems
        assert f"row {len(rows) + 1}: there is no picture" in absent
        assert f"row {len(rows) + 2}: 2 cells instead of 4" in short
