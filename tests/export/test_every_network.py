"""Each network of the zoo at its published size, from a seeded checkpoint to a bundle: ONNX answers as torch does."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeau import open_source
from edgeau.action_units.network import AUDetector
from edgeau_export.export import export_bundle
from edgeau_training.checkpoint import make_seeded_checkpoint
from edgeau_training.networks.catalogue import CATALOGUE, network_facts

LARGEST = 1e-4  # on the logits


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_it_exports_with_parity_and_runs(tmp_path: Path, name: str, nothing_packaged: None) -> None:
    facts = network_facts(name)
    checkpoint = tmp_path / "seeded.safetensors"
    make_seeded_checkpoint(checkpoint, name, facts.labels)
    out = tmp_path / "bundle"
    manifest = export_bundle("cpu", out, checkpoint, precisions=("fp32",))
    assert manifest.network.title == facts.title
    assert manifest.labels == facts.labels
    for artifact in manifest.artifacts:
        assert artifact.parity is not None
        assert artifact.parity.max_abs_logit <= LARGEST
    side = facts.input.size[0]
    with AUDetector.load(out) as detector:
        detections = detector.detect(np.full((1, side, side, 3), 120, np.uint8))
    assert np.isfinite(detections.probabilities).all()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some frames of the packaged clip, as a user's folder of faces."""
    folder = tmp_path_factory.mktemp("faces")
    with open_source("clip") as source:
        for frame in source:
            if frame.index % 4 == 0:
                cv2.imwrite(str(folder / f"{frame.index:04}.png"), frame.image)
    return folder


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", ["drml", "drml-lcn", "mrpnet-mnv4s", "ustc-fixed"])
def test_its_integers_run_in_both_engines_of_a_board(
    tmp_path: Path, name: str, pictures: Path, nothing_packaged: None
) -> None:
    """A layer behind a whole feature map, a matrix for each place, a light stem, and tokens."""
    checkpoint = tmp_path / "seeded.safetensors"
    make_seeded_checkpoint(checkpoint, name, network_facts(name).labels)
    manifest = export_bundle(
        "raspberrypi",
        tmp_path / "bundle",
        checkpoint,
        calib=pictures,
        accepted=("one-person", "near-duplicates"),
    )
    made = {(artifact.runtime, artifact.precision): artifact for artifact in manifest.artifacts}
    for runtime in ("litert", "onnxruntime"):
        parity = made[runtime, "int8"].parity
        assert parity is not None
        # Logits of random weights lie around 0, so decisions say nothing of them.
        assert 0 < parity.max_abs_logit < 0.05
