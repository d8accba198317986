"""The state of a run on disk: all that a killed run needs to go on as if nothing had happened."""

from __future__ import annotations

import io
import pickle
import zipfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from edgeau._system.atomic_file import write_whole
from edgeau.errors import CheckpointError

__all__ = ["Place", "load_state", "save_state"]


@dataclass
class Place:
    """Position in the run.

    Attributes:
        step: optimiser steps done.
        stage: index of the current stage.
        stage_steps: steps done in it.
        stage_seconds: wall-clock seconds spent in it, over all processes.
        epoch: number of the current pass through the data, over all stages.
        stage_epoch: number of the pass in which the current stage began.
        taken: faces of this epoch already used.
        parts: names of the parts of the data that this epoch reads; more may appear while it runs.
        since: step and epoch in which the learning rate's schedule began.
        changes: what resumed runs were told to change, and when.
    """

    step: int = 0
    stage: int = 0
    stage_steps: int = 0
    stage_seconds: float = 0.0
    epoch: int = 0
    stage_epoch: int = 0
    taken: int = 0
    parts: list[str] = field(default_factory=list)
    since: list[int] = field(default_factory=lambda: [0, 0])
    changes: list[str] = field(default_factory=list)


def save_state(path: Path, place: Place, parts: dict[str, Any]) -> None:
    """Writes place and parts (state dicts, tensors, plain values); the file appears whole or not at all.

    Raises:
        OutputError: the folder cannot be written to.
    """
    content = io.BytesIO()
    torch.save({"place": asdict(place), **parts}, content)
    write_whole(path, content.getvalue())


def load_state(path: Path) -> tuple[Place, dict[str, Any]]:
    """Reads what :func:`save_state` wrote.

    Raises:
        CheckpointError: missing, damaged, or of another version.
    """
    if not path.is_file():
        raise CheckpointError(f"{path} does not exist, so there is nothing to resume; start without --resume")
    if not zipfile.is_zipfile(path):
        raise CheckpointError(
            f"{path} is not a training state; it is damaged, start without --resume in another --out"
        )
    try:
        # weights_only: the file may come from elsewhere, and nothing in it needs code.
        parts: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        place = Place(**parts.pop("place"))
    except (RuntimeError, EOFError, KeyError, TypeError, pickle.UnpicklingError) as error:
        raise CheckpointError(
            f"{path} is not a training state of this version ({error}); start without --resume"
        ) from error
    if not {"identity", "data", "labels"} <= parts.keys():
        raise CheckpointError(
            f"{path} was written by an older edgeau, which did not record the recipe and data of a run; start without --resume"
        )
    return place, parts
