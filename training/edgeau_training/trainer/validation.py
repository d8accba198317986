"""Validation: logits of held-out faces, and what they are worth."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from edgeau.metrics import macro_mean
from edgeau_training.augmentation import CropView
from edgeau_training.datasets.crops import LabelledCrops
from edgeau_training.evaluation.metrics import measure
from edgeau_training.evaluation.predictions import UNKNOWN, Predictions
from edgeau_training.postprocessing.soft_thresholds import soft_thresholds
from edgeau_training.trainer.batches import plain_images
from edgeau_training.trainer.process_group import ProcessGroup
from edgeau_training.trainer.student import Normaliser, Student

__all__ = ["evenly", "figures_of", "predict", "thresholds_by"]

_BATCH = 32

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


def evenly(count: int, wanted: int) -> NDArray[np.int64]:
    """About ``wanted`` of ``count`` rows, spread over all of them; 0 takes all."""
    if not wanted or wanted >= count:
        return np.arange(count)
    return np.linspace(0, count - 1, wanted).astype(np.int64)


def predict(
    student: Student,
    data: LabelledCrops,
    rows: NDArray[np.int64],
    view: CropView,
    normaliser: Normaliser,
    *,
    cells: int,
    processes: ProcessGroup,
    threads: int = 1,
) -> Predictions:
    """Predict centrally cut faces with a student, at thresholds of .5. Processes share the work and all get the answer.

    Args:
        student: in evaluation mode.
        data: labelled crops.
        rows: of them.
        view: resolution and field.
        normaliser: normaliser of the network.
        cells: see :class:`~edgeau_training.trainer.student.Student`.
        processes: those of the run.
        threads: batches computed at once.
    """

    def logits(images: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode(), processes.fabric.autocast():  # per thread
            return student.logits(normaliser(images.to(processes.device)), cells).float().cpu()

    share = rows[processes.rank :: processes.world]
    with ThreadPoolExecutor(threads, "predict") as pool:
        parts = list(_in_order(pool, logits, plain_images(data, share, view, _BATCH), 2 * threads))
    outputs = len(data.labels)
    mine = torch.cat(parts) if parts else torch.zeros(0, outputs)
    # After the pictures were read: of a damaged one nothing is known any more, and only the process that met it knows that.
    mask = _together(processes, torch.from_numpy(data.mask[share].astype(np.float32)), len(rows))
    known = mask > 0
    return Predictions(
        tuple(data.labels),
        _together(processes, mine, len(rows)),
        np.where(known, data.occurrence[rows], UNKNOWN).astype(np.int8),
        np.full(outputs, 0.5),
        data.group[rows].astype(np.int64),
    )


def _in_order(
    pool: Executor, function: Callable[[_Item], _Answer], items: Iterable[_Item], ahead: int
) -> Iterator[_Answer]:
    """``pool.map`` that takes at most ``ahead`` items which are not answered yet.

    The executor's own takes them all at once: where the network is slower than the reader, all pictures of a test side
    would wait in memory.
    """
    waiting: deque[Future[_Answer]] = deque()
    for item in items:
        waiting.append(pool.submit(function, item))
        if len(waiting) >= ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def thresholds_by(rule: str, predictions: Predictions) -> NDArray[np.float64]:
    """Thresholds fitted on predictions by a recipe's rule, float64 ``(C,)``."""
    if rule == "half":
        return np.full(len(predictions.labels), 0.5)
    return soft_thresholds([predictions], rule)


def figures_of(predictions: Predictions) -> dict[str, Any]:
    """Measure predictions at their thresholds, and at .5.

    Returns:
        ``faces``; ``f1``, ``f1_at_half``, ``accuracy``, ``auc`` (means over AUs) and ``score``, (accuracy + F1) / 2;
        ``per_au`` and ``thresholds``. None where the faces cannot say.
    """
    measured = measure(predictions)
    half = measure(predictions.with_thresholds(np.full(len(predictions.labels), 0.5)))
    f1, accuracy = macro_mean(measured.f1), macro_mean(measured.accuracy)
    columns = zip(predictions.labels, measured.f1, measured.accuracy, measured.auc, strict=True)
    return {
        "faces": len(predictions.logits),
        "f1": _number(f1),
        "f1_at_half": _number(macro_mean(half.f1)),
        "accuracy": _number(accuracy),
        "auc": _number(macro_mean(measured.auc)),
        "score": _number((accuracy + f1) / 2),
        "per_au": {
            label: {"f1": _number(f1), "accuracy": _number(accuracy), "auc": _number(auc)}
            for label, f1, accuracy, auc in columns
        },
        "thresholds": {
            label: round(float(value), 6)
            for label, value in zip(predictions.labels, predictions.thresholds, strict=True)
        },
    }


def _together(processes: ProcessGroup, mine: torch.Tensor, total: int) -> NDArray[np.float32]:
    """The processes' logits in the order of the rows that were dealt out to them."""
    if processes.world == 1:
        return np.asarray(mine.numpy(), np.float32)
    longest = -(-total // processes.world)
    padded = torch.zeros(longest, mine.shape[1])
    padded[: len(mine)] = mine
    gathered = processes.fabric.all_gather(padded.to(processes.device))
    assert isinstance(gathered, torch.Tensor)
    # (processes, faces, C) -> faces in turns
    return np.asarray(gathered.cpu().transpose(0, 1).reshape(-1, mine.shape[1])[:total].numpy(), np.float32)


def _number(value: float) -> float | None:
    """Rounded, or None where the faces cannot say."""
    return round(float(value), 4) if np.isfinite(value) else None
