import warnings

import numpy as np
import pytest

from edgeau.errors import InputError, UsageError
from edgeau_training.datasets import open_data_set
from edgeau_training.datasets.bp4d import BP4D, PARTS, RATES, TASKS
from edgeau_training.datasets.label_codes import LabelRateWarning
from edgeau_training.datasets.me_graphau_lists import write_me_graphau_lists
from edgeau_training.datasets.picture_table import MissingPicturesWarning

HEADER = (
    "0,1,2,4,5,6,7,9,10,11,12,13,14,15,16,17,18,19,20,22,23,24,27,28"  # the release codes more AUs than 12
)
CODED = HEADER.split(",")[1:]
SUBJECTS = ("F001", "M011", "F007")  # one of each part


def row(frame, **positives):
    """A line of an occurrence file: AU=code, all others 0."""
    return ",".join([str(frame), *(str(positives.get(f"AU{number}", 0)) for number in CODED)])


@pytest.fixture
def tree(tmp_path, write, touch):
    """Three subjects in the release's layout; frames start late and are padded to 2, 3 or 4 digits."""
    for place, subject in enumerate(SUBJECTS):
        for task in TASKS:
            width = 2 + place
            write(
                tmp_path / "AUCoding" / "AU_OCC" / f"{subject}_{task}.csv",
                HEADER, row(21, AU1=1, AU24=9), row(22, AU12=1, AU5=1), row(23),
            )  # fmt: skip
            touch(*(tmp_path / subject / task / f"{frame:0{width}d}.jpg" for frame in range(19, 25)))
    return tmp_path


def test_labels_meet_the_picture_of_their_frame_whatever_its_padding(tree):
    frames = BP4D(tree, subjects=SUBJECTS).read()
    assert len(frames) == 3 * 8 * 3
    by_picture = dict(zip(frames.pictures, range(len(frames)), strict=True))
    for name in ("F001/T1/21.jpg", "M011/T5/021.jpg", "F007/T8/0021.jpg"):
        at = by_picture[name]
        assert frames.path(at).is_file()
        assert frames.occurrence[at].tolist() == [1] + [0] * 11
        assert frames.mask[at].tolist() == [1] * 11 + [0]  # 9 is not coded, neither present nor absent
    assert frames.occurrence[by_picture["F001/T1/22.jpg"], frames.labels.index("AU12")] == 1
    assert not frames.aligned
    assert frames.group_names == SUBJECTS
    assert frames.clip_names[:2] == ("F001_T1", "F001_T2")


def test_a_reordered_header_moves_the_columns_with_it(tree, write):
    numbers = CODED[::-1]
    lines = [",".join(["0", *numbers]), ",".join(["21", *("1" if n == "4" else "0" for n in numbers)])]
    write(tree / "AUCoding" / "AU_OCC" / "F001_T1.csv", *lines)
    frames = BP4D(tree, subjects=SUBJECTS).read()
    assert frames.labels[int(frames.occurrence[0].argmax())] == "AU4"


def test_the_parts_are_41_different_subjects():
    assert [len(part) for part in PARTS] == [14, 14, 13]
    everyone = {subject for part in PARTS for subject in part}
    assert everyone == {f"F{n:03d}" for n in range(1, 24)} | {f"M{n:03d}" for n in range(1, 19)}


def test_fold_1_tests_part_3_and_fold_3_part_1(tree):
    reader = BP4D(tree, subjects=SUBJECTS)
    frames = reader.read()
    for name, subject in zip(reader.folds, reversed(SUBJECTS), strict=True):
        fold = reader.fold(frames, name)
        assert {frames.group_names[g] for g in frames.group[fold.test]} == {subject}
        assert not set(frames.group[fold.test]) & set(frames.group[fold.train])
        assert len(fold.train) + len(fold.test) == len(frames)


