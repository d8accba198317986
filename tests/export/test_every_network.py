"""Each network of the zoo at its published size, from a seeded checkpoint to a bundle: ONNX answers as torch does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeau.detector import AUDetector
from edgeau_export.export import ExportRequest, export_bundle
from edgeau_training.checkpoint import make_seeded_checkpoint
from edgeau_training.networks import NETWORKS
from edgeau_training.networks.catalogue import network_facts

LARGEST = 1e-4  # on the logits


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_it_exports_with_parity_and_runs(tmp_path: Path, name: str, nothing_packaged: None) -> None:
    facts = network_facts(name)
    checkpoint = tmp_path / "seeded.safetensors"
    make_seeded_checkpoint(checkpoint, name, facts.labels)
    out = tmp_path / "bundle"
    manifest = export_bundle(ExportRequest("cpu", out, checkpoint, precisions=("fp32",)))
    assert manifest.network.title == facts.title
    assert manifest.labels == facts.labels
    for artifact in manifest.artifacts:
        assert artifact.parity is not None
        assert artifact.parity.max_abs_logit <= LARGEST
    side = facts.input.size[0]
    with AUDetector.load(out) as detector:
        detections = detector.detect(np.full((1, side, side, 3), 120, np.uint8))
    assert np.isfinite(detections.probabilities).all()
