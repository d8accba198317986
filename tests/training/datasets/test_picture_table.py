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
    )  # by clip; the last row judges nothing
    assert frames.occurrence.tolist() == [[0, 1], [0, 1], [0, 0], [1, 0]]
    assert frames.mask.tolist() == [[1, 1], [0, 1], [0, 1], [1, 0]]
    assert [frames.group_names[group] for group in frames.group] == ["ann", "ann", "ben", "cho"]


def test_its_split_column_is_a_fold_beside_shuffled_subjects(folder):
    reader = PictureTable(folder, count=3)
    frames = reader.read()
    assert reader.folds == ("split", "1", "2", "3")
    fold = reader.fold(frames, "split")
    assert (fold.train.tolist(), fold.test.tolist()) == ([0, 1, 2], [3])
    for name in ("1", "2", "3"):
        fold = reader.fold(frames, name)
        assert not set(frames.group[fold.test]) & set(frames.group[fold.train])


def test_without_subjects_every_picture_stands_for_itself(folder, write):
    write(folder / "plain.csv", "picture,AU1", "a/1.jpg,1", "b/1.jpg,0")
    reader = PictureTable(folder, "plain.csv", aligned=True)
    frames = reader.read()
    assert len(frames.group_names) == len(frames.clip_names) == 2
    assert frames.aligned
    assert "split" not in reader.folds
    with pytest.raises(InputError, match=r"plain\.csv has 2 subjects or videos, too few for 5 folds"):
        reader.fold(frames, "1")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["picture,AU1", "a/1.jpg,1,0"], r"labels\.csv, row 2: 3 columns instead of 2"),
        (["picture,AU1", "a/1.jpg,1", "z.jpg,0"], r"labels\.csv, row 3: there is no picture .*z\.jpg"),
        (["picture,AU1", ",1"], r"labels\.csv, row 2: there is no picture"),
        (["picture,AU1", "a/1.jpg,3"], r"labels\.csv, row 2, AU1: label 3 is not known; 1 is present"),
        (["picture,AU1", "a/1.jpg,0.5"], r"labels\.csv, row 2, AU1: '0\.5' is not a whole number"),
        (["picture,AU1", "a/1.jpg,yes"], r"labels\.csv, row 2, AU1: 'yes' is not a whole number"),
        (["file,AU1", "a/1.jpg,1"], r"labels\.csv, row 1: expected a column picture"),
        (["picture,smile", "a/1.jpg,1"], r"labels\.csv, row 1: expected a column picture"),
        (["picture,AU1"], r"labels\.csv has no row below its header"),
        (["picture,AU1", "a/1.jpg,"], "has no labelled frame"),
    ],
)
def test_a_damaged_table_is_named_with_its_row(folder, write, rows, message):
    write(folder / "labels.csv", *rows)
    with pytest.raises(InputError, match=message):
        PictureTable(folder).read()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["a/1.jpg,ann,a,train,1,0", "a/2.jpg,ann,a,val,1,0"], "person ann stands on both sides"),
        (["a/1.jpg,ann,a,train,1,0", "b/1.jpg,ben,b,eval,1,0"], r"row 3: split 'eval' is not known"),
        (["a/1.jpg,ann,a,train,1,0"], "needs rows with train, and rows with val or test"),
    ],
)
def test_a_split_that_cannot_be_used_is_refused(folder, write, rows, message):
    write(folder / "labels.csv", HEADER, *rows)
    reader = PictureTable(folder)
    with pytest.raises(InputError, match=message):
        reader.fold(reader.read(), "split")


@pytest.mark.parametrize("name", ["subject", "Subject", "subject_id", "persons"])
def test_a_column_that_is_not_known_is_named_so_that_nobody_is_on_both_sides(folder, write, name):
    write(folder / "labels.csv", f"picture,{name},AU4", *(f"a/1.jpg,s{i // 4},{i % 2}" for i in range(20)))
    with pytest.raises(InputError, match=rf"column '{name}' is not known.*the column person"):
        PictureTable(folder)


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


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["picture,AU1,AU01", "a/1.jpg,1,0"], "AU01 stands there twice|AU1 stands there twice"),
        (["picture,person,AU1", "a/1.jpg,ann,1", "b/1.jpg,,0"], "row 3: the column person is empty"),
    ],
)
def test_an_ambiguous_table_is_refused(folder, write, rows, message):
    write(folder / "labels.csv", *rows)
    with pytest.raises(InputError, match=message):
        PictureTable(folder).read()
