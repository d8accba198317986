"""The steps of a newcomer's script: the page and the words that each follows, and its commands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["NEWCOMERS", "Step", "steps", "title"]

_FOLDER = Path(__file__).parent
NEWCOMERS = ("maker", "engineer", "researcher", "student", "web")
_STEP = re.compile(r"^# (?P<page>[\w.-]+\.md): (?P<words>.+)\n(?P<commands>(?:(?!^# ).*\n)+)", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """Commands, and the words of a page that say to run them."""

    page: str
    words: str
    commands: str


def title(newcomer: str) -> str:
    """Who it is and what for, from the script's second line."""
    return _script(newcomer).splitlines()[1].removeprefix("# ")


def steps(newcomer: str) -> list[Step]:
    """Those of ``NEWCOMER.sh``, in order."""
    return [
        Step(one["page"], one["words"], one["commands"].strip()) for one in _STEP.finditer(_script(newcomer))
    ]


def _script(newcomer: str) -> str:
    return (_FOLDER / f"{newcomer}.sh").read_text(encoding="utf-8")
