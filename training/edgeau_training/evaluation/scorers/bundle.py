"""A bundle: one of its artifacts, its landmark model, or both fused as its manifest says."""

from __future__ import annotations

from pathlib import Path

from edgeau.bundle import Bundle, load_bundle
from edgeau.bundle.manifest import Artifact
from edgeau.errors import UsageError
from edgeau.runtimes import open_session
from edgeau_training.evaluation.scorers.landmark import FusedScorer, LandmarkScorer
from edgeau_training.evaluation.scorers.scorer import Scorer, thresholds_of
from edgeau_training.evaluation.scorers.session import SessionScorer

__all__ = ["FUSED", "LANDMARK", "NETWORK", "scorer_of_bundle"]

NETWORK, LANDMARK, FUSED = "network", "landmark", "fused"


def scorer_of_bundle(path: Path, artifact: str | None, part: str | None, threads: int) -> Scorer:
    """The model that a bundle ships, or a part of it.

    Args:
        path: the bundle's folder.
        artifact: file, runtime (``"onnxruntime"``) or precision (``"int8"``); None takes the first.
        part: ``"network"``, ``"landmark"`` or ``"fused"``; None takes fused where the manifest says how, else network.
        threads: number of threads of the engine.

    Raises:
        BundleError: there is no bundle, or a file of it is damaged.
        EngineError: no artifact fits, or its engine refuses it.
        UsageError: the bundle does not have the part.
    """
    bundle = load_bundle(path)
    part = part or (FUSED if bundle.manifest.fusion is not None else NETWORK)
    if part == LANDMARK:
        return LandmarkScorer(_landmark_file(bundle))
    chosen = bundle.artifacts(artifact)[0]
    if part == NETWORK:
        return _network(bundle, chosen, threads)
    fusion, labels = bundle.manifest.fusion, bundle.manifest.labels
    if fusion is None:
        raise UsageError(f"bundle {path} fuses nothing (its manifest has no fusion); choose --part network")
    fitted = chosen.thresholds if chosen.fused_thresholds is None else chosen.fused_thresholds
    landmark = LandmarkScorer(_landmark_file(bundle))
    return FusedScorer(_network(bundle, chosen, threads), landmark, fusion, thresholds_of(labels, fitted))


def _landmark_file(bundle: Bundle) -> Path:
    if bundle.manifest.landmark_model is None:
        raise UsageError(f"bundle {bundle.directory} carries no landmark model; choose --part network")
    return bundle.path(bundle.manifest.landmark_model)


def _network(bundle: Bundle, artifact: Artifact, threads: int) -> Scorer:
    manifest = bundle.manifest
    trained = "" if manifest.network.trained else " (untrained)"
    return SessionScorer(
        f"{bundle.directory.name}/{artifact.file}{trained}",
        open_session(
            artifact.runtime,
            bundle.path(artifact.file),
            threads=threads,
            probabilities=artifact.answers == "probabilities",
        ),
        manifest.labels,
        spec=manifest.input,
        alignment=manifest.alignment,
        thresholds=thresholds_of(manifest.labels, artifact.thresholds),
        provenance=manifest.network.provenance,
        licences=manifest.licences,
    )
