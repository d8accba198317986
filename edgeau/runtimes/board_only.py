"""Files that only the board runs, in a program that is not Python."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from edgeau.errors import EngineError

__all__ = ["refuse"]


def refuse(file: Path, *, threads: int | None = None, provider: str | None = None) -> NoReturn:  # noqa: ARG001
    """Stand where other runtimes have a session: this library does not drive NPUs.

    Raises:
        EngineError: always; the message says what runs the file.
    """
    raise EngineError(
        f"{file.name} was compiled for a board's NPU and runs there only, in a program with the NPU's own library "
        "(docs/bundle-format.md says how it is fed); choose another artifact of the bundle here"
    )
