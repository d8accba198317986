import json

import pytest

from edgeau.errors import InputError
from edgeau_training.systems.counts import CheckValue
from edgeau_training.systems.table import BEGIN, END, main, page_with


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """The page with its tables written anew, and the exit code."""
    root = tmp_path_factory.mktemp("docs")
    page = root / "systems.md"
    page.write_text(f"before\n\n{BEGIN}\nold\n{END}\nafter\n")
    return main(["--write", str(page)]), page.read_text()


def test_nothing_differs_from_the_specification(printed):
    code, page = printed
    assert code == 0
    assert "differs" not in page
    assert page.count("| equal |") > 40


def test_the_page_in_docs_is_up_to_date(printed, root):
    tables = printed[1].partition(BEGIN)[2].partition(END)[0]
    assert tables in (root / "docs" / "systems-measured.md").read_text()


def test_the_rest_of_the_page_stays(printed):
    assert printed[1].startswith(f"before\n\n{BEGIN}\n\n### Networks")
    assert printed[1].endswith(f"{END}\nafter\n")


@pytest.mark.parametrize("page", ["no marks", BEGIN, f"{END}\n{BEGIN}"])
def test_a_page_without_its_marks_is_refused(page):
    with pytest.raises(InputError, match="has no place for the tables"):
        page_with(page, "tables", "page.md")


@pytest.mark.parametrize(
    ("specified", "computed", "tolerance", "verdict"),
    [(5, 5, 0, "equal"), (5, 6, 0, "differs"), (0.5, 0.51, 0.02, "equal"), (None, 5, 0, "not specified")],
)
def test_verdicts(specified, computed, tolerance, verdict):
    assert CheckValue("x", specified, computed, tolerance).verdict == verdict


def test_a_difference_is_told_by_the_exit_code(monkeypatch, capsys):
    from edgeau_training.systems import table

    monkeypatch.setattr(table, "parameters", lambda: iter([CheckValue("mrpnet", 1, 2)]))
    monkeypatch.setattr(table, "macs", lambda: iter(()))
    assert main(["--json"]) == 1
    (row,) = json.loads(capsys.readouterr().out)["Parameters"]
    assert row == {"what": "mrpnet", "specified": 1, "computed": 2, "tolerance": 0.0, "verdict": "differs"}


def test_a_missing_page_is_told_before_counting(capsys):
    assert main(["--write", "nowhere/systems.md"]) == 2
    assert "does not exist" in capsys.readouterr().err
