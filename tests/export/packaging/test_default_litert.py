"""The packaged LiteRT file is what our converter writes today, and its parts put it together again."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

import pytest

from edgeau.bundle import default_bundle_path, load_bundle
from edgeau_export.packaging.default_litert import add_litert, parts_of
from edgeau_export.progress import ProgressReporter

pytest.importorskip("ai_edge_litert")


@pytest.mark.timeout(300)
def test_it_follows_from_the_onnx_file(tmp_path: Path, root: Path) -> None:
    packaged = load_bundle(default_bundle_path())
    shutil.copytree(packaged.directory, tmp_path / "default")
    made = add_litert(tmp_path / "default", ProgressReporter(silent=True))
    (there,) = packaged.artifacts("litert/int8")
    assert made.sha256 == there.sha256
    assert made.thresholds == there.thresholds
    assert load_bundle(tmp_path / "default").manifest.labels == packaged.manifest.labels
    parts = parts_of(tmp_path / "default", tmp_path)
    assembled = runpy.run_path(str(root / "weights" / "assemble.py"))["assembled"]
    whole = assembled(parts, tmp_path)
    assert whole == (tmp_path / "default" / there.file).read_bytes()
    assert len(parts) < len(whole) / 20
