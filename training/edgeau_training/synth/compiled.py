"""Compilation of array loops to machine code: numba is imported here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

__all__ = ["compiled"]

_Loop = TypeVar("_Loop", bound=Callable[..., object])


def compiled(loop: _Loop) -> _Loop:
    """The loop as machine code, kept on disk between runs.

    No fast-math: pictures must be the same to the byte wherever the same machine code runs.
    """
    return cast("_Loop", numba.njit(cache=True, error_model="numpy")(loop))
