"""Every install line that edgeau prints or shows: those of one module, and those of targets and pages, read where they stand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from edgeau._system import install_lines as printed

__all__ = ["ROOT", "InstallLine", "extras", "install_lines", "shown_lines", "spelt_out"]

ROOT = Path(__file__).resolve().parents[2]
_SOURCES = ("edgeau/**/*.py", "apps/**/*.py", "export/**/*.py", "calibration/**/*.py", "training/**/*.py")
_SHOWN = ("export/**/*.toml", "docs/*.md", "README.md")
_CALL = re.compile(r"\bextra_line\(((?:[\"'][a-z]+[\"'](?:, )?)+)\)")
# Of edgeau: as a package, as a checkout, as its wheel.
_EDGEAU = re.compile(r"pip install[^`\"\n]*?(?:edgeau|\.|edgeau-[\w.*-]+\.whl'?)\[([a-z0-9,]+)\]([^`\"\n]*)")
_OTHER = re.compile(r"'([a-z][\w.-]*(?:[<>=!~]=?[^']+))'")


@dataclass(frozen=True, order=True)
class InstallLine:
    """Extras of edgeau, "" for none, and requirements beside it."""

    extras: str
    others: tuple[str, ...] = ()


def install_lines() -> dict[InstallLine, str]:
    """Each line once, with a file that has it: what sources ask for, each extra by itself, what is named besides, what is shown."""
    found = {
        InstallLine("", requirements): name for name, requirements in printed.MORE.items() if name != "edgeau"
    }
    found |= {InstallLine(extra): "pyproject.toml" for extra in printed.EXTRAS}
    for pattern in _SOURCES:
        for file in sorted(ROOT.glob(pattern)):
            for call in _CALL.findall(file.read_text(encoding="utf-8")):
                line = InstallLine(",".join(re.findall(r"[a-z]+", call)))
                found.setdefault(line, str(file.relative_to(ROOT)))
    return shown_lines() | found


def shown_lines() -> dict[InstallLine, str]:
    """Those of targets and pages."""
    found: dict[InstallLine, str] = {}
    for pattern in _SHOWN:
        for file in sorted(ROOT.glob(pattern)):
            for named, rest in _EDGEAU.findall(file.read_text(encoding="utf-8")):
                line = InstallLine(named, tuple(sorted(_OTHER.findall(rest))))
                found.setdefault(line, str(file.relative_to(ROOT)))
    return found


def spelt_out() -> list[str]:
    """Places in the sources that spell a line out instead of asking the module; docstrings may show one."""
    found = []
    for pattern in _SOURCES:
        for file in sorted(ROOT.glob(pattern)):
            if file.samefile(printed.__file__):
                continue
            for number, text in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
                if "pip install" in text and "``pip install" not in text:
                    found.append(f"{file.relative_to(ROOT)}:{number}")
    return found


def extras() -> set[str]:
    """Those that ``pyproject.toml`` has."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = text.split("[project.optional-dependencies]")[1].split("\n[project.")[0]
    return set(re.findall(r"^([a-z0-9]+) = \[", block, re.MULTILINE))
