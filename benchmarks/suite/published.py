"""Reading the speeds that others publish."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True)
class Speed:
    """Frames a second of a tool on some hardware, as published in ``source``."""

    tool: str
    hardware: str
    fps: float
    note: str
    source: str


def published_speeds() -> list[Speed]:
    text = Path(__file__).with_name("published_speeds.toml").read_text(encoding="utf-8")
    return [Speed(**entry) for entry in tomllib.loads(text)["speed"]]
