"""Docstrings lead with a verb (functions) or a noun (modules, classes, properties), not with a question or half a sentence."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PACKAGES = ("edgeau", "calibration", "export", "training", "apps", "benchmarks")
QUESTIONS = {"As", "How", "If", "Of", "That", "What", "When", "Where", "Whether", "Which", "Who"}
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def questions(source: str) -> Iterator[str]:
    """First lines that begin with one of the words."""
    for node in ast.walk(ast.parse(source)):
        text = ast.get_docstring(node) if isinstance(node, DOCUMENTED) else None
        if text and re.split(r"[\s.,:]", text)[0] in QUESTIONS:
            yield text.splitlines()[0]


def test_docstrings_lead_with_a_verb_or_a_noun(root: Path) -> None:
    found = {
        f"{path.relative_to(root)}: {line}"
        for package in PACKAGES
        for path in sorted((root / package).rglob("*.py"))
        for line in questions(path.read_text("utf-8"))
    }
    assert not found


def test_the_check_finds_a_question() -> None:
    source = (
        '"""What this is."""\nclass A:\n    """A noun."""\n    def f(self):\n        """Whether it is."""\n'
    )
    assert list(questions(source)) == ["What this is.", "Whether it is."]
