"""Newcomers' scripts follow words that the pages still say, and (slow) reach their result from an empty folder."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.matrix.run import build_wheel
from tests.newcomers.run import ROOT, walk
from tests.newcomers.steps import NEWCOMERS, steps, title


def page(name: str) -> str:
    place = ROOT / name if name == "README.md" else ROOT / "docs" / name
    return " ".join(place.read_text(encoding="utf-8").split())


@pytest.mark.parametrize("newcomer", NEWCOMERS)
def test_every_step_follows_words_of_its_page(newcomer: str) -> None:
    walked = steps(newcomer)
    assert len(walked) >= 5
    assert title(newcomer).startswith("A")
    assert [step for step in walked if step.words not in page(step.page)] == []
    script = (Path(__file__).parent / f"{newcomer}.sh").read_text(encoding="utf-8")
    assert script.endswith(walked[-1].commands + "\n")
    assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("newcomer", NEWCOMERS)
def test_the_result_is_reached(
    newcomer: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    wheel = build_wheel(tmp_path_factory.mktemp("wheel"))
    seconds, fault, _ = walk(newcomer, wheel.parent, tmp_path)
    assert fault == "", f"step {len(seconds)}: {steps(newcomer)[len(seconds) - 1]}"
