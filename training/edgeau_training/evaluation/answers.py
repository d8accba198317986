"""Decisions on pictures as a file: that which a challenge takes, or a table like one's own labels."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from edgeau._system.atomic_file import write_whole
from edgeau.errors import UsageError
from edgeau_training.datasets.aff_wild2 import LABELS as AFF_WILD2
from edgeau_training.evaluation.predictions import Predictions
from edgeau_training.postprocessing.aff_wild2_submission import write_aff_wild2_submission
from edgeau_training.postprocessing.emotionet_submission import write_emotionet_submission

__all__ = ["check_answers", "write_answers"]


def check_answers(path: Path, data_set: str | None, sample: Path | None) -> None:
    """Refuse before any work what could not be written after it.

    Args:
        path: file of the answers.
        data_set: that the pictures are of; None for a plain folder or table.
        sample: the list of frames that ABAW's organisers give, or None.

    Raises:
        UsageError: the kind of file does not belong to this data, or the list is missing.
    """
    kinds = {"aff-wild2": (".txt",), "emotionet": (".npy", ".csv")}.get(data_set or "", (".csv",))
    if path.suffix not in kinds:
        raise UsageError(
            f"--answers {path.name}: answers on {data_set or 'pictures of your own'} are a {' or a '.join(kinds)} file"
        )
    if data_set == "aff-wild2" and sample is None:
        raise UsageError(
            "answers on aff-wild2 need --sample, the organisers' list of frames (..._sample.txt)"
        )


def write_answers(
    path: Path, data_set: str | None, names: Sequence[str], predictions: Predictions, sample: Path | None
) -> str:
    """Write the decisions, whole or not at all.

    Args:
        path: see :func:`check_answers`.
        data_set: that the pictures are of; None for a plain folder or table.
        names: N pictures.
        predictions: for them, in their order.
        sample: see :func:`check_answers`.

    Returns:
        What was written, for people.

    Raises:
        UsageError: the model lacks a label that the challenge asks for, or names do not fit it.
        OutputError: the place cannot be written to.
    """
    decisions = predictions.decisions
    if data_set == "aff-wild2" and sample is not None:
        missing = [label for label in AFF_WILD2 if label not in predictions.labels]
        if missing:
            raise UsageError(
                f"answers on aff-wild2 are about {len(AFF_WILD2)} AUs; the model lacks {', '.join(missing)}"
            )
        filled = write_aff_wild2_submission(path, sample, names, predictions.select(AFF_WILD2).decisions)
        return f"{path}: every frame that {sample.name} lists, {filled} of them by their neighbours"
    if data_set == "emotionet":
        write_emotionet_submission(path, names, predictions.labels, decisions)
    else:
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(("picture", *predictions.labels))
        table.writerows((name, *map(int, row)) for name, row in zip(names, decisions, strict=True))
        write_whole(path, text.getvalue().encode())
    return f"{path}: {len(names)} pictures, {len(predictions.labels)} labels"
