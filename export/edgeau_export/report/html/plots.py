"""Plots of a page, drawn as SVG: points, bars and lines, with the values in words for whoever cannot see them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from edgeau_export.report.html.axis import Axis, axis_for
from edgeau_export.report.html.html import COLOURS, DRAWING

__all__ = ["Bar", "Point", "bars", "points", "svg_file"]

_WIDTH, _HEIGHT = 560.0, 360.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 64.0, 20.0, 16.0, 48.0
_COLOURS = ("var(--one)", "var(--two)", "var(--three)", "var(--four)")
_ROW = 15.0
_BESIDE = 12.0  # a name from its point


@dataclass(frozen=True)
class Point:
    """A named point; points of the same ``series`` (0..3) share a colour, and are joined where that is asked for.

    One that is not ``named`` shows its name only to who points at it.
    """

    name: str
    x: float
    y: float
    series: int = 0
    named: bool = True


@dataclass(frozen=True)
class Bar:
    """A named group of values, one a series, each with the ends of its confidence interval or None."""

    name: str
    values: tuple[float, ...]
    intervals: tuple[tuple[float, float] | None, ...] = ()


def points(
    caption: str,
    data: Sequence[Point],
    x: str,
    y: str,
    *,
    logarithmic: tuple[bool, bool] = (False, False),
    joined: bool = False,
    from_zero: bool = False,
    legend: Sequence[str] = (),
) -> str:
    """Points on two axes.

    Args:
        caption: below the plot.
        data: at least one.
        x: words at the horizontal axis, with the unit.
        y: words at the vertical axis, with the unit.
        logarithmic: which axes are.
        joined: each series is a line from left to right.
        from_zero: the vertical axis starts at zero, so that heights can be compared; not with a logarithmic one.
        legend: names of the series.
    """
    horizontal = axis_for([p.x for p in data], _LEFT, _WIDTH - _RIGHT, logarithmic=logarithmic[0])
    vertical = axis_for(
        [p.y for p in data], _HEIGHT - _BOTTOM, _TOP, logarithmic=logarithmic[1], zero=from_zero
    )
    marks = [*_grid(horizontal, vertical, x, y)]
    if joined:
        marks += [_line(series, data, horizontal, vertical) for series in sorted({p.series for p in data})]
    marks += [_dot(point, horizontal, vertical) for point in data]
    marks += _counts(data, horizontal, vertical)
    marks += _labels(data, horizontal, vertical)
    words = "; ".join(f"{p.name}: {p.x:.4g}, {p.y:.4g}" for p in data if p.named)
    return _figure(caption, f"{x} against {y}. {words}", marks, _HEIGHT, legend)


def bars(
    caption: str, data: Sequence[Bar], x: str, legend: Sequence[str] = (), top: float | None = None
) -> str:
    """Horizontal bars, one group a row; they start at zero.

    Args:
        caption: below the plot.
        data: at least one.
        x: words at the axis, with the unit.
        legend: names of the series.
        top: end of the axis; None takes the largest value.
    """
    series = max(len(bar.values) for bar in data)
    group = series * _ROW + 8
    height = _TOP + group * len(data) + _BOTTOM
    left = _LEFT + 7 * max(0, max(len(bar.name) for bar in data) - 8)
    ends = [end for bar in data for interval in bar.intervals if interval for end in interval]
    values = [value for bar in data for value in bar.values] + ends
    axis = axis_for([0.0, top if top is not None else max(values)], left, _WIDTH - _RIGHT, zero=True)
    marks = []
    for value in axis.lines():
        at = axis.place(value)
        marks.append(
            f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{height - _BOTTOM:.1f}"/>'
        )
        marks.append(
            f'<text class="soft" x="{at:.1f}" y="{height - _BOTTOM + 16:.1f}" text-anchor="middle">{value:g}</text>'
        )
    for row, bar in enumerate(data):
        marks += _group(bar, axis, _TOP + row * group, left)
    marks.append(
        f'<text x="{(left + _WIDTH) / 2:.1f}" y="{height - 12:.1f}" text-anchor="middle">{escape(x)}</text>'
    )
    words = "; ".join(f"{bar.name}: {', '.join(f'{value:.4g}' for value in bar.values)}" for bar in data)
    return _figure(caption, words, marks, height, legend)


def _group(bar: Bar, axis: Axis, top: float, left: float) -> list[str]:
    middle = top + len(bar.values) * _ROW / 2 + 4
    marks = [f'<text x="{left - 8:.1f}" y="{middle:.1f}" text-anchor="end">{escape(bar.name)}</text>']
    for series, value in enumerate(bar.values):
        y, end = top + series * _ROW, axis.place(value)
        colour = _COLOURS[series % len(_COLOURS)]
        marks.append(
            f'<rect x="{axis.place(0):.1f}" y="{y:.1f}" width="{max(0.0, end - axis.place(0)):.1f}" height="{_ROW - 3:.1f}"'
            f' fill="{colour}"><title>{escape(bar.name)}: {value:.4g}</title></rect>'
        )
        interval = bar.intervals[series] if series < len(bar.intervals) else None
        if interval is not None:
            low, high = (axis.place(one) for one in interval)
            at = y + (_ROW - 3) / 2
            marks.append(f'<line class="axis" x1="{low:.1f}" x2="{high:.1f}" y1="{at:.1f}" y2="{at:.1f}"/>')
    return marks


def _grid(horizontal: Axis, vertical: Axis, x: str, y: str) -> list[str]:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    marks = []
    for value in horizontal.lines():
        at = horizontal.place(value)
        marks.append(f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{bottom}"/>')
        marks.append(
            f'<text class="soft" x="{at:.1f}" y="{bottom + 16}" text-anchor="middle">{value:g}</text>'
        )
    for value in vertical.lines():
        at = vertical.place(value)
        marks.append(f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>')
        marks.append(
            f'<text class="soft" x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{value:g}</text>'
        )
    marks.append(
        f'<text x="{(_LEFT + right) / 2}" y="{_HEIGHT - 10}" text-anchor="middle">{escape(x)}</text>'
    )
    middle = (_TOP + bottom) / 2
    marks.append(
        f'<text x="14" y="{middle}" text-anchor="middle" transform="rotate(-90 14 {middle})">{escape(y)}</text>'
    )
    return marks


def _line(series: int, data: Sequence[Point], horizontal: Axis, vertical: Axis) -> str:
    members = sorted((p for p in data if p.series == series), key=lambda p: p.x)
    path = " ".join(f"{horizontal.place(p.x):.1f},{vertical.place(p.y):.1f}" for p in members)
    return f'<polyline points="{path}" fill="none" stroke="{_COLOURS[series % len(_COLOURS)]}" stroke-width="1.5"/>'


def _dot(point: Point, horizontal: Axis, vertical: Axis) -> str:
    colour = _COLOURS[point.series % len(_COLOURS)]
    x, y = horizontal.place(point.x), vertical.place(point.y)
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{colour}">'
        f"<title>{escape(point.name)}: {point.x:.4g}, {point.y:.4g}</title></circle>"
    )


def _counts(data: Sequence[Point], horizontal: Axis, vertical: Axis) -> list[str]:
    """Count, in a ring, the named points that share a place, where more than one does: a later one hides those before it."""
    places = Counter((round(horizontal.place(p.x)), round(vertical.place(p.y))) for p in data if p.named)
    return [
        f'<circle cx="{x}" cy="{y}" r="8.5" fill="var(--paper)" stroke="var(--ink)"/>'
        f'<text x="{x}" y="{y + 4}" text-anchor="middle">{count}</text>'
        for (x, y), count in places.items()
        if count > 1
    ]


def _labels(data: Sequence[Point], horizontal: Axis, vertical: Axis) -> list[str]:
    """Names beside the points; one that would cover another is moved down, and left out when that fails."""
    taken: list[tuple[float, float, float]] = []
    marks = []
    for point in sorted((p for p in data if p.named), key=lambda p: vertical.place(p.y)):
        x, y = horizontal.place(point.x), vertical.place(point.y) + 4
        width = 6.4 * len(point.name)
        after = x + _BESIDE + width < _WIDTH
        left = x + _BESIDE if after else x - _BESIDE - width
        for _ in range(8):
            if not any(abs(y - b) < 13 and left < r and left + width > a for a, r, b in taken):
                break
            y += 13
        else:
            continue  # the point's own title still says it
        taken.append((left, left + width, y))
        anchor = "start" if after else "end"
        at = x + _BESIDE if after else x - _BESIDE
        marks.append(
            f'<text class="halo" x="{at:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(point.name)}</text>'
        )
    return marks


def _figure(caption: str, words: str, marks: Sequence[str], height: float, legend: Sequence[str]) -> str:
    key = " ".join(
        f'<span style="color:{_COLOURS[i % len(_COLOURS)]}">\N{BLACK SQUARE}</span> {escape(name)}'
        for i, name in enumerate(legend)
    )
    below = f"{escape(caption)}{'<br>' + key if key else ''}"
    return (
        f'<figure><svg viewBox="0 0 {_WIDTH:g} {height:g}" role="img" aria-label="{escape(words, quote=True)}">'
        f"{''.join(marks)}</svg><figcaption>{below}</figcaption></figure>"
    )


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
