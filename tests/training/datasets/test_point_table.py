"""Pictures that are aligned by another detector's five points."""

import cv2
import numpy as np
import pytest

from edgeau.errors import InputError
from edgeau.faces.alignment import Alignment, five_points
from edgeau.faces.landmarks import open_landmarker
from edgeau_training.datasets import open_data_set
from edgeau_training.datasets.aligners import ArcFaceTemplate
from edgeau_training.datasets.picture_table import PictureTable
from edgeau_training.datasets.point_table import COLUMNS, read_points
from edgeau_training.datasets.preparation import NoFaceWarning, prepare

HEAD = ",".join(COLUMNS)
ROW = "a.png,1,2,3,4,5,6,7,8,9,10"


@pytest.fixture
def frames(tmp_path, astronaut, write):
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("face", "other"):
        cv2.imwrite(str(folder / f"{name}.png"), astronaut[:280, 100:380])
    write(folder / "labels.csv", "picture,AU12", "face.png,1", "other.png,0")
    return PictureTable(folder).read()


@pytest.mark.parametrize("aligner", [ArcFaceTemplate(112), Alignment(size=224, canvas=224)])
def test_the_points_of_the_file_give_the_crop_that_landmarks_would(
    frames, tmp_path, astronaut, write, aligner
):
    picture = np.ascontiguousarray(astronaut[:280, 100:380])
    with open_landmarker(static=True, max_faces=1) as landmarker:
        (landmarks,) = landmarker.detect(picture)
    points = five_points(landmarks)
    table = tmp_path / "points.csv"
    write(table, HEAD, ",".join(["face.png", *(f"{value:.4f}" for value in points.ravel())]))
    with pytest.warns(
        NoFaceWarning, match="no face was found in 1 of 2 frames"
    ):  # other.png is not in the file
        made = prepare(frames, tmp_path / "crops", aligner, points=read_points(table, tmp_path / "data"))
    assert made.pictures == ("face.jpg",)
    crop = cv2.imread(str(tmp_path / "crops" / "face.jpg")).astype(int)
    _, coded = cv2.imencode(".jpg", aligner.crop(picture, landmarks), (cv2.IMWRITE_JPEG_QUALITY, 95))
    assert np.abs(crop - cv2.imdecode(coded, cv2.IMREAD_COLOR)).mean() < 0.1
    # Crops of found landmarks, or of another table, are not mixed in.
    with pytest.raises(InputError, match="were made with other settings"):
        prepare(frames, tmp_path / "crops", aligner)


def test_paths_start_in_the_data_sets_folder_wherever_its_pictures_are(trees, tmp_path, write):
    """As mtcnn_points writes them; EmotioNet's pictures are in a folder of their own."""
    table = tmp_path / "points.csv"
    write(table, HEAD, "img/N_000003.jpg,100,100,180,100,140,140,110,190,170,190")
    points = read_points(table, trees["emotionet"])
    emotionet = open_data_set("emotionet", trees["emotionet"], coding="list.txt").read()
    points.check(emotionet)
    with pytest.warns(NoFaceWarning, match="no face was found in 11 of 12 frames"):
        made = prepare(emotionet, tmp_path / "crops", ArcFaceTemplate(112), points=points)
    assert made.pictures == ("N_000003.jpg",)
    # Otherwise no picture would show a face, and all would be taken whole.
    write(table, HEAD, "N_000003.jpg,100,100,180,100,140,140,110,190,170,190")
    with pytest.raises(
        InputError, match=r"names none of the 12 pictures of EmotioNet.* such as img/N_000000\.jpg"
    ):
        read_points(table, trees["emotionet"]).check(emotionet)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["picture,x,y", ROW], "the first row must be picture,x1,y1"),
        ([HEAD, "a.png,1,2"], "row 2: 3 cells instead of 11"),
        ([HEAD, ROW, ROW], "row 3: a.png appears twice"),
        ([HEAD, ROW.replace("10", "ten")], "row 2: a coordinate is not a number"),
        ([HEAD, ROW.replace("10", "nan")], "row 2: a coordinate is not finite"),
    ],
)
def test_a_damaged_file_is_named_with_its_row(tmp_path, write, lines, words):
    write(tmp_path / "points.csv", *lines)
    with pytest.raises(InputError, match=words):
        read_points(tmp_path / "points.csv")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_points(tmp_path / "none.csv")
