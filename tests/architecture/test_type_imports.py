"""Imports for types are ordinary imports; those that would import something heavy at run time are listed here."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGES = ("edgeau", "calibration", "export", "training", "apps", "benchmarks", "docs")
# Of what is imported for types alone: why each file may not import it at run time.
ALLOWED = {
    "apps/edgeau_apps/live/serve/certificate.py": "cryptography is an extra",
    "edgeau/__init__.py": "public names are imported when they are asked for",
    "edgeau/bundle/signature/sign.py": "cryptography is an extra",
    "edgeau/bundle/signature/trust.py": "cryptography is an extra",
    "edgeau/faces/landmarks/__init__.py": "edgeau-doctor reads it where numpy is missing",
    "edgeau/faces/landmarks/landmarker.py": "edgeau-doctor reads it where numpy is missing",
    "edgeau/runtimes/__init__.py": "edgeau-doctor reads it where numpy is missing",
    "edgeau/sinks/http_latest.py": "aiohttp is an extra",
    "edgeau/sinks/served.py": "aiohttp is an extra",
    "edgeau/sinks/websocket.py": "aiohttp is an extra",
    "export/edgeau_export/source_network/from_checkpoint.py": "the default is exported without torch",
    "export/edgeau_export/source_network/from_model_file.py": "an ONNX file is exported without torch",
    "training/edgeau_training/trainer/run_log.py": "TensorBoard takes a second",
}


def block(source: str) -> ast.If | None:
    """The ``if TYPE_CHECKING`` of a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            return node
    return None


def files(root: Path) -> list[Path]:
    return [path for package in PACKAGES for path in sorted((root / package).rglob("*.py"))]


def test_only_listed_files_import_for_types_alone(root: Path) -> None:
    found = {
        path.relative_to(root).as_posix(): node
        for path in files(root)
        if (node := block(path.read_text("utf-8")))
    }
    assert set(found) == set(ALLOWED)
    for name, node in found.items():
        line = (root / name).read_text("utf-8").splitlines()[node.lineno - 1]
        assert "#" in line, f"{name} does not say why"


def test_the_check_finds_a_block() -> None:
    assert block("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch\n") is not None
    assert block("import typing\nif typing.TYPE_CHECKING:\n    import torch\n") is not None
    assert block("import torch\n") is None
