"""A buffer where frames wait for the network's answer, and results for their consumer; in order, and never for long."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgeau.faces.detected_face import DetectedFace
from edgeau.results import Face
from edgeau.sources.frame import Frame

__all__ = ["PendingFrame", "ReorderBuffer"]

# Answers kept for faces that are out of sight, ours: bounded memory in a crowd.
_KEPT = 16


@dataclass(eq=False)
class PendingFrame:
    """A frame on its way out.

    Attributes:
        frame: with ``captured_s``.
        found: its faces.
        every: k when it was found.
        waits: whether the network is looking at it.
        faces: what is given; None until it is settled.
    """

    frame: Frame
    found: Sequence[DetectedFace]
    every: int
    waits: bool = False
    faces: tuple[Face, ...] | None = None

    @property
    def captured_s(self) -> float:
        """On the steady clock."""
        assert self.frame.captured_s is not None, "the capture thread stamps every frame"
        return self.frame.captured_s


class ReorderBuffer:
    """Results in the order of their frames.

    A frame that the network looks at waits for the answer, and the frames behind it wait with it, so that a stream never
    goes back in time. A frame that would become too old goes without: it carries the answers before, as the frames do
    whose turn it is not.

    Args:
        settle: a frame, a face found in it, and the last answer for its track or None, to the face to give.
        max_age_s: age at which a frame goes without the network's answer.
        backlog: how often results may become ready before the first are taken; frames that waited for one answer of the
            network become ready together.
        lose: called for every result that is dropped because a newer one came.
        clock: steady, seconds.
    """

    def __init__(
        self,
        settle: Callable[[Frame, DetectedFace, Face | None], Face],
        *,
        max_age_s: float,
        backlog: int,
        lose: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self._settle, self._lose, self._clock = settle, lose, clock
        self._max_age_s, self._backlog = max_age_s, backlog
        self._changed = threading.Condition()
        self._unsettled: deque[PendingFrame] = deque()
        self._ready: deque[deque[PendingFrame]] = deque()
        self._answers: dict[int, Face] = {}
        self._closed = False

    def add(self, pending: PendingFrame) -> None:
        """The next frame."""
        with self._changed:
            self._unsettled.append(pending)
            self._advance()

    def answer(self, pending: PendingFrame, faces: Sequence[Face]) -> None:
        """The network has looked at some faces of a frame; or failed to, and gives none."""
        with self._changed:
            for face in faces:
                assert face.track_id is not None, "live faces are tracked"
                self._answers.pop(face.track_id, None)  # so that the dict is in order of the newest answer
                self._answers[face.track_id] = face
            pending.waits = False
            self._advance()

    def take(self, timeout_s: float) -> PendingFrame | None:
        """The next settled frame; None when none is there in time, or none will come."""
        end_s = self._clock() + timeout_s
        with self._changed:
            while True:
                self._advance()
                if self._ready:
                    return self._pop()
                left_s = end_s - self._clock()
                if left_s <= 0 or (self._closed and not self._unsettled):
                    return None
                self._changed.wait(min(left_s, self._until_old_s()))

    def close(self) -> None:
        """No more frames come; what is on its way can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def finished(self) -> bool:
        """True when all is taken and nothing more comes."""
        with self._changed:
            return self._closed and not self._unsettled and not self._ready

    def clear(self) -> int:
        """Forget the frames on their way; how many they were."""
        with self._changed:
            count = len(self._unsettled) + sum(map(len, self._ready))
            self._unsettled.clear()
            self._ready.clear()
            return count

    def _advance(self) -> None:
        """Settle the frames that need not wait any more; the lock is held."""
        settled: deque[PendingFrame] = deque()
        while self._unsettled and not (self._unsettled[0].waits and self._until_old_s() > 0):
            pending = self._unsettled.popleft()
            self._forget_lost(pending)
            pending.faces = tuple(
                self._settle(pending.frame, face, self._answer(face)) for face in pending.found
            )
            settled.append(pending)
        if settled:
            self._ready.append(settled)
            if len(self._ready) > self._backlog:
                for _ in self._ready.popleft():
                    self._lose()
        if self._ready:
            self._changed.notify_all()

    def _pop(self) -> PendingFrame:
        pending = self._ready[0].popleft()
        if not self._ready[0]:
            self._ready.popleft()
        return pending

    def _until_old_s(self) -> float:
        """Seconds until the first unsettled frame is too old to wait."""
        if not self._unsettled:
            return self._max_age_s
        return self._unsettled[0].captured_s + self._max_age_s - self._clock()

    def _answer(self, face: DetectedFace) -> Face | None:
        return None if face.track_id is None else self._answers.get(face.track_id)

    def _forget_lost(self, pending: PendingFrame) -> None:
        """Answers of faces that are gone are of no use; those out of sight for a moment may come back."""
        seen = {face.track_id for face in pending.found}
        if len(self._answers) > len(seen) + _KEPT:
            for track in [track for track in self._answers if track not in seen][:-_KEPT]:
                del self._answers[track]
