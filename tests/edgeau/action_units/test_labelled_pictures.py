"""The one table of labelled faces: what is read, what is named, what is left out."""

import re

import numpy as np
import pytest

from edgeau.action_units.labelled_pictures import label_table, read_labelled_pictures, truth_from_codes
from edgeau.action_units.names import in_facs_order
from edgeau.errors import InputError


@pytest.fixture
def table(tmp_path):
    """Writes a table whose pictures are there, but for those called gone.jpg."""

    def write(*lines, name="labels.csv", make=True):
        for line in lines[1:]:
            picture = line.replace(";", ",").split(",")[0]
            if make and picture and picture != "gone.jpg":
                (tmp_path / picture).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / picture).touch()
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return tmp_path / name

    return write


def test_everything_a_table_can_say(table):
    found = read_labelled_pictures(
        table(
            "picture,person,clip,split,neutral,smile,AU012,AU4,au12l",
            "a/1.jpg,ann,x,train,0,1,1,0,1",
            "a/2.jpg,ann,x,train,1,0,0,,0",
            "b.jpg,ben,y,test,,999,-1,9,1.0",
        )
    )
    assert found.labels == ("AU4", "AU12", "AU12L", "smile")
    assert found.truth.tolist() == [[0, 1, 1, 1], [-1, 0, 0, 0], [-1, -1, 1, -1]]
    assert found.person == ("ann", "ann", "ben")
    assert found.clip == ("x", "x", "y")
    assert found.split == ("train", "train", "test")
    assert found.at_rest.tolist() == [False, True, False]
    assert found.groups.tolist() == [0, 0, 1]
    assert found.path(2) == found.table.parent / "b.jpg"
    assert not found.problems
    some = found.select([2, 0])
    assert (some.pictures, some.person, some.truth[:, 2].tolist()) == (
        ("b.jpg", "a/1.jpg"),
        ("ben", "ann"),
        [1, 1],
    )


def test_persons_stand_for_clips_and_clips_for_pictures(table):
    assert read_labelled_pictures(table("picture,AU1", "a.jpg,1", "b.jpg,1")).groups.tolist() == [0, 1]
    assert read_labelled_pictures(table("picture,clip,AU1", "a.jpg,x,1", "b.jpg,x,1")).groups.tolist() == [
        0,
        0,
    ]


def test_semicolons_and_a_byte_order_mark_are_how_spreadsheets_save(table):
    found = read_labelled_pictures(table("\ufeffpicture;person;AU4", "a.jpg;ann, or anna;1"))
    assert (found.person, found.truth.tolist()) == (("ann, or anna",), [[1]])


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("b.jpg,ben,1,0,1", "row 3: 5 cells instead of 4"),
        ("b.jpg,ben,1", "row 3: 3 cells instead of 4"),
        ("gone.jpg,ben,1,0", "row 3: there is no picture .*gone.jpg"),
        (",ben,1,0", "row 3: no picture is named"),
        ("a.jpg,ann,1,0", r"row 3: a.jpg appears twice \(row 2\)"),
        ("b.jpg,,1,0", "row 3: the column person is empty"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_and_the_rest_is_read(table, line, problem):
    found = read_labelled_pictures(table("picture,person,AU1,AU2", "a.jpg,ann,1,0", line, "c.jpg,cho,0,1"))
    assert found.pictures == ("a.jpg", "c.jpg")
    (said,) = found.problems
    assert re.search(problem, said)


def test_a_split_that_is_not_known_is_named(table):
    found = read_labelled_pictures(table("picture,split,AU1", "a.jpg,train,1", "b.jpg,dev,1"))
    assert found.split == ("train",)
    assert "row 3: split 'dev' is not known; known: train, val, test" in found.problems[0]


def test_an_au_that_stands_there_twice_is_left_out_and_named(table):
    found = read_labelled_pictures(table("picture,AU1,AU4,AU01", "a.jpg,1,0,0"))
    assert found.labels == ("AU4",)
    assert "row 1: AU1 appears twice (again as 'AU01'), so it is left out" in found.problems[0]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["file,AU1", "a.jpg,1"], r"column 'file' is not known \(the column picture may be meant\)"),
        (["photo,AU1", "a.jpg,1"], r"row 1: no column picture; it has photo, AU1"),
        (["picture,person", "a.jpg,ann"], "no column with labels"),
        (["picture,picture,AU1", "a.jpg,a.jpg,1"], "the column picture appears twice"),
        (["picture,,AU1", "a.jpg,,1"], "column '' is not known"),
        (["picture,AU1"], "no row below its header"),
        (["picture,AU1", "gone.jpg,1"], r"no row of .* can be used: .*row 2: there is no picture"),
        (["picture,AU1", "a.jpg,yes"], r"row 2, AU1: 'yes' is not a label; 1 is present"),
        (["picture,AU1", "a.jpg,0", "b.jpg,3"], "row 3, AU1: label 3 is not known"),
        (["picture,AU1", "a.jpg,0.5"], "row 2, AU1: label 0.5 is not known"),
        (["picture,AU1,notes", "a.jpg,0,blurred"], "row 2, notes: 'blurred' is not a label"),
        (["picture,AU1", 'a.jpg,"0'], "cannot be read as a CSV file"),
    ],
)
def test_a_table_that_cannot_be_understood_is_refused(table, lines, message):
    with pytest.raises(InputError, match=message):
        read_labelled_pictures(table(*lines))


@pytest.mark.parametrize(
    "name", ["subject", "Subject", "subject_id", "subjects", "persons", "Person", "participant", "identity"]
)
def test_another_name_for_person_is_never_taken_for_a_label(table, name):
    with pytest.raises(InputError, match=r"may be meant\)"):
        read_labelled_pictures(table(f"picture,{name},AU4", "a.jpg,1,1", "b.jpg,0,1"))


def test_what_a_path_means(table, tmp_path):
    assert label_table(tmp_path / "x.csv") == tmp_path / "x.csv"
    assert label_table(tmp_path) is None
    one = table("picture,AU1", "a.jpg,1", name="mine.csv")
    assert label_table(tmp_path) == one
    table("picture,AU1", "a.jpg,1", name="other.csv")
    assert label_table(tmp_path) is None
    assert label_table(table("picture,AU1", "a.jpg,1").parent).name == "labels.csv"


def test_codes_of_all_data_sets_become_one_kind_of_unknown():
    codes = np.array([[1, 0, -1], [9, 999, np.nan]])
    assert truth_from_codes(codes, "x").tolist() == [[1, 0, -1], [-1, -1, -1]]


def test_an_unknown_code_is_not_taken_for_absent():
    with pytest.raises(InputError, match=r"table.csv: label 2 is not known"):
        truth_from_codes(np.array([[1, 2]]), "table.csv")


def test_rest_is_coded_like_a_label(table):
    """Spreadsheets and pandas write 1.0 where a column has empty cells."""
    found = read_labelled_pictures(table("picture,neutral,AU1", "a.jpg,1.0,0", "b.jpg,,1", "c.jpg,0.0,1"))
    assert found.at_rest.tolist() == [True, False, False]
    with pytest.raises(InputError, match="row 2, neutral: 'yes' is not a label"):
        read_labelled_pictures(table("picture,neutral,AU1", "a.jpg,yes,0"))


def test_words_come_behind_every_number():
    assert in_facs_order(["smile", "AU63", "AU12"]) == ["AU12", "AU63", "smile"]
