"""The walk's blocks in their order, in a copy of the checkout; as a reader does it."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("edgeau", "export", "calibration", "training", "apps")
NOT_HERE = ("git clone", "python3 -m venv", "pip install")  # the tests' own environment stands in
_BLOCK = re.compile(
    r"(?P<before>[^\n]*(?:\n[^\n]+)*)\n\n```(?P<kind>\w+)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL
)


def steps():
    """(kind, words before the block, its text)."""
    page = (ROOT / "docs" / "walk.md").read_text(encoding="utf-8")
    return [(one["kind"], one["before"], one["text"]) for one in _BLOCK.finditer(page)]


def command(line):
    """The words that start it with this environment's programs, from the copy and not from the checkout."""
    words = shlex.split(line, comments=True)
    if words[0].startswith("edgeau-"):
        from importlib.metadata import entry_points

        (entry,) = entry_points(group="console_scripts", name=words[0])
        code = f"import sys; from {entry.module} import {entry.attr}; sys.exit({entry.attr}())"
        return [sys.executable, "-c", code, *words[1:]]
    return [sys.executable if words[0] == "python" else words[0], *words[1:]]


def write(copy, before, text):
    """A file of its own, or an entry of a table in a file that is there."""
    into = re.search(r"into `(\w+)` in `([^`]+)`:", before)
    if into is None:
        (copy / re.search(r"`([^`]+)`:$", before)[1]).write_text(text)
        return
    file = copy / into[2]
    before_it, after_it = re.split(
        rf"(?<=^){into[1]}: [^\n]* = {{\n", file.read_text(), maxsplit=1, flags=re.MULTILINE
    )
    head = file.read_text()[len(before_it) : -len(after_it)]
    file.write_text(before_it + head + text + after_it)


@pytest.mark.slow
@pytest.mark.timeout(1800)  # some five minutes, and four times as long on a machine that has more to do
def test_the_walk(tmp_path):
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    paths = [str(tmp_path), *(str(tmp_path / room) for room in ROOMS[1:])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    for kind, before, text in steps():
        if kind != "sh":
            write(tmp_path, before, text)
            continue
        for line in text.splitlines():
            if line.startswith(NOT_HERE):
                continue
            done = subprocess.run(
                command(line),
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=500,
            )
            assert done.returncode == 0, f"{line}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    table = (tmp_path / "results-pi" / "48.csv").read_text().splitlines()
    assert {"AU04_c", "AU12_c", "smile_c"} <= set(table[0].split(","))
    table = (tmp_path / "results" / "48.csv").read_text().splitlines()
    assert {"AU04_c", "AU12_c", "AU25_c"} <= set(table[0].split(","))


def test_a_network_of_ones_own_takes_ten_lines_and_no_file_of_the_package():
    page = (ROOT / "docs" / "walk.md").read_text(encoding="utf-8")
    own = page[page.index("## 2. ") : page.index("## 3. ")]
    blocks = {
        one["before"].rpartition("\n")[2]: one["text"] for one in _BLOCK.finditer(own) if one["kind"] != "sh"
    }
    commands = [
        line for one in _BLOCK.finditer(own) if one["kind"] == "sh" for line in one["text"].splitlines()
    ]
    described = [line for line in blocks["`model.toml`:"].splitlines() if line.strip()]
    made = [line for line in commands if line.startswith("edgeau-") and "--describe" not in line]
    assert len(described) + len(made) <= 10
    assert all("into `" not in one["before"] for one in _BLOCK.finditer(own))


def test_the_walk_has_its_files_and_entries():
    written = [before for kind, before, _ in steps() if kind != "sh"]
    assert len(written) == 7
    assert all(re.search(r"`[^`]+`:$|into `\w+` in `[^`]+`:", before) for before in written)
