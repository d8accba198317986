"""A class name means one thing: no two classes of the packages have the same."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

PACKAGES = ("edgeau", "calibration", "export", "training", "apps")


def class_names(source: str) -> list[str]:
    return [node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)]


def test_no_two_classes_have_one_name(root: Path) -> None:
    names = Counter(
        name
        for package in PACKAGES
        for path in sorted((root / package).rglob("*.py"))
        for name in class_names(path.read_text("utf-8"))
    )
    assert not [name for name, count in names.items() if count > 1]


def test_the_check_sees_inner_classes() -> None:
    assert class_names("class A:\n    class B: ...\n") == ["A", "B"]
