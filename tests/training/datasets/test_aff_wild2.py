import numpy as np
import pytest

from edgeau.errors import InputError
from edgeau_training.datasets.aff_wild2 import LABELS, AffWild2, base_video

HEADER = ",".join(LABELS)


def line(**codes):
    return ",".join(str(codes.get(label, 0)) for label in LABELS)


IGNORED = ",".join(["-1"] * 12)
LINES = {
    "Train_Set": {
        "video1": [line(AU1=1), line(), line(AU26=1), line(AU4=1)],
        "video2": [line(AU6=1)] * 3,  # the main person has no suffix
        "video2_left": [line(AU7=1)] * 2,
        "7-60-1920x1080": [line()] * 2,
    },
    "Validation_Set": {
        "video2_right": [line(AU10=1)] * 2,
        "video5": [line(AU12=1, AU15=-1), IGNORED, line()],
    },
}
CROPS = {
    "video1": (1, 3, 9),  # frame 2 shows no face, frame 4 has no crop, crop 9 has no label
    "video2": (1, 2, 3),
    "video2_left": (1, 2),
    "7-60-1920x1080": (1, 2),
    "video2_right": (2,),
    "video5": (1, 2, 3),
}


@pytest.fixture
def tree(tmp_path, write, touch):
    for part, videos in LINES.items():
        for video, lines in videos.items():
            write(tmp_path / "AU_Detection_Challenge" / part / f"{video}.txt", HEADER, *lines)
    for video, numbers in CROPS.items():
        touch(*(tmp_path / "cropped_aligned" / video / f"{number:05d}.jpg" for number in numbers))
    touch(tmp_path / "cropped_aligned" / "video1" / ".DS_Store")
    return tmp_path


def test_the_number_of_a_crop_says_its_row_never_its_position(tree):
    frames = AffWild2(tree).read()
    labels_of = {
        picture: {LABELS[column] for column in np.flatnonzero(occurrence)}
        for picture, occurrence in zip(frames.pictures, frames.occurrence, strict=True)
    }
    assert labels_of["video1/00001.jpg"] == {"AU1"}
    assert labels_of["video1/00003.jpg"] == {"AU26"}
    assert "video1/00009.jpg" not in labels_of
    assert frames.aligned


def test_minus_1_masks_its_entry_and_a_row_of_them_is_dropped(tree):
    frames = AffWild2(tree).read()
    row = frames.pictures.index("video5/00001.jpg")
    assert frames.mask[row].tolist() == [label != "AU15" for label in LABELS]
    assert frames.occurrence[row, LABELS.index("AU12")] == 1
    assert "video5/00002.jpg" not in frames.pictures
    assert "video5/00003.jpg" in frames.pictures


@pytest.mark.parametrize(
    ("video", "base"),
    [("video2_left", "video2"), ("video2_right", "video2"), ("10-60-1280x720", "10-60-1280x720"), ("left_video", "left_video")],
)  # fmt: skip
def test_people_of_one_video_are_one_group(tree, video, base):
    assert base_video(video) == base
    frames = AffWild2(tree).read()
    persons = {"video2", "video2_left", "video2_right"}
    groups = {
        frames.group[row] for row in range(len(frames)) if frames.clip_names[frames.clip[row]] in persons
    }
    assert len(groups) == 1
    assert persons <= set(frames.clip_names)


def test_the_official_fold_tests_the_validation_set(tree):
    reader = AffWild2(tree)
    frames = reader.read()
    fold = reader.fold(frames, "official")
    tested = {frames.pictures[row].split("/")[0] for row in fold.test}
    assert tested == set(LINES["Validation_Set"])


def test_the_four_folds_are_balanced_and_keep_people_together(tree):
    reader = AffWild2(tree)
    frames = reader.read()
    tested = [reader.fold(frames, name) for name in ("1", "2", "3", "4")]
    assert sorted(np.concatenate([fold.test for fold in tested]).tolist()) == list(range(len(frames)))
    assert sorted(len(fold.test) for fold in tested) == [
        2,
        2,
        2,
        6,
    ]  # video2 is as large as all others together
    for fold in tested:
        assert not set(frames.group[fold.test]) & set(frames.group[fold.train])


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([HEADER, line(), line() + ",0"], r"video1\.txt, row 3: 13 columns instead of 12"),
        ([HEADER, line(), line(AU2=9)], r"video1\.txt, row 3, AU2: label 9 is not known; 1 is present, 0 absent, -1 not"),
        ([line(), line()], r"video1\.txt, row 1: expected the header AU1,AU2,AU4"),
        ([HEADER, line(), "", line()], r"video1\.txt, row 3: 1 columns instead of 12"),
        ([HEADER, line(AU2="0.5")], r"video1\.txt, row 2, column 2: '0\.5' is not a whole number"),
    ],
)  # fmt: skip
def test_a_damaged_annotation_is_named_with_its_row(tree, write, lines, message):
    write(tree / "AU_Detection_Challenge" / "Train_Set" / "video1.txt", *lines)
    with pytest.raises(InputError, match=message):
        AffWild2(tree).read()


def test_what_is_missing_is_named(tree, write):
    write(tree / "AU_Detection_Challenge" / "Train_Set" / "video9.txt", HEADER, line())
    with pytest.raises(InputError, match=r"picture folder .*cropped_aligned/video9 does not exist"):
        AffWild2(tree).read()
    with pytest.raises(InputError, match=r"Train_Set holds no <video>\.txt"):
        AffWild2(tree, coding="annotations").read()
