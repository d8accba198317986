"""Puts what a benchmark printed between two marks of a page, so that the page can be made again."""

from __future__ import annotations

from pathlib import Path

from edgeau._system.atomic_file import write_whole
from edgeau.errors import InputError

__all__ = ["write_part"]


def write_part(page: Path, name: str, text: str) -> None:
    """Replace what stands between ``<!-- begin: name -->`` and ``<!-- end: name -->``.

    Raises:
        InputError: the page has no such marks.
    """
    begin, end = f"<!-- begin: {name} -->", f"<!-- end: {name} -->"
    before, found, rest = page.read_text("utf-8").partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise InputError(f"{page} has no lines {begin} and {end} to write between")
    write_whole(page, f"{before}{begin}\n\n{text}\n\n{end}{after}".encode())
