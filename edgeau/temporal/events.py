"""Onsets and offsets of action units."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from edgeau.errors import UsageError
from edgeau.results import ActionUnit, FrameResult
from edgeau.temporal.track_states import TrackStates

__all__ = ["Event", "EventDetector"]


Side = Literal["left", "right", "both"]

# Share of the stronger side's probability from which the weaker one counts as well. Ours.
_BOTH = 0.5


@dataclass(frozen=True, slots=True)
class Event:
    """An AU of a face came (onset) or went (offset).

    Attributes:
        kind: ``"onset"`` or ``"offset"``.
        label: such as ``"AU12"``.
        track_id: whose.
        time_s: when it happened, seconds in the source: the first frame of the new state.
        reported_s: when that was certain: ``min_on_s`` or ``min_off_s`` later.
        duration_s: seconds since the onset for an offset, 0 for an onset.
        peak: highest probability so far, 0..1.
        cause: reason for an offset: ``"ended"``; ``"lost"``, when the face or the AU could not be seen any more and ``time_s`` is
            when it last was; or ``"stopped"``, when the stream ended first. ``"began"`` for an onset.
        side: where it was strongest: ``"left"`` or ``"right"`` (the person's own), or ``"both"`` where the weaker side had at
            least half the probability of the stronger one; None where the AU's sides are not told apart.
    """

    kind: Literal["onset", "offset"]
    label: str
    track_id: int
    time_s: float
    reported_s: float
    duration_s: float
    peak: float
    cause: Literal["began", "ended", "lost", "stopped"]
    side: Side | None = None


class EventDetector:
    """Tells events from the decisions of one stream's results.

    Used like this::

        detector = EventDetector()
        for result in pipeline.stream(source):
            for event in detector.update(result):
                print(event.label, event.kind, event.time_s)

    Every onset is followed by one offset of the same AU and track. Decisions that flicker make no events; hysteresis
    (:class:`~edgeau.temporal.hysteresis.Hysteresis`) keeps them from it in the first place.

    Args:
        min_on_s: how long an AU must be active before its onset is reported, seconds; onsets are late by as much.
        min_off_s: how long it must be inactive before its offset is reported; offsets are late by as much.
        max_gap_s: how long it may be unseen (refused, or without the face) before it counts as gone.

    Raises:
        UsageError: a time is negative.
    """

    def __init__(self, *, min_on_s: float = 0.1, min_off_s: float = 0.1, max_gap_s: float = 1.0) -> None:
        for name, value in (("min_on_s", min_on_s), ("min_off_s", min_off_s), ("max_gap_s", max_gap_s)):
            if not value >= 0:
                raise UsageError(f"{name} must be 0 or more seconds, got {value}")
        self._min_on_s, self._min_off_s, self._max_gap_s = min_on_s, min_off_s, max_gap_s
        self._tracks: TrackStates[dict[str, _Unit]] = TrackStates(dict, forget_s=max_gap_s)

    @property
    def latency_s(self) -> float:
        """Largest delay of an event, except where the face could not be seen."""
        return max(self._min_on_s, self._min_off_s)

    def update(self, result: FrameResult) -> list[Event]:
        """The events that became certain with one more result, in order of their time."""
        time_s = result.time_s
        events = [event for track in self._tracks.gone(time_s) for event in _closed(*track, time_s, "lost")]
        for face in result.faces:
            if face.track_id is None:
                continue
            units = self._tracks.at(face.track_id, time_s)
            for label, unit in face.aus.items():
                state = units.setdefault(label, _Unit())
                events.extend(self._step(state, unit, face.track_id, time_s))
        return sorted(events, key=lambda event: event.time_s)

    def finish(self, time_s: float) -> list[Event]:
        """The stream ended: the offsets of what is still active. The detector is as new then."""
        return [event for track in self._tracks.clear() for event in _closed(*track, time_s, "stopped")]

    def _step(self, state: _Unit, unit: ActionUnit, track_id: int, time_s: float) -> Iterator[Event]:
        if unit.probability is None:
            if time_s - state.seen_s > self._max_gap_s:
                yield from _closed(track_id, {unit.name: state}, time_s, "lost")
                state.forget()
            return
        state.take(unit, time_s)
        least_s = self._min_off_s if state.on else self._min_on_s
        if state.changed_s is None or time_s - state.changed_s < least_s:
            return
        if state.on:
            yield state.offset(unit.name, track_id, state.changed_s, time_s, "ended")
        else:
            state.on, state.began_s, state.changed_s = True, state.changed_s, None
            yield Event(
                "onset", unit.name, track_id, state.began_s, time_s, 0.0, state.peak, "began", state.side
            )


class _Unit:
    """State of one AU of one face."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.on = False
        self.began_s = self.peak = 0.0
        self.side: Side | None = None
        self.changed_s: float | None = None  # since when the decision differs from the state
        self.seen_s = 0.0

    def take(self, unit: ActionUnit, time_s: float) -> None:
        assert unit.probability is not None
        active = bool(unit.active)
        self.seen_s = time_s
        if active == self.on:
            self.changed_s = None
        elif self.changed_s is None:
            self.changed_s = time_s
        apart = not self.on and self.changed_s is None
        if apart:
            self.peak, self.side = 0.0, None
        elif unit.probability >= self.peak:
            self.peak, self.side = unit.probability, _side(unit)

    def offset(
        self,
        label: str,
        track_id: int,
        time_s: float,
        reported_s: float,
        cause: Literal["ended", "lost", "stopped"],
    ) -> Event:
        event = Event(
            "offset", label, track_id, time_s, reported_s, time_s - self.began_s, self.peak, cause, self.side
        )
        self.on, self.changed_s, self.peak, self.side = False, None, 0.0, None
        return event


def _side(unit: ActionUnit) -> Side | None:
    if unit.left is None or unit.right is None:
        return None
    if min(unit.left, unit.right) >= _BOTH * max(unit.left, unit.right):
        return "both"
    return "left" if unit.left > unit.right else "right"


def _closed(
    track_id: int, units: dict[str, _Unit], reported_s: float, cause: Literal["lost", "stopped"]
) -> Iterator[Event]:
    """The offsets of what is active, at the time it was last seen."""
    for label, state in units.items():
        if state.on:
            yield state.offset(label, track_id, state.seen_s, reported_s, cause)
