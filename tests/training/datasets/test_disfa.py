import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeau.errors import InputError, UsageError
from edgeau_training.datasets.disfa import CODED, DISFA, PARTS
from edgeau_training.datasets.me_graphau_lists import main as write_lists
from edgeau_training.datasets.me_graphau_lists import write_me_graphau_lists

SUBJECTS = ("SN002", "SN013", "SN003")  # one of each part
FRAMES = 6


def label_file(root, subject, label):
    return root / "ActionUnit_Labels" / subject / f"{subject}_au{label.removeprefix('AU')}.txt"


def lines(intensities):
    return [f"{frame},{intensity}" for frame, intensity in enumerate(intensities, start=1)]


@pytest.fixture
def labels(tmp_path, write):
    """Three subjects, 6 frames each; AU12 rises 0..5, AU4 is at 2 in the last frame, all else at rest."""
    rising = {"AU12": range(FRAMES), "AU4": [0, 0, 0, 0, 0, 2]}
    for subject in SUBJECTS:
        for label in CODED:
            write(label_file(tmp_path, subject, label), *lines(rising.get(label, [0] * FRAMES)))
    return tmp_path


@pytest.fixture
def videos(labels, touch):
    for subject in SUBJECTS:
        touch(labels / "Videos_LeftCamera" / f"LeftVideo{subject}_comp.avi")
        touch(labels / "Video_RightCamera" / f"RightVideo{subject}_comp.avi")
    return labels


def test_an_au_occurs_from_intensity_2(videos):
    frames = DISFA(videos, subjects=SUBJECTS).read()
    assert frames.labels == ("AU1", "AU2", "AU4", "AU6", "AU9", "AU12", "AU25", "AU26")
    smile = frames.labels.index("AU12")
    assert frames.occurrence[:FRAMES, smile].tolist() == [0, 0, 1, 1, 1, 1]
    assert frames.intensity[:FRAMES, smile].tolist() == [0, 1, 2, 3, 4, 5]
    assert frames.mask.all()


def test_label_line_1_is_frame_0_of_the_video(videos):
    frames = DISFA(videos, subjects=SUBJECTS).read()
    assert frames.video_frame.tolist() == list(range(FRAMES)) * 3
    assert frames.pictures[0] == "Videos_LeftCamera/LeftVideoSN002_comp.avi"
    right = DISFA(videos, subjects=SUBJECTS, camera="right").read()
    assert right.pictures[0] == "Video_RightCamera/RightVideoSN002_comp.avi"


@pytest.mark.parametrize("first", [0, 1])
def test_extracted_pictures_may_count_from_0_or_from_1(labels, touch, first):
    for subject in SUBJECTS:
        touch(*(labels / "img" / subject / f"{frame}.png" for frame in range(first, first + FRAMES)))
    frames = DISFA(labels, subjects=SUBJECTS, pictures="img").read()
    last = FRAMES - 1
    assert frames.occurrence[last, frames.labels.index("AU4")] == 1
    assert frames.pictures[last] == f"SN002/{last + first}.png"
    assert frames.video_frame is None


def test_extracted_pictures_whose_start_is_not_known_are_refused(labels, touch):
    for subject in SUBJECTS:
        touch(*(labels / "img" / subject / f"{frame}.png" for frame in range(3, 3 + FRAMES)))
    with pytest.raises(InputError, match="begin with number 3, so it cannot be told"):
        DISFA(labels, subjects=SUBJECTS, pictures="img").read()


def test_a_missing_extracted_picture_names_file_and_row_or_is_left_out_aloud(labels, touch):
    for subject in SUBJECTS:
        touch(*(labels / "img" / subject / f"{frame}.png" for frame in range(FRAMES)))
    (labels / "img" / "SN013" / "4.png").unlink()
    with pytest.raises(InputError, match=r"SN013_au1\.txt, row 5: there is no picture 4 in .*img/SN013"):
        DISFA(labels, subjects=SUBJECTS, pictures="img").read()
    with pytest.warns(UserWarning, match="1 labelled frames"):
        frames = DISFA(labels, subjects=SUBJECTS, pictures="img", missing="skip").read()
    assert "SN013/5.png" in frames.pictures
    assert len(frames) == 17


def test_a_subject_whose_labels_end_a_frame_early_keeps_the_others(videos, write):
    write(label_file(videos, "SN002", "AU4"), *lines([0] * (FRAMES - 1)))
    frames = DISFA(videos, subjects=SUBJECTS).read()
    assert len(frames) == 18
    assert frames.mask[FRAMES - 1].tolist() == [1, 1, 0, 1, 1, 1, 1, 1]


def test_all_12_coded_aus_can_be_had_in_ascending_order(videos):
    frames = DISFA(videos, labels=CODED[::-1], subjects=SUBJECTS).read()
    assert frames.labels == CODED