def test_lists_are_those_of_me_graphau(tree, tmp_path):
    reader = BP4D(tree, subjects=SUBJECTS)
    frames = reader.read()
    files = write_me_graphau_lists(
        frames, [reader.fold(frames, name) for name in reader.folds], tmp_path / "list"
    )
    assert len(files) == 12
    paths = (tmp_path / "list" / "BP4D_test_img_path_fold1.txt").read_text().splitlines()
    labels = (tmp_path / "list" / "BP4D_test_label_fold1.txt").read_text().splitlines()
    assert paths[:2] == ["F007/T1/0021.jpg", "F007/T1/0022.jpg"]
    assert labels[:2] == ["1 0 0 0 0 0 0 0 0 0 0 9", "0 0 0 0 0 0 1 0 0 0 0 0"]
    assert len(paths) == len(labels) == 24
    train = (tmp_path / "list" / "BP4D_train_img_path_fold2.txt").read_text().splitlines()
    assert (train[0].split("/")[0], train[-1].split("/")[0]) == ("F001", "F007")


def test_a_missing_subject_is_named_with_the_way_out(tree):
    with pytest.raises(
        InputError, match=r"subject M007 is incomplete: .*M007_T1\.csv does not exist.*name the subjects"
    ):
        BP4D(tree).read()


def test_a_missing_picture_names_file_row_and_frame_or_is_left_out_aloud(tree):
    (tree / "M011" / "T3" / "022.jpg").unlink()
    with pytest.raises(InputError, match=r"M011_T3\.csv, row 3: frame 22 has no picture in .*M011/T3"):
        BP4D(tree, subjects=SUBJECTS).read()
    with pytest.warns(MissingPicturesWarning, match="1 labelled frames have no picture"):
        assert len(BP4D(tree, subjects=SUBJECTS, missing="skip").read()) == 71


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([HEADER, row(21), "22,1,0"], r"F001_T1\.csv, row 3: 3 columns instead of 24"),
        ([HEADER, row(21, AU4=7)], r"F001_T1\.csv, row 2, AU4: label 7 is not known; 1 is present, 0 absent, 9 not coded"),
        ([HEADER, row(21), row("x")], r"F001_T1\.csv, row 3, column 1: 'x' is not a whole number"),
        ([HEADER, row(21), "", row(23)], r"F001_T1\.csv, row 3: 1 columns instead of 24"),
        (["0,1,2,4", "21,0,0,0"], r"F001_T1\.csv, row 1: expected a 0 and then AU numbers"),
        ([], r"F001_T1\.csv is empty"),
    ],
)  # fmt: skip
def test_a_damaged_label_file_is_named_with_its_row(tree, write, lines, message):
    write(tree / "AUCoding" / "AU_OCC" / "F001_T1.csv", *lines)
    with pytest.raises(InputError, match=message):
        BP4D(tree, subjects=SUBJECTS).read()


def test_one_frame_under_two_names_is_refused(tree, touch):
    touch(tree / "F001" / "T1" / "0021.jpg")
    with pytest.raises(InputError, match=r"0021\.jpg and 21\.jpg, which are the same frame"):
        BP4D(tree, subjects=SUBJECTS).read()


def with_rates(tree, write, touch, rates, frames=1000):
    """One subject whose first task holds many frames in which AUs occur at these rates."""
    lines = [
        row(frame, **{au: int(frame / frames <= rate) for au, rate in rates.items()})
        for frame in range(1, frames + 1)
    ]
    write(tree / "AUCoding" / "AU_OCC" / "F001_T1.csv", HEADER, *lines)
    touch(*(tree / "F001" / "T1" / f"{frame}.jpg" for frame in range(frames + 1) if not 19 <= frame <= 24))
    return BP4D(tree, subjects=["F001"])


def test_published_label_rates_pass_in_silence(tree, write, touch):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with_rates(tree, write, touch, RATES).read()


def test_label_rates_of_shifted_columns_are_warned_of(tree, write, touch):
    shifted = dict(zip(RATES, np.roll(list(RATES.values()), 1), strict=True))
    with pytest.warns(
        LabelRateWarning, match=r"AU1 0\.16\d instead of 0\.243.*shifted by a frame or a column"
    ):
        with_rates(tree, write, touch, shifted).read()


def test_options_that_cannot_be(tree):
    with pytest.raises(UsageError, match="BP4D has no subject F099"):
        open_data_set("bp4d", tree, subjects=["F099"])
    with pytest.raises(UsageError, match=r"data set 'bp4d' does not take these options \['colour'\]"):
        open_data_set("bp4d", tree, colour="red")
    with pytest.raises(UsageError, match="missing='maybe'"):
        open_data_set("bp4d", tree, missing="maybe")
    with pytest.raises(UsageError, match="known: aff-wild2, bp4d"):
        open_data_set("ck+", tree)
