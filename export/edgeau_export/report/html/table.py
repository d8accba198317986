"""Tables of a page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

__all__ = ["number", "percent", "signed", "table"]

_WORDS = 28  # a cell that is longer holds words, and may wrap


def table(head: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str] = ()) -> str:
    """A table that scrolls in its own box where it is wide.

    Args:
        head: one cell a column, plain text.
        rows: as many cells each, plain text.
        notes: below it.
    """
    cells = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "\n".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in rows)
    below = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return (
        f'<div class="wide" tabindex="0"><table>\n<thead><tr>{cells}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>'
        + (f'\n<ul class="notes">{below}</ul>' if below else "")
    )


def _cell(text: str) -> str:
    return f'<td class="words">{escape(text)}</td>' if len(text) > _WORDS else f"<td>{escape(text)}</td>"


def number(value: float | None, digits: int) -> str:
    """With so many digits after the point."""
    return "-" if value is None else f"{value:.{digits}f}"


def signed(value: float | None, digits: int) -> str:
    """The same with its sign."""
    return "-" if value is None else f"{value:+.{digits}f}"


def percent(value: float | None, digits: int) -> str:
    """A share 0..1 in percent."""
    return "-" if value is None else f"{value:.{digits}%}"
