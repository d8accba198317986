"""Names beside the points of a plot: one of its own where there is room, a joined one where points share a place."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence

from matplotlib.axes import Axes
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

from edgeau_export.report.html.inline_svg import COLOUR

__all__ = ["places", "write_names"]

_NEAR = 7.0  # units of the drawing; points that are nearer share a place
_FIRST, _STEP, _STEPS = 9.0, 9.0, 9  # distances from the point that are tried
_RING = 2.5  # further away for every point that shares the place
_MARK, _SLACK = 4.0, 2.0  # half of a mark; room above and below the letters of a name
_UNCLEAR = 40.0  # as much area: a name that is nearer to another point than to its own
_WIDE = 24  # characters of a line of a joined name
# Directions that are tried, the usual one first: beside, above or below, and between.
_BESIDE, _ABOVE, _BETWEEN = ((1, 0), (-1, 0)), ((0, 1), (0, -1)), ((1, 1), (1, -1), (-1, 1), (-1, -1))
_ANCHORS = {1: ("left", "bottom"), -1: ("right", "top"), 0: ("center", "center")}

Named = tuple[str, float, float]


def places(axes: Axes, data: Sequence[tuple[float, float]]) -> list[int]:
    """For every point how many before it share its place.

    Args:
        axes: with the limits that they are drawn with.
        data: ``(x, y)``, each.
    """
    at = [_position(axes, x, y) for x, y in data]
    return [sum(math.dist(one, other) < _NEAR for other in at[:number]) for number, one in enumerate(at)]


def write_names(axes: Axes, data: Sequence[Named], *, above: bool = False) -> None:
    """Write every name beside its point, or on a line to it, where it covers neither a point nor another name.

    Args:
        axes: with the limits that the points are drawn with.
        data: ``(name, x, y)``, each.
        above: above and below are tried first, for points on a line from left to right.
    """
    directions = (*_ABOVE, *_BESIDE, *_BETWEEN) if above else (*_BESIDE, *_ABOVE, *_BETWEEN)
    groups: list[list[Named]] = []
    for one in sorted(data, key=lambda one: (*_position(axes, *one[1:]), one[0])):
        near = (
            group
            for group in groups
            if math.dist(_position(axes, *group[0][1:]), _position(axes, *one[1:])) < _NEAR
        )
        found = next(near, None)
        if found is None:
            groups.append([one])
        else:
            found.append(one)
    marks = [_position(axes, x, y) for _, x, y in data]
    names: list[Bbox] = []
    for group in sorted(groups, key=lambda group: -group[0][2]):
        names.append(_write(axes, group, marks, names, directions))


def _write(
    axes: Axes,
    group: Sequence[Named],
    marks: Sequence[tuple[float, float]],
    names: Sequence[Bbox],
    directions: Sequence[tuple[int, int]],
) -> Bbox:
    words = "\n".join(textwrap.wrap(", ".join(name for name, _, _ in group), _WIDE))
    _, x, y = group[0]
    own = _position(axes, x, y)
    others = [mark for mark in marks if math.dist(mark, own) >= _NEAR]
    best: tuple[float, Annotation, Bbox] | None = None
    for offset in _offsets(_FIRST + _RING * (len(group) - 1), directions):
        name = _annotation(axes, words, (x, y), offset)
        box = name.get_window_extent().padded(0, -_SLACK)
        cost = (
            _outside(box, axes)
            + sum(_shared(box, other) for other in names)
            + sum(_shared(box, _around(*mark)) for mark in marks)
            + sum(_UNCLEAR for mark in others if _apart(box, mark) <= _apart(box, own))
        )
        if best is not None and cost >= best[0]:
            name.remove()
            continue
        if best is not None:
            best[1].remove()
        best = (cost, name, box)
        if cost == 0:
            break
    assert best is not None
    return best[2]


def _offsets(nearest: float, directions: Sequence[tuple[int, int]]) -> Iterator[tuple[float, float]]:
    for step in range(_STEPS):
        length = nearest + step * _STEP
        for right, up in directions:
            share = length / math.hypot(right, up)
            yield right * share, up * share


def _annotation(
    axes: Axes, words: str, point: tuple[float, float], offset: tuple[float, float]
) -> Annotation:
    beside, above = (0 if abs(one) < 1 else math.copysign(1, one) for one in offset)
    far = math.hypot(*offset) > _FIRST + _STEP
    name = axes.annotate(
        words,
        point,
        xytext=offset,
        textcoords="offset points",
        horizontalalignment=_ANCHORS[int(beside)][0],
        verticalalignment=_ANCHORS[int(above)][1],
        arrowprops={"arrowstyle": "-", "color": COLOUR["soft"], "linewidth": 0.8, "shrinkA": 0, "shrinkB": 4}
        if far
        else None,
    )
    name.set_in_layout(False)
    return name


def _position(axes: Axes, x: float, y: float) -> tuple[float, float]:
    across, up = axes.transData.transform((x, y))
    return float(across), float(up)


def _around(across: float, up: float) -> Bbox:
    return Bbox.from_extents(across - _MARK, up - _MARK, across + _MARK, up + _MARK)


def _apart(box: Bbox, mark: tuple[float, float]) -> float:
    """Distance of a point from a box."""
    across = max(box.x0 - mark[0], 0.0, mark[0] - box.x1)
    return math.hypot(across, max(box.y0 - mark[1], 0.0, mark[1] - box.y1))


def _shared(first: Bbox, second: Bbox) -> float:
    """Area that both cover."""
    both = Bbox.intersection(first, second)
    return 0.0 if both is None else both.width * both.height


def _outside(box: Bbox, axes: Axes) -> float:
    """Area outside of the axes."""
    inside = Bbox.intersection(box, axes.bbox)
    return box.width * box.height - (0.0 if inside is None else inside.width * inside.height)
