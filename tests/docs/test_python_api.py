from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import edgeau

ROOT = Path(__file__).resolve().parents[2]

_INSIDE = {"extending.md", "architecture.md"}
_DEEP = re.compile(r"^\s*(?:from edgeau\.[\w.]+ import .*|import edgeau\..*)$", re.MULTILINE)


def test_the_page_is_what_the_docstrings_say():
    script = ROOT / "docs" / "python_api.py"
    done = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_public_name_has_a_home_and_no_other_name_has_one():
    assert sorted(name for names in edgeau._HOMES.values() for name in names) == sorted(edgeau.__all__)
    for name in edgeau.__all__:
        assert getattr(edgeau, name).__name__ == name


def test_the_docs_import_from_edgeau_alone():
    pages = [ROOT / "README.md", ROOT / "docs" / "demo.py", *(ROOT / "docs").rglob("*.md")]
    # Pages for those who work on edgeau itself name its rooms.
    pages = [page for page in pages if page.name not in _INSIDE and page.parent.name != "decisions"]
    assert len(pages) > 10
    deep = [(page.name, line) for page in pages for line in _DEEP.findall(page.read_text(encoding="utf-8"))]
    assert not deep


def test_every_name_that_the_docs_import_is_public():
    for page in (ROOT / "docs").rglob("*.md"):
        for names in re.findall(
            r"^\s*from edgeau import ([\w, ]+)$", page.read_text(encoding="utf-8"), re.MULTILINE
        ):
            assert {name.strip().split(" as ")[0] for name in names.split(",")} <= {
                *edgeau.__all__,
                "__version__",
            }
