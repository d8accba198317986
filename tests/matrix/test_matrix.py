"""The light part of the matrix: the wheel with LiteRT alone on every promised Python of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeau_export.export import export_bundle
from tests.matrix.pythons import PROMISED, interpreter
from tests.matrix.row import run_row
from tests.matrix.run import PICTURE


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mediapipe")
    out = tmp_path_factory.mktemp("bundle") / "b"
    export_bundle("raspberrypi", out, precisions=("int8",))
    return out


@pytest.mark.timeout(900)
@pytest.mark.parametrize("version", PROMISED)
def test_litert_alone(version: str, wheel: Path, bundle: Path, tmp_path: Path) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"there is no Python {version} on this machine")
    row = run_row(python, version, "litert", wheel, bundle, PICTURE, tmp_path)
    assert row.fault == ""
    assert 100 < row.megabytes < 500
