"""Plots of a page: points, bars and ranges with their intervals, drawn by matplotlib, with their values in words as well."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from edgeau_export.report.html.inline_svg import COLOUR, drawing_settings, inline_svg, svg_file
from edgeau_export.report.html.point_names import places, write_names

__all__ = ["Bar", "Point", "Range", "bars", "points", "ranges", "svg_file"]

# User units of the drawing; with 72 of them an inch, one is a point of matplotlib.
_WIDTH, _HEIGHT, _INCH = 460.0, 340.0, 72.0
_ROW, _AROUND = 17.0, 64.0
_LEGEND = 24.0
_SERIES = ("one", "two", "three", "four")
_MARKERS = ("o", "s", "^", "D")
_SIZE, _SMALL, _RING = 6.5, 4.0, 5.0
_ROOM = 0.12  # of the span, at each end of an axis
_STEPS = (1, 2, 2.5, 5, 10)
_NAME = 30  # characters of a line of a name beside a row
_DECADES = 1e3  # a logarithmic axis that is shorter is labelled at 1, 2 and 5, a longer one at powers of ten


@dataclass(frozen=True)
class Point:
    """A named point; points of the same ``series`` (0..3) share a colour and a mark, and are joined where that is asked for.

    One that is not ``named`` shows its name only to who points at it. ``interval`` holds the ends of that of ``y``.
    """

    name: str
    x: float
    y: float
    series: int = 0
    named: bool = True
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Bar:
    """A named group of values, one a series, each with the ends of its confidence interval or None.

    ``parts`` are the values that a single value is the mean of; they are drawn as small marks on its bar.
    """

    name: str
    values: tuple[float, ...]
    intervals: tuple[tuple[float, float] | None, ...] = ()
    parts: tuple[float, ...] = ()


@dataclass(frozen=True)
class Range:
    """A named value, the ends of its confidence interval or None, and the ends of what was seen, or None."""

    name: str
    value: float
    interval: tuple[float, float] | None = None
    seen: tuple[float, float] | None = None


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
    level: float | None = None,
) -> str:
    """Points on two axes.

    Points that share a place stand in rings around each other, and their names stand together.

    Args:
        caption: below the plot.
        data: at least one.
        x: words at the horizontal axis, with the unit.
        y: words at the vertical axis, with the unit.
        logarithmic: which axes are.
        joined: each series is a line from left to right.
        from_zero: the vertical axis starts at zero, so that heights can be compared; not with a logarithmic one.
        legend: names of the series.
        level: a dashed line at this height; None for none.
    """
    with drawing_settings():
        figure, axes = _axes(_HEIGHT + (_LEGEND if legend else 0))
        _scales(axes, data, logarithmic, [] if level is None else [level], from_zero=from_zero)
        axes.set(xlabel=x, ylabel=y)
        if level is not None:
            axes.axhline(level, color=COLOUR["soft"], linestyle="--", linewidth=1)
        if joined:
            for series in sorted({point.series for point in data}):
                members = sorted((p for p in data if p.series == series), key=lambda p: p.x)
                axes.plot(
                    [p.x for p in members], [p.y for p in members], color=_colour(series), linewidth=1.5
                )
        _legend(figure, legend, _MARKERS)
        figure.draw_without_rendering()  # from here on it is known where a value stands
        hints: dict[str, str] = {}
        named = [point for point in data if point.named]
        ring = dict(zip(map(id, named), places(axes, [(p.x, p.y) for p in named]), strict=True))
        for number, point in enumerate(data):
            hints |= _mark(axes, point, ring.get(id(point), 0), f"mark{number}")
        write_names(axes, [(p.name, p.x, p.y) for p in named], above=joined)
        words = "; ".join(_point_words(point) for point in data if point.named)
        return _figure(figure, caption, f"{y} against {x}", f"{x}, {y}. {words}", hints)


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
    thick = 0.8 / series
    with drawing_settings():
        figure, axes = _rows(
            [bar.name for bar in data], max(_ROW, series * 0.75 * _ROW), x, legend=bool(legend)
        )
        hints: dict[str, str] = {}
        for row, bar in enumerate(data):
            for number, value in enumerate(bar.values):
                at = row + (number - (series - 1) / 2) * thick
                drawn = axes.barh(at, value, thick * 0.9, color=_colour(number))
                drawn.patches[0].set_gid(f"bar{row}-{number}")
                interval = bar.intervals[number] if number < len(bar.intervals) else None
                hints[f"bar{row}-{number}"] = f"{bar.name}: {value:.4g}{_interval_words(interval)}"
                if interval is not None:
                    _whisker(axes, at, interval)
            if bar.parts:
                axes.plot(
                    bar.parts,
                    [row] * len(bar.parts),
                    "|",
                    color=COLOUR["ink"],
                    markersize=_ROW * 0.5,
                )
        axes.set_xlim(0, top if top is not None else None)
        _legend(figure, legend, ("s",))
        words = "; ".join(_bar_words(bar, legend) for bar in data)
        return _figure(figure, caption, x, f"{x}. {words}", hints)


def ranges(caption: str, data: Sequence[Range], x: str) -> str:
    """One row a value: a mark at the value, a thick line over its interval, a thin one over what was seen; the axis starts at zero.

    Args:
        caption: below the plot.
        data: at least one.
        x: words at the axis, with the unit.
    """
    with drawing_settings():
        figure, axes = _rows([one.name for one in data], _ROW, x, legend=False)
        hints: dict[str, str] = {}
        for row, one in enumerate(data):
            if one.seen is not None:
                _whisker(axes, row, one.seen)
            if one.interval is not None:
                axes.plot(one.interval, (row, row), color=_colour(0), linewidth=5, solid_capstyle="butt")
            axes.plot(one.value, row, _MARKERS[0], color=_colour(0), markersize=_SIZE, gid=f"row{row}")
            hints[f"row{row}"] = f"{one.name}: {one.value:.4g}{_interval_words(one.interval)}"
        axes.set_xlim(0, None)
        words = "; ".join(hints.values())
        return _figure(figure, caption, x, f"{x}. {words}", hints)


def _axes(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_WIDTH / _INCH, height / _INCH), dpi=_INCH, layout="constrained")
    return figure, figure.subplots()


def _rows(names: Sequence[str], row: float, x: str, *, legend: bool) -> tuple[Figure, Axes]:
    """Axes with a name at each row, the first at the top."""
    wrapped = ["\n".join(textwrap.wrap(name, _NAME)) for name in names]
    lines = max((name.count("\n") for name in wrapped), default=0)
    height = len(names) * max(row * 1.25, (lines + 1) * _ROW) + _AROUND + (_LEGEND if legend else 0)
    figure, axes = _axes(height)
    axes.set_yticks(range(len(names)), wrapped)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=_STEPS))
    axes.xaxis.set_major_formatter(FuncFormatter(_tick))
    axes.set_xlabel(x, loc="right")  # it may be longer than the axis
    return figure, axes


def _scales(
    axes: Axes,
    data: Sequence[Point],
    logarithmic: tuple[bool, bool],
    heights: Sequence[float],
    *,
    from_zero: bool,
) -> None:
    across, up = logarithmic
    heights = [*heights, *(end for point in data for end in (point.y, *(point.interval or ())))]
    _scale(axes.xaxis, axes.set_xscale, axes.set_xlim, [point.x for point in data], logarithmic=across)
    _scale(axes.yaxis, axes.set_yscale, axes.set_ylim, heights, logarithmic=up)
    if from_zero:
        axes.set_ylim(bottom=0)


def _scale(
    axis: Axis,
    set_scale: Callable[[str], None],
    set_limits: Callable[[float, float], object],
    values: Sequence[float],
    *,
    logarithmic: bool,
) -> None:
    """Limits with some room around the values, and round numbers at the marks."""
    low, high = min(values), max(values)
    if logarithmic:
        set_scale("log")
        room = max((high / low) ** _ROOM, 1.3)
        set_limits(low / room, high * room)
        short = high * room * room / low < _DECADES
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if short else (1.0,)))
        axis.set_minor_locator(NullLocator())
    else:
        room = _ROOM * (high - low) or _ROOM * abs(high) or 1.0
        set_limits(low - room, high + room)
        axis.set_major_locator(MaxNLocator(6, steps=_STEPS))
    axis.set_major_formatter(FuncFormatter(_tick))


def _tick(value: float, _place: object) -> str:
    """A number as people write it: 0.05, 300, 20,000; a whole power above a million."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e7 else f"{value:.6g}"


