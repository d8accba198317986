"""The answers that the EmotioNet challenge takes: 60 whole numbers a picture, by AU number, 999 where nothing is predicted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau._system.atomic_file import atomic_path, write_whole
from edgeau.action_units.names import au_number
from edgeau.errors import UsageError

__all__ = ["NOT_PREDICTED", "answer_vectors", "picture_tag", "write_emotionet_submission"]

NOT_PREDICTED = 999
_AUS = 60


def answer_vectors(labels: Sequence[str], decisions: NDArray[np.bool_]) -> NDArray[np.int64]:
    """int64 ``(N, 60)``: the decision on AU k stands at k - 1, all else is 999.

    Args:
        labels: C AU labels.
        decisions: boolean ``(N, C)``.

    Raises:
        UsageError: an AU number is above 60.
    """
    places = np.array([au_number(label) - 1 for label in labels])
    if places.max(initial=0) >= _AUS:
        raise UsageError(f"the EmotioNet challenge knows AU1 to AU{_AUS}, not {labels[int(places.argmax())]}")
    vectors = np.full((len(decisions), _AUS), NOT_PREDICTED, np.int64)
    vectors[:, places] = decisions
    return vectors


def picture_tag(name: str) -> str:
    """Derive the challenge's tag of a picture: the digits after the last ``_`` of its name, ``N_000012.jpg`` is ``000012``."""
    return Path(name).stem.rsplit("_", 1)[-1]


def write_emotionet_submission(
    path: Path, pictures: Sequence[str], labels: Sequence[str], decisions: NDArray[np.bool_]
) -> None:
    """Writes the answers, whole or not at all.

    Args:
        path: ``.npy``, the challenge's template (a dict of tag to 60 numbers, which numpy stores pickled: only send it,
            never open somebody else's), or ``.csv`` with the tag and 60 numbers a row, which anything reads.
        pictures: N file names.
        labels: C AU labels.
        decisions: boolean ``(N, C)``.

    Raises:
        UsageError: another kind of file is asked for, or two pictures have the same tag.
        OutputError: the place cannot be written to.
    """
    tags = [picture_tag(name) for name in pictures]
    if len(set(tags)) != len(tags):
        raise UsageError("two pictures have the same tag, so that one answer would replace the other")
    vectors = answer_vectors(labels, decisions).tolist()
    if path.suffix == ".npy":
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.save(file, np.array(dict(zip(tags, vectors, strict=True)), object))
    elif path.suffix == ".csv":
        rows = (",".join(map(str, (tag, *vector))) for tag, vector in zip(tags, vectors, strict=True))
        write_whole(path, "".join(f"{row}\n" for row in rows).encode())
    else:
        raise UsageError(f"{path.name}: an EmotioNet submission is a .npy or a .csv")
