"""What a checkpoint says about its input, as the device library's records."""

from __future__ import annotations

from edgeau._system.records import from_dict
from edgeau.bundle.manifest import InputSpec
from edgeau.faces.alignment import Alignment
from edgeau_training.checkpoint import CheckpointInfo

__all__ = ["alignment_of", "input_spec_of"]


def input_spec_of(info: CheckpointInfo) -> InputSpec:
    """Size, colour order and normalisation.

    Raises:
        BundleError: the checkpoint's input is described otherwise.
    """
    return from_dict(InputSpec, info.input, "checkpoint: input")


def alignment_of(info: CheckpointInfo) -> Alignment:
    """The template of its crops."""
    return Alignment.from_dict(info.alignment)
