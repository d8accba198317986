"""Figures of the page as text; what was not measured is a dash."""

from __future__ import annotations

__all__ = ["number", "percent", "signed"]


def number(value: float | None, digits: int) -> str:
    """With so many digits after the point."""
    return "-" if value is None else f"{value:.{digits}f}"


def signed(value: float | None, digits: int) -> str:
    """The same with its sign."""
    return "-" if value is None else f"{value:+.{digits}f}"


def percent(value: float | None, digits: int) -> str:
    """A share 0..1 in percent."""
    return "-" if value is None else f"{value:.{digits}%}"
