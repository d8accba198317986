"""What README shows of its portrait is what the commands give today: the terminal, the table and the picture."""

from __future__ import annotations

import csv
import io
import re
import runpy
from contextlib import redirect_stdout
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeau_apps.analyze.command import main as analyze

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
_ROW = re.compile(r"^    (AU\d+) +(\D+?) +(\d\.\d{3})(  active)?$", re.MULTILINE)
_NEAR = 0.1  # engines and processors differ by less
_NEAR_R = 5 * _NEAR  # columns _r reach 5


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> tuple[Path, str]:
    """The folder of the results, and what the terminal shows."""
    folder = tmp_path_factory.mktemp("portrait")
    portrait = str(runpy.run_path(str(ROOT / "docs" / "portrait.py"))["write_portrait"](folder))
    with redirect_stdout(io.StringIO()) as shown:
        assert analyze([portrait]) == 0
    assert analyze([portrait, "--out", str(folder), "--annotate"]) == 0
    return folder, shown.getvalue()


def test_the_terminal(results):
    here, there = _ROW.findall(results[1]), _ROW.findall(README)
    assert len(there) == 13
    assert [(au, name, active) for au, name, _, active in here] == [
        (au, name, active) for au, name, _, active in there
    ]
    np.testing.assert_allclose(
        [float(row[2]) for row in there], [float(row[2]) for row in here], rtol=0, atol=_NEAR
    )


def test_the_table(results):
    head, row = re.findall(r"^\| frame \|(.*)\|\n\|[-|]+\n\| 1 \|(.*)\|$", README, re.MULTILINE)[0]
    names = [name.strip() for name in head.split("|")]
    values = [float(value) for value in row.split("|")]
    with (results[0] / "portrait.csv").open(newline="") as file:
        (found,) = csv.DictReader(file)
    for name, value in zip(names, values, strict=True):
        assert abs(float(found[name]) - value) <= (_NEAR_R if name.endswith("_r") else _NEAR), name


def test_the_picture_is_as_it_is_drawn_today(results):
    drawn = cv2.imread(str(results[0] / "portrait.annotated.jpg"))
    shown = cv2.imread(str(ROOT / "docs" / "astronaut.png"))
    assert shown.shape == drawn.shape
    assert np.abs(shown.astype(float) - drawn).mean() < 2, "python docs/portrait.py makes it again"


def test_an_older_picture_would_be_found(results):
    drawn = cv2.imread(str(results[0] / "portrait.annotated.jpg")).astype(float)
    older = drawn.copy()
    older[60:220, 520:] = older[0, -1]  # rows of AUs that an older drawing did not have
    assert np.abs(older - drawn).mean() > 2
