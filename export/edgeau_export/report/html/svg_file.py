"""A plot as a file of its own, for pages that are not made here."""

from __future__ import annotations

import re

from edgeau_export.report.html.style import COLOURS, DRAWING

__all__ = ["svg_file"]

_SVG = re.compile(r"<svg (viewBox=\"0 0 (\S+) (\S+)\"[^>]*)>(.*)</svg>", re.DOTALL)


def svg_file(figure: str) -> str:
    """The drawing of a figure of :mod:`edgeau_export.report.html.plots`, without its caption, as an SVG document.

    Raises:
        ValueError: there is no such drawing in it.
    """
    found = _SVG.search(figure)
    if found is None:
        raise ValueError("the figure holds no drawing of edgeau_export.report.html.plots")
    attributes, width, height, marks = found.groups()
    # A line an element, so that a change of one value is one line of a diff.
    lines = marks.replace("><", ">\n<")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" {attributes}>\n'
        f"<style>\n{COLOURS}{DRAWING}</style>\n"
        f'<rect width="{width}" height="{height}" fill="var(--paper)"/>\n{lines}\n</svg>\n'
    )
