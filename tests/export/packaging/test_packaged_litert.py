"""The packaged LiteRT file is what our converter writes today, and its parts put it together again."""

from __future__ import annotations

import json
import runpy
import shutil
from pathlib import Path

import pytest

from edgeau.bundle import load_bundle, packaged_bundle_path
from edgeau.bundle.files import MANIFEST
from edgeau.errors import BundleError
from edgeau_export.packaging.assembly import litert_parts
from edgeau_export.packaging.packaged_litert import add_litert
from edgeau_export.progress import ProgressReporter

pytest.importorskip("ai_edge_litert")


@pytest.mark.timeout(300)
def test_it_follows_from_the_onnx_file(tmp_path: Path, root: Path) -> None:
    packaged = load_bundle(packaged_bundle_path())
    shutil.copytree(packaged.directory, tmp_path / "default")
    made = add_litert(tmp_path / "default", ProgressReporter(silent=True))
    (there,) = packaged.artifacts("litert/int8")
    assert made.sha256 == there.sha256
    assert made.thresholds == there.thresholds
    assert load_bundle(tmp_path / "default").manifest.labels == packaged.manifest.labels
    parts = litert_parts(tmp_path / "default", tmp_path)
    assembled = runpy.run_path(str(root / "weights" / "assemble.py"))["assembled"]
    whole = assembled(parts, tmp_path)
    assert whole == (tmp_path / "default" / there.file).read_bytes()
    assert len(parts) < len(whole) / 20


def test_a_bundle_that_it_cannot_be_made_from_stays_as_it_was(tmp_path: Path) -> None:
    bundle = tmp_path / "default"
    shutil.copytree(packaged_bundle_path(), bundle)
    manifest = json.loads((bundle / MANIFEST).read_text("utf-8"))
    manifest["artifacts"] = [item for item in manifest["artifacts"] if item["file"] != "model.int8.onnx"]
    (bundle / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    before = (bundle / MANIFEST).read_bytes()
    with pytest.raises(BundleError, match=r"has no model\.int8\.onnx"):
        add_litert(bundle, ProgressReporter(silent=True))
    assert (bundle / MANIFEST).read_bytes() == before
