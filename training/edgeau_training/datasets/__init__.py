"""Labelled face data: one file a data set, each giving aligned crops with occurrence labels and their mask.

Names map to readers; a reader turns a data set's own files into :class:`~.labelled_frames.LabelledFrames` and knows its
folds. Pictures that are not aligned yet go through :func:`~.preparation.prepare` once; then :class:`~.crops.FileCrops`
opens them for a trainer.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, cast

from edgeau.errors import UsageError
from edgeau_training.by_name import build_by_name
from edgeau_training.datasets.labelled_frames import LabelledFrames
from edgeau_training.folds.fold import Fold

__all__ = ["DATA_SETS", "LICENCES", "DataSet", "open_data_set", "reader_options"]

# name -> "module:class"
DATA_SETS: dict[str, str] = {
    "aff-wild2": "edgeau_training.datasets.aff_wild2:AffWild2",
    "bp4d": "edgeau_training.datasets.bp4d:BP4D",
    "disfa": "edgeau_training.datasets.disfa:DISFA",
    "emotionet": "edgeau_training.datasets.emotionet:EmotioNet",
    "pictures": "edgeau_training.datasets.picture_table:PictureTable",
}


# What goes with weights that learned from a licensed set, into checkpoint and manifest.
LICENCES: dict[str, str] = {
    "aff-wild2": "trained on Aff-Wild2, whose agreement allows non-commercial research only",
    "bp4d": "trained on BP4D, whose agreement allows non-commercial research only",
    "disfa": "trained on DISFA, whose agreement allows non-commercial research only",
    "emotionet": "trained on EmotioNet, whose agreement allows non-commercial research only",
}


class DataSet(Protocol):
    """Interface of every data set reader to the trainer."""

    @property
    def labels(self) -> tuple[str, ...]:
        """AU labels, ascending."""

    @property
    def folds(self) -> tuple[str, ...]:
        """Names of its published or chosen divisions."""

    def read(self) -> LabelledFrames:
        """Every labelled frame; no picture is opened.

        Raises:
            InputError: a file is missing or damaged; the message names it and its row.
        """

    def fold(self, frames: LabelledFrames, name: str) -> Fold:
        """The rows that train and the rows that test in one of :attr:`folds`, for what :meth:`read` gave."""


def open_data_set(name: str, root: Path, **options: Any) -> DataSet:
    """A data set by name.

    Args:
        name: a key of :data:`DATA_SETS`.
        root: its folder.
        options: options of its class.

    Raises:
        UsageError: the name is not known, or an option does not fit.
    """
    return cast("DataSet", build_by_name("data set", DATA_SETS, name, root, **options))


def reader_options(given: Sequence[str]) -> dict[str, Any]:
    """``name=value`` of a command line as a reader takes it: numbers and true or false as such, several values between commas.

    Raises:
        UsageError: a text is not written so.
    """
    options: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise UsageError(
                f"option {text!r} of a data set: options are written name=value, such as coding=list.txt"
            )
        words = [_plain(word) for word in value.split(",")]
        options[name] = words if len(words) > 1 else words[0]
    return options


def _plain(value: str) -> Any:
    if value in ("true", "false"):
        return value == "true"
    return int(value) if value.isdigit() else value
