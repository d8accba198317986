"""The published size: EfficientNet-B1 with the MRP head, 18 AUs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeau_export.export import export_bundle
from edgeau_training.checkpoint import make_seeded_checkpoint


@pytest.mark.slow
def test_mrpnet_on_b1_is_exported_and_quantized(tmp_path: Path, persons_crops: np.ndarray) -> None:
    make_seeded_checkpoint(tmp_path / "seeded.safetensors")
    np.savez(tmp_path / "crops.npz", crops=persons_crops[::8])
    manifest = export_bundle("cpu", tmp_path / "b", tmp_path / "seeded.safetensors", tmp_path / "crops.npz")
    made = {artifact.file: artifact for artifact in manifest.artifacts}
    dynamic, fixed = made["model.fp32.onnx"], made["model.fp32.b1.onnx"]
    assert manifest.network.parameters > 6_500_000
    assert dynamic.parity is not None
    assert dynamic.parity.max_abs_logit <= (dynamic.parity.tolerance or 0)
    assert abs(dynamic.bytes - fixed.bytes) < 0.01 * dynamic.bytes
    for name in ("model.int8.onnx", "model.int8.tflite"):
        assert made[name].bytes < 0.32 * dynamic.bytes
