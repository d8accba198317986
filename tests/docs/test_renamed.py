"""docs/renamed.md points at what exists."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("edgeau", "export", "calibration", "training", "apps")
ROWS = re.findall(
    r"^\| (.+) \| (.+) \|$", (ROOT / "docs" / "renamed.md").read_text(encoding="utf-8"), re.MULTILINE
)
MODULES = [(was, now) for was, now in ROWS if re.match(r"`edgeau\w*\.[\w.*]+`$", was) and now != "gone"]
NAMES = [
    (was, now) for was, now in ROWS if (was, now) not in MODULES and was != "---" and not was.endswith(" was")
]


def test_the_tables_were_read() -> None:
    assert len(MODULES) > 200
    assert len(NAMES) > 40


@pytest.mark.parametrize(("was", "now"), MODULES)
def test_a_module_is_where_the_page_says_and_no_longer_where_it_was(was: str, now: str) -> None:
    place = now.strip("`").removesuffix(".*")
    assert find_spec(place) is not None, f"{place} does not exist"
    assert was != now


@pytest.fixture(scope="module")
def defined() -> set[str]:
    """Every function, class and constant of the production code."""
    found: set[str] = set()
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*.py"):
            source = file.read_text(encoding="utf-8")
            pairs = re.findall(r"^\s*(?:def|class) (\w+)|^([A-Z_]+)\b[^=\n]* = ", source, re.MULTILINE)
            found.update(name for pair in pairs for name in pair)
    return found


@pytest.mark.parametrize(("was", "now"), NAMES)
def test_a_name_that_the_page_gives_is_defined(was: str, now: str, defined: set[str]) -> None:
    for name in re.findall(r"`([^`]+)`", now):
        last = re.sub(r"\(.*|\[.*", "", name).rsplit(".", maxsplit=1)[-1]
        last = last.removesuffix("*")
        known = last in defined or any(one.startswith(last) for one in defined if last.endswith("_"))
        assert known or find_spec(name.partition("(")[0]) is not None, (
            f"{name}, for {was}, is defined nowhere"
        )
