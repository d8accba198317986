"""One's own cross-validation beside the papers' figures."""

import json
from pathlib import Path

import pytest

from edgeau.action_units.names import BP4D
from edgeau_apps.report.command import main
from edgeau_training.datasets.aff_wild2 import LABELS as AFF_WILD2
from edgeau_training.datasets.emotionet import LABELS as EMOTIONET


def folds(path: Path, labels: tuple[str, ...], f1: float = 0.5) -> Path:
    mean = {
        "f1": f1,
        "accuracy": 0.75,
        "auc": None,
        "score": (0.75 + f1) / 2,
        "per_au": {
            label: {"f1": f1 + number / 100, "accuracy": 0.75, "auc": None}
            for number, label in enumerate(labels)
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"labels": labels, "folds": {"1": {}, "2": {}, "3": {}}, "mean": mean}))
    return path


def table(text: str, title: str) -> str:
    return next(part for part in text.split("\n\n") if part.startswith(title))


def test_a_run_on_bp4d_stands_below_the_published_rows(tmp_path, capsys):
    assert main(["--folds", str(folds(tmp_path / "mine" / "folds.json", BP4D))]) == 0
    text = capsys.readouterr().out
    own = next(
        line for line in table(text, "BP4D, three folds").splitlines() if line.startswith("mine (own)")
    )
    assert own.split()[2:5] == ["50.0", "51.0", "52.0"]
    assert own.split()[-1] == "55.5"  # the mean of its twelve columns
    assert "mine (own): your own run, mean of 3 folds; it was not published" in text
    # Its labels are not DISFA's, and means over other AUs are not set beside SIAT-NTU's or USTC's.
    assert not any(
        "mine (own)" in table(text, title) for title in ("DISFA", "SIAT-NTU", "USTC, Aff", "USTC, abl")
    )


@pytest.mark.parametrize(
    ("labels", "title", "values"),
    [(EMOTIONET, "SIAT-NTU", ["0.750", "0.500", "0.625"]), (AFF_WILD2, "USTC, ablation", ["50.00"])],
)
def test_means_stand_beside_means_over_the_same_aus(tmp_path, capsys, labels, title, values):
    assert main(["--folds", str(folds(tmp_path / "mine" / "folds.json", labels))]) == 0
    rows = table(capsys.readouterr().out, title).splitlines()
    assert next(row for row in rows if row.startswith("mine (own)")).split()[2:] == values


def test_the_page_has_them_too(tmp_path):
    file = folds(tmp_path / "mine" / "folds.json", BP4D)
    assert main(["--folds", str(file), "--html", str(tmp_path / "page.html")]) == 0
    assert "mine (own)" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is not the folds.json"),
        ('{"mean": {}, "folds": {}}', "is not the folds.json"),
        ("[]", "is not the folds.json"),
        (
            '{"folds": [], "mean": {"f1": NaN, "accuracy": 1, "auc": 1, "score": 1, "per_au": {}}}',
            "a score of nan",
        ),
        (None, "cannot be read"),
    ],
)
def test_another_file_is_one_line(tmp_path, capsys, content, words):
    path = tmp_path / "folds.json"
    if content is not None:
        path.write_text(content)
    assert main(["--folds", str(path)]) == 2
    assert words in capsys.readouterr().err


def test_labels_that_no_table_has_are_told(tmp_path, capsys):
    path = folds(tmp_path / "mine" / "folds.json", ("smile",))
    assert main(["--folds", str(path)]) == 2
    assert "mine has smile: no published table" in capsys.readouterr().err
