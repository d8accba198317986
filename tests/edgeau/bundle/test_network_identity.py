"""Which bundles have the same network, weights included."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgeau.bundle import load_bundle, packaged_bundle_path
from edgeau.bundle.manifest import FileRecord, Manifest
from edgeau.bundle.network_identity import NetworkIdentity, network_identity

LIGHT = packaged_bundle_path("light")


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return load_bundle(LIGHT).manifest


def identity(manifest: Manifest, folder: Path = LIGHT) -> NetworkIdentity:
    return network_identity(manifest, folder)


def with_digest(manifest: Manifest, file: str, digest: str) -> Manifest:
    records = (replace(one, sha256=digest) if one.file == file else one for one in manifest.files)
    artifacts = (replace(one, sha256=digest) if one.file == file else one for one in manifest.artifacts)
    return replace(manifest, files=tuple(records), artifacts=tuple(artifacts))


def test_other_weights_under_the_same_name_are_another_network(manifest: Manifest) -> None:
    other = identity(with_digest(manifest, "model.fp32.onnx", "0" * 64))
    assert other.name == identity(manifest).name
    assert other != identity(manifest)
    assert identity(replace(manifest, labels=manifest.labels[::-1])) != identity(manifest)


def test_finishing_thresholds_and_int8_made_anew_leave_the_network_what_it_is(manifest: Manifest) -> None:
    artifacts = tuple(
        replace(one, thresholds=dict.fromkeys(one.thresholds, 0.25)) for one in manifest.artifacts[::-1]
    )
    finished = replace(manifest, artifacts=artifacts, fusion=None)
    assert identity(with_digest(finished, "model.int8.onnx", "0" * 64)) == identity(manifest)


def test_without_a_float_file_the_quantized_ones_count(manifest: Manifest) -> None:
    quantized = replace(
        manifest, artifacts=tuple(one for one in manifest.artifacts if one.precision == "int8")
    )
    assert identity(quantized) != identity(manifest)
    assert identity(with_digest(quantized, "model.int8.onnx", "0" * 64)) != identity(quantized)


def test_weights_that_lie_beside_the_graph_count(manifest: Manifest, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    model = onnx.load(LIGHT / "model.fp32.onnx")
    onnx.save(model, tmp_path / "model.fp32.onnx", save_as_external_data=True, location="weights.bin")
    beside = replace(manifest, files=(*manifest.files, FileRecord("weights.bin", 1, "1" * 64)))
    changed = with_digest(beside, "weights.bin", "2" * 64)
    assert identity(beside, tmp_path) != identity(changed, tmp_path)


def test_the_packaged_networks_are_different_ones() -> None:
    default, light = (
        load_bundle(packaged_bundle_path(name)).network_identity for name in ("default", "light")
    )
    assert (default.name, light.name) == ("mrpnet", "mrpnet-slim")
    assert default.digest != light.digest
