"""Labelled faces to evaluate on; each kind of data set in its own file, all read in batches."""

from __future__ import annotations

from pathlib import Path

from edgeau.errors import InputError, UsageError
from edgeau_training.evaluation.faces.batch import FaceBatch, LabelledFaces
from edgeau_training.evaluation.faces.landmark_file import LandmarkFile
from edgeau_training.evaluation.faces.picture_folder import PictureFolder

__all__ = ["FaceBatch", "LabelledFaces", "open_faces"]


def open_faces(path: Path, split: str | None = None) -> LabelledFaces:
    """A labelled data set of whichever kind a path holds.

    Args:
        path: a synthetic data set's folder, a folder of pictures with a CSV file, a CSV file, or a landmark ``.npz``.
        split: ``"train"``, ``"val"`` or ``"test"``; None takes the test split of synthetic data, and all of a table.

    Raises:
        InputError: nothing is there, or it is none of these kinds.
        UsageError: a split of data that has none.
    """
    if (path / "dataset.json").is_file():
        # Reading Parquet needs a heavy package that landmark files do not.
        from edgeau_training.evaluation.faces.synthetic import SyntheticSplit

        return SyntheticSplit(path, "test" if split is None else split)
    if path.is_dir() or path.suffix in (".csv", ".json"):
        return PictureFolder(path, split)
    if split is not None:
        raise UsageError(f"--split {split} was given, but {path} has no splits")
    if path.suffix == ".npz":
        return LandmarkFile(path)
    kinds = "a synthetic data set, a folder of pictures with a CSV file, a CSV file, or an .npz of landmarks"
    raise InputError(
        f"--data {path} {'is of another kind' if path.exists() else 'does not exist'}; expected {kinds}"
    )
