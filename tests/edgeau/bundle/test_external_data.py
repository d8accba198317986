"""Weights beside an ONNX file are listed and verified, or the bundle is refused."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
import pytest

from edgeau.bundle import load_bundle, packaged_bundle_path
from edgeau.bundle.files import record_of
from edgeau.bundle.load import external_files
from edgeau.errors import BundleError


def record_anew(folder: Path, *more: str) -> None:
    """Right digests for what is there, and for ``more``."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    names = [item["file"] for item in manifest["files"]]
    records = {name: record_of(folder, name) for name in [*names, *more]}
    manifest["files"] = [
        {"file": name, "bytes": one.bytes, "sha256": one.sha256} for name, one in records.items()
    ]
    for item in manifest["artifacts"]:
        item.update(bytes=records[item["file"]].bytes, sha256=records[item["file"]].sha256)
    path.write_text(json.dumps(manifest))


def outside(folder: Path, location: str) -> None:
    """The bundle's network with its weights in a file of their own."""
    model = onnx.load(folder / "model.onnx")
    (folder / location).parent.mkdir(parents=True, exist_ok=True)
    onnx.save_model(
        model, folder / "model.onnx", save_as_external_data=True, location=location, size_threshold=0
    )


def test_unlisted_weights_are_refused(bundle_path: Path) -> None:
    outside(bundle_path, "weights.data")
    record_anew(bundle_path)
    with pytest.raises(
        BundleError, match=r"model.onnx reads weights from 'weights.data', which its manifest does not"
    ):
        load_bundle(bundle_path)


def test_listed_weights_are_verified(bundle_path: Path) -> None:
    outside(bundle_path, "weights.data")
    record_anew(bundle_path, "weights.data")
    load_bundle(bundle_path)
    content = bytearray((bundle_path / "weights.data").read_bytes())
    content[100] ^= 1
    (bundle_path / "weights.data").write_bytes(content)
    with pytest.raises(BundleError, match="weights.data has changed"):
        load_bundle(bundle_path)


def test_names_are_found_however_they_are_written(bundle_path: Path, tmp_path: Path) -> None:
    outside(bundle_path, "ä" * 60 + ".data")
    content = (bundle_path / "model.onnx").read_bytes()
    assert external_files(bundle_path / "model.onnx") == ["ä" * 60 + ".data"]
    longer = tmp_path / "longer.onnx"
    longer.write_bytes(content.replace(b"\n\x08location", b"\n\x88\x80\x00location"))
    assert external_files(longer) == ["ä" * 60 + ".data"]
    elsewhere = tmp_path / "elsewhere.onnx"
    elsewhere.write_bytes(content.replace(b"\n\x08location\x12", b"\n\x08location\x1a"))
    assert external_files(elsewhere) == [""]


def test_the_word_alone_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"\x08location: a node's name, relocation\n\x09locations")
    (tmp_path / "empty.onnx").touch()
    assert external_files(tmp_path / "a.onnx") == external_files(tmp_path / "empty.onnx") == []
    for name in ("default", "light"):
        folder = packaged_bundle_path(name)
        assert [external_files(file) for file in folder.glob("*.onnx")] == [[], []]
