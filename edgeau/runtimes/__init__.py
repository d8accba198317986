"""Inference engines: one row of :mod:`edgeau.runtimes.table` and one session class each, imported when it is used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from edgeau._system.named_object import named_object
from edgeau.runtimes.table import runtime_named

if TYPE_CHECKING:  # it needs numpy, and edgeau-doctor reads the table where numpy cannot be imported
    from edgeau.runtimes.session import Session

__all__ = ["open_session"]


def open_session(
    runtime: str,
    file: Path,
    *,
    threads: int | None = None,
    provider: str | None = None,
    probabilities: bool = False,
) -> Session:
    """A session of an artifact.

    Args:
        runtime: a name in :func:`edgeau.runtimes.table.runtimes`.
        file: the artifact.
        threads: that one inference may use; None takes the runtime's default.
        provider: the engine's device or kernel library; None takes the runtime's default. What is asked for is what is
            got, or an error.
        probabilities: the file answers with them; the session gives their logits.

    Raises:
        EngineError: the runtime is not known, refuses the file, or does not have the provider.
        DependencyError: its package is not installed.
    """
    session = named_object(runtime_named(runtime).session)
    opened = cast("Session", session(file, threads=threads, provider=provider))
    if not probabilities:
        return opened
    from edgeau.runtimes.session import LogitSession

    return LogitSession(opened)
