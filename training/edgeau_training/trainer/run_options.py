"""Options of a run beside its recipe."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["RunOptions"]


@dataclass(frozen=True)
class RunOptions:
    """Options that are no part of a recipe.

    Attributes:
        resume: go on from the state in the run's folder.
        fold: division of the data set; "" for the recipe's.
        crops: folder of aligned crops; None for one in the run's folder.
        pretrained: file that the network starts from; ``{fold}`` in its name stands for the fold's.
        teacher: file of a teacher's answers to the training side; see :mod:`edgeau_training.trainer.teacher`.
        device: see :data:`~edgeau_training.trainer.process_group.DEVICES`.
        workers: threads that make the pictures of a batch.
        changed: go on from a state of another recipe or other data.
        svm: measure linear SVMs on the vector before the classifier as well.
    """

    resume: bool = False
    fold: str = ""
    crops: Path | None = None
    pretrained: Path | None = None
    teacher: Path | None = None
    device: str = "cpu"
    workers: int = 1
    changed: bool = False
    svm: bool = False
