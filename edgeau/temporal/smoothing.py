"""Smoothing of probabilities and intensities from one answer to the next, without a look ahead.

Two filters, each with the delay that it costs:

- :class:`Ema`, a first-order low-pass in continuous time: ``y += (1 - exp(-dt / tau)) (x - y)``. It lags ``tau`` seconds
  behind a slow change, at any frame rate.
- :class:`OneEuro`, whose low-pass opens with the speed of the signal: calm when little happens, quick when much does
  (Casiez, Roussel & Vogel, "1 euro filter: a simple speed-based low-pass filter for noisy input in interactive systems",
  CHI 2012, algorithms 1 and 2). It lags at most ``1 / (2 pi min_cutoff)`` seconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from edgeau.errors import UsageError
from edgeau.results import ActionUnit, Face
from edgeau.temporal.track_states import PerTrackFilter

__all__ = ["Ema", "Filter", "OneEuro", "Smoother", "Smoothing"]

# Ours. After a longer silence of an AU (it was refused, the face was gone) what came before says nothing any more.
_LONGEST_GAP_S = 1.0
_TURN = 2 * math.pi

Filter = Callable[[float, float], float]
"""Takes a value and its time in seconds, which must not go back; gives the smoothed value."""


class Smoothing(Protocol):
    """A kind of filter, with its settings."""

    @property
    def latency_s(self) -> float:
        """Largest lag of the smoothed value behind a slow change, seconds."""

    def start(self) -> Filter:
        """A filter that has seen nothing yet; its first answer is its first value."""


@dataclass(frozen=True)
class Ema:
    """Exponential moving average.

    Attributes:
        tau_s: time constant, seconds: after a step, 63 % of the way is done.
    """

    tau_s: float = 0.1

    def __post_init__(self) -> None:
        _positive(tau_s=self.tau_s)

    @property
    def latency_s(self) -> float:
        """``tau_s``: the lag behind a ramp, which for a first-order low-pass is its time constant."""
        return self.tau_s

    def start(self) -> Filter:
        """A filter that has seen nothing yet."""
        return _EmaFilter(self.tau_s)


@dataclass(frozen=True)
class OneEuro:
    """The one euro filter.

    Attributes:
        min_cutoff: cutoff when nothing moves, Hz: lower is calmer and slower.
        beta: how much the cutoff opens per unit of speed (Hz per unit/s): higher follows quick changes better.
        derivative_cutoff: derivative cutoff of the low-pass on the speed, Hz.
    """

    min_cutoff: float = 1.0
    beta: float = 2.0
    derivative_cutoff: float = 1.0

    def __post_init__(self) -> None:
        _positive(min_cutoff=self.min_cutoff, derivative_cutoff=self.derivative_cutoff)
        if not 0 <= self.beta < math.inf:
            raise UsageError(f"beta must be 0 or more, and finite, got {self.beta}")

    @property
    def latency_s(self) -> float:
        """``1 / (2 pi min_cutoff)``: the time constant when nothing moves; the faster the change, the less."""
        return 1 / (2 * math.pi * self.min_cutoff)

    def start(self) -> Filter:
        """A filter that has seen nothing yet."""
        return _OneEuroFilter(self)


class Smoother(PerTrackFilter[dict[str, "_UnitFilter"]]):
    """Smooths every AU of every track; a filter of :class:`~edgeau.pipeline.Pipeline`.

    An AU that is refused stays refused, and the filter waits; faces without a track (single pictures) stay as they are.
    Of an answer that is repeated because the network did not look again, the smoothed value is repeated.

    Args:
        smoothing: the kind of filter, with its settings.
        thresholds: AU label to decision threshold: decisions are made again on the smoothed probability. An AU that is not
            in here keeps its decision.
    """

    def __init__(
        self, smoothing: Smoothing | None = None, thresholds: Mapping[str, float] | None = None
    ) -> None:
        super().__init__(dict)
        self._smoothing = smoothing or OneEuro()
        self._thresholds = dict(thresholds or {})

    @property
    def latency_s(self) -> float:
        """Largest lag of the smoothed value behind a slow change, seconds."""
        return self._smoothing.latency_s

    def _face(self, face: Face, time_s: float, state: dict[str, _UnitFilter]) -> Face:
        read_s = time_s if face.aus_time_s is None else face.aus_time_s
        if face.aus_held_s is not None:  # the same answer, and true of a later frame
            read_s = face.aus_held_s
        return replace(face, aus={label: self._unit(unit, read_s, state) for label, unit in face.aus.items()})

    def _unit(self, unit: ActionUnit, read_s: float, filters: dict[str, _UnitFilter]) -> ActionUnit:
        if unit.probability is None:
            return unit
        known = filters.get(unit.name)
        if known is None or not 0 <= read_s - known.read_s <= _LONGEST_GAP_S:
            known = filters[unit.name] = _UnitFilter(self._smoothing)
        if read_s != known.read_s:
            known.take(unit, read_s)
        threshold = self._thresholds.get(unit.name)
        active = unit.active if threshold is None else known.probability >= threshold
        # Not dataclasses.replace: it takes twice as long, for every AU of every frame.
        return ActionUnit(
            unit.name,
            known.probability,
            active,
            known.intensity,
            unit.reason,
            unit.experimental,
            unit.raw_probability,
            known.left,
            known.right,
        )


class _UnitFilter:
    """The filters of one AU of one face, and what they said last."""

    def __init__(self, smoothing: Smoothing) -> None:
        self._of_probability, self._of_intensity = smoothing.start(), smoothing.start()
        self._of_left, self._of_right = smoothing.start(), smoothing.start()
        self.probability = 0.0
        self.intensity: float | None = None
        self.left: float | None = None
        self.right: float | None = None
        self.read_s = math.inf

    def take(self, unit: ActionUnit, read_s: float) -> None:
        assert unit.probability is not None
        self.read_s = read_s
        self.probability = _clipped(self._of_probability(unit.probability, read_s))
        self.intensity = self.left = self.right = None
        if unit.intensity is not None:
            self.intensity = _clipped(self._of_intensity(unit.intensity, read_s))
        if unit.left is not None and unit.right is not None:
            self.left = _clipped(self._of_left(unit.left, read_s))
            self.right = _clipped(self._of_right(unit.right, read_s))


class _EmaFilter:
    """``y += alpha (x - y)``."""

    __slots__ = ("_smooth", "_tau_s", "_time_s")

    def __init__(self, tau_s: float) -> None:
        self._tau_s, self._smooth = tau_s, 0.0
        self._time_s: float | None = None

    def __call__(self, value: float, time_s: float) -> float:
        before, self._time_s = self._time_s, time_s
        if before is None:
            self._smooth = value
        else:
            self._smooth += -math.expm1((before - time_s) / self._tau_s) * (value - self._smooth)
        return self._smooth


class _OneEuroFilter:
    """Algorithm 1 of the paper, both low-passes written out: some fifty of them run for each face of each frame."""

    __slots__ = ("_raw", "_settings", "_smooth", "_speed", "_time_s")

    def __init__(self, settings: OneEuro) -> None:
        self._settings = settings
        self._raw = self._smooth = self._speed = 0.0
        self._time_s: float | None = None

    def __call__(self, value: float, time_s: float) -> float:
        before, self._time_s = self._time_s, time_s
        if before is None:
            self._raw = self._smooth = value
            return value
        dt = time_s - before
        settings = self._settings
        speed = (value - self._raw) / dt if dt else 0.0
        # Equations 3 and 5 of the paper: 1 / (1 + tau / T) with tau = 1 / (2 pi cutoff).
        turns = _TURN * settings.derivative_cutoff * dt
        self._speed += turns / (1 + turns) * (speed - self._speed)
        turns = _TURN * (settings.min_cutoff + settings.beta * abs(self._speed)) * dt
        self._raw = value
        self._smooth += turns / (1 + turns) * (value - self._smooth)
        return self._smooth


def _clipped(value: float) -> float:
    """Within 0..1, which rounding may leave by some 1e-17."""
    return value if 0.0 <= value <= 1.0 else min(max(value, 0.0), 1.0)


def _positive(**values: float) -> None:
    for name, value in values.items():
        if not 0 < value < math.inf:
            raise UsageError(f"{name} must be above 0, and finite, got {value}")
