"""Models to evaluate: each kind of file in its own module, all answering with logits for a batch of faces."""

from __future__ import annotations

from pathlib import Path

from edgeau._system.did_you_mean import did_you_mean
from edgeau.bundle import PACKAGED, bundle_folder
from edgeau.errors import CheckpointError, UsageError
from edgeau_training.evaluation.scorers.bundle import FUSED, LANDMARK, NETWORK, scorer_of_bundle
from edgeau_training.evaluation.scorers.landmark import LandmarkScorer
from edgeau_training.evaluation.scorers.scorer import Scorer

__all__ = ["PARTS", "Scorer", "open_scorer"]

PARTS = (NETWORK, LANDMARK, FUSED)


def open_scorer(
    model: Path | str, artifact: str | None = None, part: str | None = None, threads: int = 1
) -> Scorer:
    """The model that a path or a packaged bundle's name holds.

    Args:
        model: a bundle's folder or, as text, the name of a packaged one, a checkpoint ``.safetensors``, an ``.onnx`` file, or a
            landmark model ``.npz``.
        artifact: artifact of a bundle; None takes its first.
        part: part of a bundle; None takes what it ships.
        threads: number of threads of the engine.

    Raises:
        UserError: nothing is there, it is of another kind, it is damaged, or the choice does not fit.
    """
    path = bundle_folder(model)
    if path.is_dir():
        return scorer_of_bundle(path, artifact, part, threads)
    if artifact or part:
        raise UsageError(
            f"{path} is a single model; an artifact or part can only be chosen from a bundle's folder"
        )
    if path.suffix == ".npz":
        return LandmarkScorer(path)
    # torch and onnxruntime are imported for the files that need them only.
    if path.suffix == ".onnx":
        from edgeau_training.evaluation.scorers.onnx_file import scorer_of_onnx

        return scorer_of_onnx(path, threads)
    if path.suffix == ".safetensors":
        from edgeau_training.evaluation.scorers.checkpoint import CheckpointScorer

        return CheckpointScorer(path, threads)
    state = "is of another kind" if path.exists() else "does not exist"
    raise CheckpointError(
        f"model {path} {state}; {did_you_mean(str(path), PACKAGED)}expected a bundle's folder, .safetensors, .onnx or a landmark .npz"
    )
