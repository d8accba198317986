"""Files that only the board runs, in a program that is not Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import EngineError
from edgeau.runtimes.session import EngineInfo, Session

__all__ = ["BoardOnlySession"]


class BoardOnlySession(Session):
    """No session: a file that was compiled for an NPU, which this library does not drive.

    Raises:
        EngineError: always; the message says what runs the file.
    """

    def __init__(self, file: Path, *, threads: int | None = None, provider: str | None = None) -> None:
        del threads, provider
        raise EngineError(
            f"{file.name} was compiled for a board's NPU and runs there only, in a program with the NPU's own library "
            "(docs/bundle-format.md says how it is fed); choose another artifact of the bundle here"
        )

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:  # noqa: D102
        raise NotImplementedError

    def describe(self) -> EngineInfo:  # noqa: D102
        raise NotImplementedError

    def close(self) -> None:  # noqa: D102
        raise NotImplementedError
