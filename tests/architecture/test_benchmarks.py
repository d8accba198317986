"""What the benchmarks import is there: most of them take minutes to run, so that no test would notice a name that has moved."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGES = (".", "export", "calibration", "training", "apps", "benchmarks")


def test_every_name_that_a_benchmark_imports_is_there(root: Path) -> None:
    lacking = []
    for file in sorted((root / "benchmarks").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                names = {name.name for name in node.names}
                lacking += [f"{file.name}:{node.lineno} {name}" for name in absent(root, node.module, names)]
    assert lacking == []


def test_a_name_that_has_moved_is_found(root: Path) -> None:
    assert absent(root, "edgeau.live", {"View", "run", "Viewed"}) == {"Viewed"}
    assert absent(root, "edgeau.alive", {"View"}) == {"View"}
    assert absent(root, "numpy", {"not_ours"}) == set()


def absent(root: Path, module: str, names: set[str]) -> set[str]:
    """Names that one of our modules has not; modules of others are not looked at."""
    path = Path(*module.split("."))
    for package in PACKAGES:
        place = root / package / path
        if place.with_suffix(".py").is_file():
            return names - defined(place.with_suffix(".py"))
        if (place / "__init__.py").is_file():
            modules = {one.stem for one in place.glob("*.py")} | {
                one.name for one in place.iterdir() if one.is_dir()
            }
            return names - defined(place / "__init__.py") - modules
    return names if module.partition(".")[0].startswith("edgeau") else set()


def defined(file: Path) -> set[str]:
    """Names that a module defines or imports, those inside its functions included: more than it has, never fewer."""
    tree = ast.parse(file.read_text("utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {(one.asname or one.name).partition(".")[0] for one in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found