def test_the_parts_are_27_different_subjects():
    everyone = {subject for part in PARTS for subject in part}
    missing = {14, 15, 19, 20, 22}  # numbers that the data set does not have
    assert everyone == {f"SN{n:03d}" for n in range(1, 33) if n not in missing}
    assert [len(part) for part in PARTS] == [9, 9, 9]


def test_folds_and_lists_are_those_of_me_graphau(videos, tmp_path):
    reader = DISFA(videos, subjects=SUBJECTS)
    frames = reader.read()
    folds = [reader.fold(frames, name) for name in reader.folds]
    write_me_graphau_lists(frames, folds, tmp_path / "list")
    paths = (tmp_path / "list" / "DISFA_test_img_path_fold1.txt").read_text().splitlines()
    assert paths == [f"SN003/{frame}.png" for frame in range(FRAMES)]
    labels = (tmp_path / "list" / "DISFA_test_label_fold1.txt").read_text().splitlines()
    assert labels[-1] == "0 0 1 0 0 1 0 0"


def test_the_command_writes_the_lists(videos, tmp_path, capsys):
    given = [
        "disfa",
        str(videos),
        "--out",
        str(tmp_path / "list"),
        "--data-option",
        f"subjects={','.join(SUBJECTS)}",
    ]
    assert write_lists([*given, "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert len(files) == 12
    assert all(Path(file).is_file() for file in files)
    assert write_lists(["disfa", str(tmp_path / "nothing"), "--out", str(tmp_path / "list")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("label", "content", "message"),
    [
        ("AU4", ["1,0", "2,0,0"], r"SN002_au4\.txt, row 2: 3 columns instead of 2"),
        (
            "AU12",
            ["1,0", "2,6"],
            r"SN002_au12\.txt, row 2: label 6 is not known; 2 or 3 or 4 or 5 is present",
        ),
        ("AU12", ["0,0", "1,0"], r"SN002_au12\.txt, row 1: frame 0 where frame 1 was expected"),
        ("AU12", ["1,0", "3,0"], r"SN002_au12\.txt, row 2: frame 3 where frame 2 was expected"),
        (
            "AU12",
            ["1,0", "2,0", "3,0"],
            r"SN002_au12\.txt ends after row 3, other AUs of SN002 go on to row 6",
        ),
    ],
)
def test_a_damaged_label_file_is_named_with_its_row(videos, write, label, content, message):
    others = lines([0] * FRAMES)[len(content) :] if "ends after" not in message else []
    write(label_file(videos, "SN002", label), *content, *others)
    with pytest.raises(InputError, match=message):
        DISFA(videos, subjects=SUBJECTS).read()


def test_what_is_missing_is_named(videos):
    with pytest.raises(InputError, match=r"subject SN010 is incomplete: .*SN010_au1\.txt does not exist"):
        DISFA(videos).read()
    (videos / "Videos_LeftCamera" / "LeftVideoSN003_comp.avi").unlink()
    with pytest.raises(InputError, match=r"SN003 has no video .*LeftVideoSN003_comp\.avi"):
        DISFA(videos, subjects=SUBJECTS).read()


def test_options_that_cannot_be(videos):
    with pytest.raises(UsageError, match="does not code AU7; it codes AU1 AU2 AU4 AU5"):
        DISFA(videos, labels=("AU1", "AU7"))
    with pytest.raises(UsageError, match="no camera 'top'"):
        DISFA(videos, camera="top")
    with pytest.raises(UsageError, match="no subject SN014"):
        DISFA(videos, subjects=["SN014"])


def test_frames_of_a_video_are_the_labelled_ones(labels):
    from edgeau_training.datasets.frame_reading import read_frames

    for subject in SUBJECTS:
        path = labels / "Videos_LeftCamera" / f"LeftVideo{subject}_comp.avi"
        path.parent.mkdir(exist_ok=True)
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 20, (64, 64))
        for frame in range(FRAMES - (subject == "SN003")):
            writer.write(np.full((64, 64, 3), 40 * frame, np.uint8))
        writer.release()
    frames = DISFA(labels, subjects=SUBJECTS).read()
    rows = np.array([1, 5, 6, 9])  # frames 1 and 5 of the first video, 0 and 3 of the second
    seen = [(row, round(float(image.mean()), -1)) for row, image in read_frames(frames, rows, {})]
    assert seen == [(1, 40), (5, 200), (6, 0), (9, 120)]
    unreadable: dict[int, str] = {}
    assert [row for row, _ in read_frames(frames, np.array([6, 12, 17]), unreadable)] == [6, 12]
    assert list(unreadable) == [17]
    assert "SN003, frame 6: " in unreadable[17]
    assert (
        "LeftVideoSN003_comp.avi ends or is damaged after frame 5, but its labels go on to frame 6"
        in unreadable[17]
    )
