"""The progress bar of everything that takes long: tqdm's, on a terminal only, and not under ``--quiet``."""

from __future__ import annotations

from typing import Any

__all__ = ["progress_bar", "show_progress"]

_shown = True


def show_progress(shown: bool) -> None:
    """Show the bars that are made from now on, or do not, in the whole process."""
    global _shown  # noqa: PLW0603 - one process has one terminal
    _shown = shown


def progress_bar(*arguments: Any, hidden: bool = False, **options: Any) -> Any:
    """Make a bar of tqdm, with its arguments; it shows nothing where stderr is not a terminal.

    Args:
        arguments: positional arguments of ``tqdm``, such as what to iterate over.
        hidden: True shows nothing, such as with ``--json``.
        options: named arguments of ``tqdm``: ``total``, ``desc``, ``unit``, ``leave``.

    Returns:
        A ``tqdm.tqdm``.
    """
    from tqdm import tqdm

    return tqdm(*arguments, disable=True if hidden or not _shown else None, dynamic_ncols=True, **options)
