"""The interface of filters over results, the base of those with one state per track, and the store of such states."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import Generic, Protocol, TypeVar

from edgeau.results import Face, FrameResult

__all__ = ["FORGET_S", "PerTrackFilter", "ResultFilter", "TrackStates"]

State = TypeVar("State")

# Ours: longer than a track outlives its face, so that nothing is forgotten of a face that comes back under its number.
FORGET_S = 3.0


class ResultFilter(Protocol):
    """A causal step over the results of one stream: smoothing, a running baseline, hysteresis.

    It sees every result in order, and runs in the thread that takes them. Live, several results in a row may carry one
    answer of the network: :attr:`~edgeau.results.Face.aus_time_s` tells a new answer from a repeated one.
    """

    def apply(self, result: FrameResult) -> FrameResult:
        """The result to give instead."""
        ...

    def reset(self) -> None:
        """Forget the results so far: what comes next is another stream."""
        ...


class TrackStates(Generic[State]):
    """One state a track; those of faces that are gone are given up, so that a long stream does not fill the memory.

    Args:
        make: makes the state of a new track.
        forget_s: for how long a track may be unseen, seconds.
    """

    def __init__(self, make: Callable[[], State], forget_s: float = FORGET_S) -> None:
        self._make, self._forget_s = make, forget_s
        self._states: dict[int, State] = {}
        self._seen_s: dict[int, float] = {}

    def at(self, track_id: int, time_s: float) -> State:
        """The state of a track that is seen at some time."""
        self._seen_s[track_id] = time_s
        if track_id not in self._states:
            self._states[track_id] = self._make()
        return self._states[track_id]

    def get(self, track_id: int) -> State | None:
        """The state of a track, or None when it is not known."""
        return self._states.get(track_id)

    def gone(self, time_s: float) -> list[tuple[int, State]]:
        """Give up the tracks that are unseen for too long, and return them; also those of a later time, which are of another recording."""
        late = [number for number, seen_s in self._seen_s.items() if abs(time_s - seen_s) > self._forget_s]
        for number in late:
            del self._seen_s[number]
        return [(number, self._states.pop(number)) for number in late]

    def clear(self) -> list[tuple[int, State]]:
        """Give up all tracks, and return them."""
        states, self._states = self._states, {}
        self._seen_s.clear()
        return list(states.items())


class PerTrackFilter(ABC, Generic[State]):
    """A :class:`ResultFilter` that treats each face by what it remembers about the track.

    Faces without a track (single pictures) pass unchanged.

    Args:
        make: makes the state of a new track.
    """

    def __init__(self, make: Callable[[], State]) -> None:
        self._tracks: TrackStates[State] = TrackStates(make)

    def apply(self, result: FrameResult) -> FrameResult:
        """The result with filtered faces; the same object where no face changed."""
        for track_id, _ in self._tracks.gone(result.time_s):
            self._forget(track_id)
        faces = tuple(self._filtered(face, result.time_s) for face in result.faces)
        if all(new is old for new, old in zip(faces, result.faces, strict=True)):
            return result
        return replace(result, faces=faces)

    def reset(self) -> None:
        """Forget all tracks."""
        for track_id, _ in self._tracks.clear():
            self._forget(track_id)

    @abstractmethod
    def _face(self, face: Face, time_s: float, state: State) -> Face:
        """The face to give instead of one that has a track; ``state`` is its track's, and may be changed.

        Args:
            face: face of the result.
            time_s: time of the result, seconds.
            state: made by ``make`` when the track began.
        """

    def _forget(self, track_id: int) -> None:
        """Called when a track's state is given up."""

    def _filtered(self, face: Face, time_s: float) -> Face:
        if face.track_id is None:
            return face
        return self._face(face, time_s, self._tracks.at(face.track_id, time_s))
