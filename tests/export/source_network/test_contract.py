"""The contract at export: whatever does not hold is one line there, and labels of any kind reach tables and live page."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from edgeau_apps.analyze.command import main as analyze
from edgeau_export.command import main
from tests.apps.live.conftest import serving

NETS = """
import torch
from torch import nn


class Answer(nn.Module):
    def __init__(self, change):
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.Conv2d(3, 8, 5, stride=4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3))
        self.body[4].weight.data *= 20
        self.change = change

    def forward(self, x):
        return self.change(self.body(x), x)


def plain():
    return Answer(lambda y, x: y)

def softmax():
    return Answer(lambda y, x: y.softmax(1))

def sigmoid():
    return Answer(lambda y, x: y.sigmoid())

def deep():
    return Answer(lambda y, x: y[..., None])

def classes():
    return Answer(lambda y, x: torch.stack((y, -y), 2))

def single():
    return Answer(lambda y, x: y[:, :1])

def flat():
    return Answer(lambda y, x: y[:, 0])

def pair():
    return Answer(lambda y, x: (y, y))

def table():
    return Answer(lambda y, x: {"aus": y})

def undefined():
    return Answer(lambda y, x: torch.log(y))

def infinite():
    return Answer(lambda y, x: y / 0)

def deaf():
    return Answer(lambda y, x: y * 0 + torch.tensor([1.5, -2.0, 0.3]))

def other_size():
    return Answer(lambda y, x: y + x[:, :, 300, 300])

def raises():
    return Answer(lambda y, x: y @ torch.zeros(7, 7))
"""
SPEC = """title = "mine"
weights = "w.pth"
builder = "nets.py:{builder}"
labels = {labels}
{more}
[input]
size = [64, 64]
{norm}
[alignment]
kind = "box"
margin = 0.1
"""
THREE = '["AU4", "AU12L", "smile"]'
NORM = "mean = [0.485, 0.456, 0.406]\nstd = [0.229, 0.224, 0.225]"


@pytest.fixture
def described(tmp_path: Path) -> Callable[..., Path]:
    """Writes weights, builder and model.toml."""

    def make(builder: str = "plain", labels: str = THREE, more: str = "", norm: str = NORM) -> Path:
        (tmp_path / "nets.py").write_text(NETS)
        scope: dict[str, object] = {}
        exec(NETS, scope)
        torch.save(scope["plain"]().state_dict(), tmp_path / "w.pth")  # type: ignore[operator]
        (tmp_path / "model.toml").write_text(
            SPEC.format(builder=builder, labels=labels, more=more, norm=norm)
        )
        return tmp_path / "model.toml"

    return make


PROBABILITIES = 'output = "probabilities"'


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"builder": "softmax"}, 'these are probabilities, not logits; say output = "probabilities"'),
        ({"builder": "sigmoid"}, 'these are probabilities, not logits; say output = "probabilities"'),
        (
            {"builder": "plain", "more": PROBABILITIES},
            'not probabilities; write output = "logits"|not probabilities',
        ),
        ({"builder": "deep"}, "answers n x 3 x 1, expected n x 3: one number a label"),
        ({"builder": "classes"}, "answers n x 3 x 2, expected n x 3: .*reduced to one logit in the builder"),
        ({"builder": "single"}, "has 1 outputs, its model.toml 3 labels"),
        ({"builder": "plain", "labels": '["smile"]'}, "has 3 outputs, its model.toml 1 labels"),
        ({"builder": "flat"}, "answers n, expected n x 3"),
        (
            {"builder": "pair"},
            "answers with a tuple; let the builder return a module whose forward gives one tensor",
        ),
        ({"builder": "table"}, "answers with a dict; let the builder"),
        ({"builder": "undefined"}, "values that are not finite"),
        ({"builder": "infinite"}, "values that are not finite for AU4, AU12L, smile"),
        ({"builder": "deaf"}, "gives the same numbers for every face and for noise, such as 1.5 for AU4"),
        ({"builder": "other_size"}, "does not run on"),
        ({"builder": "raises"}, "does not run on"),
        (
            {"norm": "mean = [123.7, 116.3, 103.5]\nstd = [58.4, 57.1, 57.4]"},
            "nearly constant .*say scale = 1",
        ),
        ({"norm": NORM + "\nscale = 1"}, "more than their levels of 0..255 do.*say scale = 255"),
        ({"labels": '["AU1", "AU01", "AU4"]'}, "AU1 appears twice"),
        ({"labels": '["AU1", "", "AU4"]'}, "cannot be a column of a table"),
        ({"labels": '["AU1", "a/b", "AU4"]'}, "cannot be a column of a table"),
        ({"labels": "[1, 2, 4]"}, "expected the outputs in their order"),
        ({"more": "thresholds = [0.5, 0.5]"}, "expected one number for each of the 3 labels"),
        ({"more": "thresholds = [0.5, 0.5, 1.5]"}, "they are probabilities, 0 to 1"),
    ],
)
def test_what_does_not_hold_is_one_line(
    described: Callable[..., Path],
    tmp_path: Path,
    changes: dict[str, str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "b"
    line = ["--model", str(described(**changes)), "--target", "cpu", "--precision", "fp32", "--out", str(out)]
    assert main(line) == 2
    said = capsys.readouterr().err.strip()
    assert len(said.splitlines()) == 1
    assert re.search(message, said), said
    assert not out.exists()


def test_inputs_of_0_to_255_as_they_are_pass(described: Callable[..., Path], tmp_path: Path) -> None:
    file = described(norm="mean = [104, 117, 123]\nstd = [1, 1, 1]\nscale = 1")
    line = ["--model", str(file), "--target", "cpu", "--precision", "fp32", "--landmarks", "none"]
    assert main([*line, "--out", str(tmp_path / "b")]) == 0


def test_labels_of_any_kind_reach_tables_and_live_page(
    described: Callable[..., Path], tmp_path: Path, astronaut: object, root: Path
) -> None:
    line = [
        "--model",
        str(described()),
        "--target",
        "cpu",
        "--precision",
        "fp32",
        "--out",
        str(tmp_path / "b"),
    ]
    assert main(line) == 0
    picture = root / "docs" / "astronaut.png"
    assert analyze([str(picture), "--bundle", str(tmp_path / "b"), "--out", str(tmp_path / "o")]) == 0
    (table,) = (tmp_path / "o").glob("*.csv")
    with table.open(newline="") as file:
        columns = set(csv.DictReader(file).fieldnames or ())
    assert {"AU04_c", "AU12L_c", "smile_c", "smile_p"} <= columns
    with serving("--bundle", str(tmp_path / "b")) as server, server.get("about") as answer:
        assert json.load(answer)["labels"] == ["AU4", "AU12L", "smile"]
