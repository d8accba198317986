"""The table of cases in tests/README.md names tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path


def test_every_case_has_tests_that_are_there(root: Path) -> None:
    folder = root / "tests"
    text = (folder / "README.md").read_text("utf-8").partition("## Reported cases")[2]
    rows = [line for line in text.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 38
    missing = []
    for row in rows:
        named = re.findall(r"`([^`]*)`", row.split("|")[2])
        assert named, row
        file = ""
        for test in named:
            path, _, name = test.partition("::")
            file = path or file
            if not (folder / file).is_file() or (name and name not in functions(folder / file)):
                missing.append(f"{file}::{name}")
    assert missing == []


def functions(file: Path) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
