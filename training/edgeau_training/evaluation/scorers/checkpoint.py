"""A checkpoint's network, run by torch on the CPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from edgeau._system.records import from_dict
from edgeau.bundle.manifest import InputSpec
from edgeau.errors import CheckpointError, RecordError
from edgeau.faces.alignment import Alignment
from edgeau_training.checkpoint import CheckpointInfo, load_checkpoint
from edgeau_training.evaluation.faces.batch import FaceBatch
from edgeau_training.evaluation.scorers.scorer import thresholds_of
from edgeau_training.evaluation.scorers.session import network_input

__all__ = ["CheckpointScorer", "alignment_of", "input_spec_of"]


def input_spec_of(info: CheckpointInfo) -> InputSpec:
    """Size, colour order and normalisation.

    Raises:
        CheckpointError: the checkpoint's input is described otherwise.
    """
    try:
        return from_dict(InputSpec, info.input, "input")
    except RecordError as error:
        raise _unusable(error) from error


def alignment_of(info: CheckpointInfo) -> Alignment:
    """The template of its crops.

    Raises:
        CheckpointError: it is described otherwise.
    """
    try:
        return Alignment.from_dict(info.alignment)
    except RecordError as error:
        raise _unusable(error) from error


def _unusable(error: RecordError) -> CheckpointError:
    return CheckpointError(
        f"the checkpoint does not say what its network takes ({error}); save it again with "
        "edgeau_training.checkpoint.save_checkpoint"
    )


class CheckpointScorer:
    """A network of the zoo with the weights of a ``.safetensors`` checkpoint.

    Raises:
        CheckpointError: the file is missing, damaged, or of another network.
    """

    needs_pictures = True

    def __init__(self, path: Path, threads: int) -> None:
        torch.set_num_threads(threads)
        self._network, info = load_checkpoint(path)
        self.alignment, self._spec = alignment_of(info), input_spec_of(info)
        self.provenance, self.licences = info.provenance, info.licences
        self.labels = info.labels
        self.thresholds = thresholds_of(info.labels, info.thresholds)
        self.name = path.name if info.trained else f"{path.name} (untrained)"

    def logits(self, batch: FaceBatch) -> NDArray[np.float32]:
        """See :class:`~edgeau_training.evaluation.scorers.scorer.Scorer`."""
        images = network_input(batch, self.alignment, self._spec)
        with torch.inference_mode():
            logits: NDArray[np.float32] = self._network(torch.from_numpy(images)).numpy()
        return logits

    def close(self) -> None:
        """Nothing is held beyond memory."""
