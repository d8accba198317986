"""The messages on the page are messages of the code."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "troubleshooting.md"
ROOMS = ("edgeau", "export", "calibration", "training", "apps")


@pytest.fixture(scope="module")
def code():
    text = "\n".join(
        file.read_text(encoding="utf-8") for room in ROOMS for file in sorted((ROOT / room).rglob("*.py"))
    )
    joined = re.sub(r'"\s*\n\s*f?"', "", text)  # a message that is written over several lines
    return joined.replace("{MANIFEST}", "manifest.json")


def quoted():
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        first = line.split("|")[1] if line.startswith("| `") else ""
        for message in re.findall(r"`([^`]+)`", first):
            yield from (part.strip(" ,") for part in message.split("..."))


@pytest.mark.parametrize("part", sorted({part for part in quoted() if part}))
def test_the_code_says_so(code, part):
    assert part in code