def _mark(axes: Axes, point: Point, place: int, gid: str) -> dict[str, str]:
    """One point, the nth of its place as a ring around those before it, and its hint."""
    colour = _colour(point.series)
    if point.interval is not None:
        axes.plot((point.x, point.x), point.interval, color=colour, linewidth=1.5)
    axes.plot(
        point.x,
        point.y,
        _MARKERS[point.series % len(_MARKERS)],
        color=colour,
        fillstyle="full" if place == 0 else "none",
        markeredgewidth=1.4 if place else 0,
        markersize=(_SIZE if point.named else _SMALL) + _RING * place,
        gid=gid,
    )
    return {gid: _point_words(point)}


def _whisker(axes: Axes, row: float, ends: tuple[float, float]) -> None:
    axes.plot(ends, (row, row), "|-", color=COLOUR["ink"], linewidth=1, markersize=5)


def _legend(figure: Figure, names: Sequence[str], markers: Sequence[str]) -> None:
    if not names:
        return
    handles = [
        Line2D([], [], linestyle="", marker=markers[n % len(markers)], markersize=_SIZE, color=_colour(n))
        for n in range(len(names))
    ]
    figure.legend(handles, names, loc="outside upper left", ncols=len(names), borderpad=0, handletextpad=0.2)


def _colour(series: int) -> str:
    return COLOUR[_SERIES[series % len(_SERIES)]]


def _point_words(point: Point) -> str:
    return f"{point.name}: {point.x:.4g}, {point.y:.4g}{_interval_words(point.interval)}"


def _bar_words(bar: Bar, legend: Sequence[str]) -> str:
    said = [
        f"{legend[n] + ' ' if n < len(legend) else ''}{value:.4g}"
        f"{_interval_words(bar.intervals[n] if n < len(bar.intervals) else None)}"
        for n, value in enumerate(bar.values)
    ]
    return f"{bar.name}: {', '.join(said)}"


def _interval_words(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f" [{interval[0]:.4g} {interval[1]:.4g}]"


def _figure(figure: Figure, caption: str, title: str, words: str, hints: Mapping[str, str]) -> str:
    drawn = inline_svg(figure, title, words, hints)
    return f"<figure>{drawn}<figcaption>{escape(caption)}</figcaption></figure>"
