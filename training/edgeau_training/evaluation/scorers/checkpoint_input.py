"""What a checkpoint says about its input, as the device library's records."""

from __future__ import annotations

from edgeau._system.records import from_dict
from edgeau.bundle.manifest import InputSpec
from edgeau.errors import CheckpointError, RecordError
from edgeau.faces.alignment import Alignment
from edgeau_training.checkpoint import CheckpointInfo

__all__ = ["alignment_of", "input_spec_of"]


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
