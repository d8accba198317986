import os

import cv2
import numpy as np
import pytest

from edgeau.errors import InputError
from edgeau.faces.alignment import WholePicture
from edgeau_training.datasets.aligners import ArcFaceTemplate
from edgeau_training.datasets.crops import FileCrops
from edgeau_training.datasets.picture_table import PictureTable
from edgeau_training.datasets.preparation import NoFaceWarning, prepare


@pytest.fixture
def frames(tmp_path, astronaut, write):
    """The face twice, once with a smaller one beside it, and a wall."""
    folder = tmp_path / "data"
    (folder / "ann").mkdir(parents=True)
    face = np.ascontiguousarray(astronaut[:280, 100:380])
    beside = np.zeros((280, 420, 3), np.uint8)
    beside[:, 140:] = face
    beside[70:210, :140] = cv2.resize(face, (140, 140))
    cv2.imwrite(str(folder / "ann" / "1.png"), face)
    cv2.imwrite(str(folder / "ann" / "2.png"), beside)
    cv2.imwrite(str(folder / "wall.png"), np.full((200, 200, 3), 120, np.uint8))
    write(folder / "labels.csv", "picture,AU12", "ann/1.png,1", "ann/2.png,1", "wall.png,0")
    return PictureTable(folder).read()


def test_crops_are_made_once_and_frames_without_a_face_are_left_out_aloud(frames, tmp_path):
    folder = tmp_path / "crops"
    with pytest.warns(NoFaceWarning, match="no face was found in 1 of 3 frames"):
        crops = prepare(frames, folder)
    assert crops.aligned
    assert crops.pictures == ("ann/1.jpg", "ann/2.jpg")
    assert (folder / "no-face.txt").read_text() == "wall.jpg\n"
    assert not list(folder.rglob(".*.part*"))
    os.utime(folder / "ann" / "1.jpg", ns=(1, 1))
    (folder / "ann" / "2.jpg").unlink()  # as if it had been interrupted here
    with pytest.warns(NoFaceWarning):
        prepare(frames, folder)
    assert (folder / "ann" / "1.jpg").stat().st_mtime_ns == 1
    assert (folder / "ann" / "2.jpg").is_file()
    assert (folder / "no-face.txt").read_text() == "wall.jpg\n"


def test_the_crop_is_of_the_largest_face_and_shows_what_was_aligned(frames, tmp_path):
    with pytest.warns(NoFaceWarning):
        crops = FileCrops(prepare(frames, tmp_path / "crops"))
    alone, beside = crops.crops([0, 1], 256).astype(int)
    assert alone.shape == (256, 256, 3)
    # The same face, so nearly the same crop; borders differ.
    assert np.abs(alone[64:192, 64:192] - beside[64:192, 64:192]).mean() < 12
    assert alone[..., 0].mean() > alone[..., 2].mean()  # skin in RGB


def test_frames_without_a_face_may_be_taken_whole(frames, tmp_path):
    crops = prepare(frames, tmp_path / "crops", ArcFaceTemplate(), without_face="whole")
    assert len(crops) == 3
    assert FileCrops(crops).crops([2], 112).shape == (1, 112, 112, 3)


def test_no_face_is_looked_for_where_nothing_is_aligned(frames, tmp_path, monkeypatch):
    monkeypatch.setattr("edgeau_training.datasets.preparation.open_landmarker", None)
    crops = FileCrops(prepare(frames, tmp_path / "crops", WholePicture(height=96, width=96)))
    assert len(crops) == 3
    assert crops.crops([0, 1, 2], 96).shape == (3, 96, 96, 3)


@pytest.mark.parametrize("way", ["{folder}/face.png", "../faces/face.png"])
def test_the_crop_of_a_picture_elsewhere_is_in_the_crops_folder(tmp_path, astronaut, write, way):
    """It was looked for, and written, beside the picture: a .jpg passed for its own crop."""
    faces = tmp_path / "faces"
    for folder in (faces, tmp_path / "table"):
        folder.mkdir()
    picture = np.ascontiguousarray(astronaut[:280, 100:380])
    for name in ("face.png", "face.jpg"):
        cv2.imwrite(str(faces / name), picture)
    before = (faces / "face.jpg").read_bytes()
    for name in ("face.png", "face.jpg"):
        row = way.format(folder=faces).replace("face.png", name)
        write(tmp_path / "table" / "labels.csv", "picture,AU12", f"{row},1")
        crops = prepare(PictureTable(tmp_path / "table").read(), tmp_path / f"crops-{name[-3:]}")
        assert crops.path(0).resolve().is_relative_to(tmp_path / f"crops-{name[-3:]}")
        assert FileCrops(crops).crops([0], 256).shape == (1, 256, 256, 3)
        assert cv2.imread(str(crops.path(0))).shape == (256, 256, 3)
    assert (faces / "face.jpg").read_bytes() == before
    assert sorted(file.name for file in faces.iterdir()) == ["face.jpg", "face.png"]


def test_pictures_that_would_share_a_crop_are_refused(tmp_path, picture, write):
    picture(tmp_path / "a.jpg")
    picture(tmp_path / "a.png")
    write(tmp_path / "labels.csv", "picture,AU1", "a.jpg,1", "a.png,0")
    with pytest.raises(InputError, match=r"a\.jpg and a\.png .* would both become the crop a\.jpg"):
        prepare(PictureTable(tmp_path).read(), tmp_path / "crops")


def test_crops_of_another_manner_are_not_mixed_in(frames, tmp_path):
    with pytest.warns(NoFaceWarning):
        prepare(frames, tmp_path / "crops")
    with pytest.raises(InputError, match="were made with other settings .*five-point-box"):
        prepare(frames, tmp_path / "crops", ArcFaceTemplate())


def test_aligned_frames_are_taken_as_they_are(tmp_path, picture, write):
    picture(tmp_path / "a.jpg", size=112)
    picture(tmp_path / "b.jpg", size=112, value=200)
    write(tmp_path / "labels.csv", "picture,AU1", "a.jpg,1", "b.jpg,0")
    frames = PictureTable(tmp_path, aligned=True).read()
    assert prepare(frames, tmp_path / "never") is frames
    assert not (tmp_path / "never").exists()
    assert FileCrops(frames).crops(np.array([1, 0]), 112).mean(axis=(1, 2, 3)).round().tolist() == [200, 90]


def test_what_cannot_be_read_is_named(tmp_path, picture, write):
    picture(tmp_path / "a.jpg")
    cv2.imwrite(str(tmp_path / "b.png"), np.zeros((8, 9, 3), np.uint8))
    write(tmp_path / "c.png", "no picture")
    write(tmp_path / "labels.csv", "picture,AU1", "a.jpg,1", "b.png,0", "c.png,0")
    crops = FileCrops(PictureTable(tmp_path, aligned=True).read())
    with pytest.raises(InputError, match=r"b\.png is 9 x 8 pixels; an aligned crop is square"):
        crops.crops([1], 8)
    assert crops.problems == ()
    assert (crops.crops([2], 8) == 128).all()
    (problem,) = crops.problems
    assert problem.startswith("labels.csv, row 4: ")
    assert "c.png' is not a picture" in problem
    assert crops.mask.tolist() == [[1], [1], [0]], "nothing is known of it any more"
    with pytest.raises(InputError, match="are not aligned; prepare them first"):
        FileCrops(PictureTable(tmp_path).read())
    prepared = prepare(PictureTable(tmp_path).read(), tmp_path / "crops", without_face="whole")
    assert prepared.pictures == ("a.jpg", "b.jpg")
    assert prepared.problems == (problem,)
