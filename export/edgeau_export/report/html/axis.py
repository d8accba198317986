"""An axis of a plot: where a value stands, and at which values lines are drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Axis", "axis_for"]

_LINES = 5
_MARGIN = 0.08
_DECADES = 1e3  # a logarithmic axis that is shorter has lines at 1, 2 and 5, a longer one at powers of ten


@dataclass(frozen=True)
class Axis:
    """A linear or logarithmic axis from ``low`` to ``high``, drawn between two positions in pixels."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Position of a value, pixels; values outside stand at the edge."""
        low, high, at = (math.log10(one) if self.logarithmic else one for one in (self.low, self.high, value))
        share = min(1.0, max(0.0, (at - low) / (high - low)))
        return self.start + share * (self.end - self.start)

    def lines(self) -> list[float]:
        """Round values to draw lines at."""
        if self.logarithmic:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            steps = (1, 2, 5) if self.high / self.low < _DECADES else (1,)
            return [s * 10.0**p for p in powers for s in steps if self.low <= s * 10.0**p <= self.high]
        rough = (self.high - self.low) / _LINES
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
        first = math.ceil(self.low / step - 1e-9)
        return [step * n for n in range(first, math.floor(self.high / step + 1e-9) + 1)]


def axis_for(
    values: Sequence[float], start: float, end: float, *, logarithmic: bool = False, zero: bool = False
) -> Axis:
    """An axis with some room around the values.

    Args:
        values: finite; above zero on a logarithmic axis.
        start: position of its low end, pixels.
        end: position of its high end, pixels.
        logarithmic: powers of ten at equal distances.
        zero: starts at zero.
    """
    low, high = min(values), max(values)
    if logarithmic:
        room = max((high / low) ** _MARGIN, 1.3)
        return Axis(low / room, high * room, start, end, logarithmic=True)
    low = min(0.0, low) if zero else low
    room = _MARGIN * (high - low) or abs(high) * _MARGIN or 1.0
    return Axis(low if zero and low == 0 else low - room, high + room, start, end)
