"""Every install line that edgeau prints or shows, read from its own sources, so that none is forgotten."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["InstallLine", "extras", "install_lines"]

ROOT = Path(__file__).resolve().parents[2]
_WHERE = (
    "edgeau/**/*.py",
    "apps/**/*.py",
    "export/**/*.py",
    "export/**/*.toml",
    "calibration/**/*.py",
    "training/**/*.py",
    "docs/*.md",
    "README.md",
)
# Of edgeau: as a package, as a checkout, as its wheel.
_EDGEAU = re.compile(r"pip install[^`\"\n]*?(?:edgeau|\.|edgeau-[\w.*-]+\.whl'?)\[([a-z0-9,]+)\]([^`\"\n]*)")
_OTHER = re.compile(r"'([a-z][\w.-]*(?:[<>=!~]=?[^']+))'")


@dataclass(frozen=True, order=True)
class InstallLine:
    """Extras of edgeau, and requirements beside it."""

    extras: str
    others: tuple[str, ...]


def install_lines() -> dict[InstallLine, str]:
    """Each line once, with the first file that has it."""
    found: dict[InstallLine, str] = {}
    for pattern in _WHERE:
        for file in sorted(ROOT.glob(pattern)):
            for named, rest in _EDGEAU.findall(file.read_text(encoding="utf-8")):
                line = InstallLine(named, tuple(sorted(_OTHER.findall(rest))))
                found.setdefault(line, str(file.relative_to(ROOT)))
    return found


def extras() -> set[str]:
    """Those that ``pyproject.toml`` has."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = text.split("[project.optional-dependencies]")[1].split("\n[project.")[0]
    return set(re.findall(r"^([a-z0-9]+) = \[", block, re.MULTILINE))
