"""Answers of parts within a network, on the way to its own: maps and tables. Imports no torch, for the pages that show them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["InnerMap", "InnerTable"]


@dataclass(frozen=True)
class InnerMap:
    """Something that a network weighs by place.

    Attributes:
        name: short, for a file name.
        title: for people.
        values: float32 ``(H, W)``, cells of the network's map.
    """

    name: str
    title: str
    values: NDArray[np.float32]


@dataclass(frozen=True)
class InnerTable:
    """Something that a network weighs between AUs or branches.

    Attributes:
        title: for people.
        head: names of the columns.
        rows: cells of text.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
