"""Crops and what every artifact answered to them: the file format that golden answers and labelled samples share.

File layout (``.npz``, no pickles): ``crops`` uint8 ``(n, size, size, 3)`` RGB; for each kind of answer and each artifact
``<kind>/<file>`` with n rows; any further arrays under names without a slash.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau._system.atomic_file import write_whole
from edgeau._system.npz import SMALL, read_npz
from edgeau.errors import NpzError

__all__ = ["AnsweredCrops", "read_answered_crops", "write_answered_crops"]


@dataclass(frozen=True)
class AnsweredCrops:
    """The content of such a file.

    Attributes:
        crops: uint8 ``(n, size, size, 3)`` RGB.
        answers: by kind (``"logits"``, ``"decisions"``) and artifact file, arrays of n rows.
        others: further arrays by name.
    """

    crops: NDArray[np.uint8]
    answers: Mapping[str, Mapping[str, NDArray[Any]]]
    others: Mapping[str, NDArray[Any]] = field(default_factory=dict)


def write_answered_crops(file: Path, content: AnsweredCrops) -> None:
    """Write a file, whole or not at all; the same content gives the same bytes.

    Raises:
        OutputError: it cannot be written.
    """
    arrays: dict[str, NDArray[Any]] = {"crops": content.crops, **content.others}
    files = dict.fromkeys(name for by_file in content.answers.values() for name in by_file)
    for name in files:
        arrays |= {f"{kind}/{name}": by_file[name] for kind, by_file in content.answers.items()}
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    write_whole(file, stream.getvalue())


def read_answered_crops(file: Path, kinds: Collection[str], others: Collection[str] = ()) -> AnsweredCrops:
    """Read a file.

    Args:
        file: written by :func:`write_answered_crops`.
        kinds: of answers; every artifact must have each of them.
        others: further arrays that must be there.

    Raises:
        NpzError: the file is missing, damaged, or something else.
    """
    arrays = read_npz(file, ("crops", *others), SMALL)
    crops = arrays["crops"]
    if crops.dtype != np.uint8 or crops.ndim != 4 or crops.shape[3] != 3:
        raise NpzError(f"its crops are {crops.dtype} {crops.shape}, expected uint8 (n, size, size, 3)")
    answers = {
        kind: {name.partition("/")[2]: array for name, array in arrays.items() if name.startswith(f"{kind}/")}
        for kind in kinds
    }
    for kind, by_file in answers.items():
        for name, array in by_file.items():
            if array.ndim != 2 or len(array) != len(crops):
                raise NpzError(
                    f"{kind} of {name or 'the float network'} are {array.shape} for {len(crops)} crops"
                )
            missing = [other for other in kinds if name not in answers[other]]
            if missing:
                raise NpzError(f"it has {kind} of {name} and no {', '.join(missing)}")
    return AnsweredCrops(crops, answers, {name: arrays[name] for name in others})
