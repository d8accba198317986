import numpy as np
import pytest

from edgeau.errors import InputError
from edgeau_training.datasets.picture_table import PictureTable

HEADER = "picture,person,clip,split,AU12,AU04"
ROWS = [
    "a/1.jpg,ann,a,train,1,0",
    "b/1.jpg,ben,b,train,0,",
    "a/2.jpg,ann,a,train,1,-1",
    "c/1.jpg,cho,c,val,999,1.0",
    "c/2.jpg,cho,c,val,,9",
]


@pytest.fixture
def folder(tmp_path, touch, write):
    touch(*(tmp_path / row.split(",")[0] for row in ROWS))
    write(tmp_path / "labels.csv", HEADER, *ROWS)
    return tmp_path


def test_a_folder_and_a_table_are_a_data_set(folder):
    reader = PictureTable(folder)
    frames = reader.read()
    assert reader.labels == ("AU4", "AU12")
    assert frames.pictures == (
        "a/1.jpg",
        "a/2.jpg",
        "b/1.jpg",
        "c/1.jpg",
    )  # by clip; the last row labels nothing
    assert frames.occurrence.tolist() == [[0, 1], [0, 1], [0, 0], [1, 0]]
    assert frames.mask.tolist() == [[1, 1], [0, 1], [0, 1], [1, 0]]
    assert [frames.group_names[group] for group in frames.group] == ["ann", "ann", "ben", "cho"]


def test_its_split_column_is_a_fold_beside_shuffled_subjects(folder):
    reader = PictureTable(folder, count=3)
    frames = reader.read()
    assert reader.folds == ("split", "1", "2", "3")
    fold = reader.fold(frames, "split")
    assert (fold.train.tolist(), fold.test.tolist(), fold.validation) == ([0, 1, 2], [3], None)
    for name in ("1", "2", "3"):
        fold = reader.fold(frames, name)
        assert not set(frames.group[fold.test]) & set(frames.group[fold.train])


def test_val_rows_beside_test_rows_are_the_validation_side(folder, write):
    write(folder / "labels.csv", HEADER, *ROWS[:2], "c/1.jpg,cho,c,val,1,0", "c/2.jpg,dan,d,test,0,1")
    reader = PictureTable(folder)
    fold = reader.fold(reader.read(), "split")
    assert (fold.train.tolist(), fold.validation.tolist(), fold.test.tolist()) == ([0, 1], [2], [3])


def test_a_fold_of_people_without_a_label_is_named(folder, touch, write):
    """People are dealt out before labels are looked at, so that folds do not depend on them."""
    pictures = [f"p/{i}.jpg" for i in range(12)]
    touch(*(folder / picture for picture in pictures))
    rows = [f"{picture},s{i},{'1' if i in (0, 2, 3) else ''}" for i, picture in enumerate(pictures)]
    write(folder / "labels.csv", "picture,person,AU4", *rows)
    reader = PictureTable(folder, count=3)
    frames = reader.read()
    filled = shuffled_names(frames, 3)
    assert 0 < len(filled) < 3
    for name in filled:
        assert len(reader.fold(frames, name).test)
    for name in {"1", "2", "3"} - filled:
        with pytest.raises(InputError, match=f"fold {name} of labels.csv has no labelled frame to test on"):
            reader.fold(frames, name)


def shuffled_names(frames, count):
    """Folds of seed 0 that somebody with a label is dealt to."""
    order = np.random.default_rng(0).permutation(len(frames.group_names)).tolist()
    return {str(order.index(group) % count + 1) for group in frames.group.tolist()}


def test_without_subjects_every_picture_stands_for_itself(folder, write):
    write(folder / "plain.csv", "picture,AU1", "a/1.jpg,1", "b/1.jpg,0")
    reader = PictureTable(folder, "plain.csv", aligned=True)
    frames = reader.read()
    assert len(frames.group_names) == len(frames.clip_names) == 2
    assert frames.aligned
    assert "split" not in reader.folds
    with pytest.raises(InputError, match=r"plain\.csv has 2 subjects or videos, too few for 5 folds"):
        reader.fold(frames, "1")


def test_rows_that_cannot_be_used_are_named_and_the_rest_is_read(folder, write):
    write(folder / "labels.csv", HEADER, *ROWS, "z.jpg,ann,a,train,1,0", "b/2.jpg,ben,b,train,0,0,1")
    frames = PictureTable(folder).read()
    assert len(frames) == 4
    assert [problem.partition(", ")[2][:6] for problem in frames.problems] == ["row 7:", "row 8:"]


def test_a_table_is_named_itself_or_stands_in_its_folder(folder, write):
    assert PictureTable(folder / "labels.csv").read().pictures == PictureTable(folder).read().pictures
    (folder / "labels.csv").rename(folder / "mine.csv")
    assert len(PictureTable(folder).read()) == 4
    write(folder / "other.csv", "picture,AU1", "a/1.jpg,1")
    with pytest.raises(InputError, match=r"holds no labels\.csv; name a folder with a table"):
        PictureTable(folder)


def test_free_labels_are_labels(folder, write):
    write(folder / "labels.csv", "picture,smile,AU12R,AU12L", "a/1.jpg,1,0,1", "b/1.jpg,0,1,0")
    frames = PictureTable(folder).read()
    assert frames.labels == ("AU12R", "AU12L", "smile")
    assert frames.occurrence.tolist() == [[0, 1, 1], [1, 0, 0]]


def test_a_table_that_labels_nothing_is_refused(folder, write):
    write(folder / "labels.csv", "picture,AU1", "a/1.jpg,")
    with pytest.raises(InputError, match="has no labelled frame"):
        PictureTable(folder).read()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            ["a/1.jpg,ann,a,train,1,0", "a/2.jpg,ann,a,val,1,0"],
            "person ann is in train and in val of the column split",
        ),
        (
            ["a/1.jpg,ann,a,train,1,0", "b/1.jpg,ben,b,val,1,0", "c/1.jpg,ben,b,test,1,0"],
            "person ben is in val and in test",
        ),
        (["a/1.jpg,ann,a,train,1,0"], "needs rows with train, and rows with val or test"),
    ],
)
def test_a_split_that_cannot_be_used_is_refused(folder, write, rows, message):
    write(folder / "labels.csv", HEADER, *rows)
    reader = PictureTable(folder)
    with pytest.raises(InputError, match=message):
        reader.fold(reader.read(), "split")


def test_nobody_is_on_both_sides_of_any_fold(folder, touch, write):
    pictures = [f"p/{i}.jpg" for i in range(40)]
    touch(*(folder / picture for picture in pictures))
    rows = [f"{picture},s{i // 4},{i % 2},{i // 2 % 2}" for i, picture in enumerate(pictures)]
    for column in ("person", "clip"):
        write(folder / "labels.csv", f"picture,{column},AU4,AU12", *rows)
        reader = PictureTable(folder)
        frames = reader.read()
        for name in reader.folds:
            fold = reader.fold(frames, name)
            sides = [{int(frames.pictures[i][2:-4]) // 4 for i in side} for side in (fold.train, fold.test)]
            assert not sides[0] & sides[1]
