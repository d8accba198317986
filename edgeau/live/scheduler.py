"""Choice of the faces that the network looks at in a frame, so that the asked rate is kept."""

from __future__ import annotations

import math
import statistics
from collections import deque
from collections.abc import Sequence

__all__ = ["DeadlineScheduler"]

# Share of a frame's time that the network may take, ours: what is left covers the unevenness of a shared machine.
_SHARE = 0.9
# Runs of the network whose median stands for its speed: one run that something else held up says nothing about it.
_RUNS = 7
# Seconds that less work must have been enough before more is asked for, so that k does not flutter.
_PATIENCE_S = 1.0
# Weight of a new interval between frames in their running mean; a longer one is a pause, not a rate, seconds.
_LEARN_PERIOD, _PAUSE_S = 0.05, 1.0
# Heat: every so many seconds one step, and so many degrees below the limit until steps are taken back.
_HEAT_STEP_S = 5.0
_HEAT_MARGIN_C = 4.0


class DeadlineScheduler:
    """Gives every face its turn in every k-th frame, in different frames for different faces.

    k is the least number with which the network keeps up: ``k = ceil(faces * seconds a face / (0.9 * period))``. It goes up
    as soon as the network is slower in four runs of seven, down by half of what is too much after a second of that, and up
    step by step while the processor is hot.

    Args:
        period_s: period of the frames as far as known, seconds; corrected by what :meth:`on_frame` is told.
        max_every: largest k.
        hot_c: temperature from which on k goes up, degrees Celsius; None for never.
    """

    def __init__(self, period_s: float, *, max_every: int = 30, hot_c: float | None = None) -> None:
        self._period_s = period_s
        self._max_every = max_every
        self._hot_c = hot_c
        self._costs_s: deque[float] = deque(maxlen=_RUNS)
        self._turns: dict[int, int] = {}
        self._frame = 0
        self._every = 1
        self._heat_steps = 0
        self._heat_step_s = -math.inf
        self._roomy_since_s: float | None = None

    @property
    def every(self) -> int:
        """The k of "every k-th frame"."""
        return self._every

    @property
    def cost_s(self) -> float:
        """Time of the network for one face, seconds, median of the last runs; 0 before the first."""
        return statistics.median(self._costs_s) if self._costs_s else 0.0

    def on_frame(self, interval_s: float) -> None:
        """A frame was taken so long after the one before it."""
        if 0 < interval_s < _PAUSE_S:
            self._period_s += _LEARN_PERIOD * (interval_s - self._period_s)

    def due(self, tracks: Sequence[int], now_s: float) -> list[int]:
        """The places in ``tracks`` of the faces to look at in this frame, those that waited longest first.

        To be called once a frame, also when the network is busy (and then without taking the turns: see :meth:`on_dispatch`).
        """
        self._frame += 1
        self._turns = {track: self._turns[track] for track in tracks if track in self._turns}
        self._adapt(len(tracks), now_s)
        turns = [(self._turns.get(track, -math.inf), place) for place, track in enumerate(tracks)]
        ready = sorted((turn, place) for turn, place in turns if self._frame - turn >= self._every)
        return [place for _, place in ready[: math.ceil(len(tracks) / self._every)]]

    def on_dispatch(self, tracks: Sequence[int]) -> None:
        """These faces are being looked at in the frame of the last :meth:`due`."""
        for track in tracks:
            self._turns[track] = self._frame

    def note_cost(self, faces: int, seconds: float) -> None:
        """The network took so long for so many faces."""
        self._costs_s.append(seconds / faces)

    def on_temperature(self, celsius: float | None, now_s: float) -> None:
        """The processor is so warm."""
        if celsius is None or self._hot_c is None or now_s - self._heat_step_s < _HEAT_STEP_S:
            return
        if celsius >= self._hot_c:
            self._heat_steps += 1
        elif celsius < self._hot_c - _HEAT_MARGIN_C and self._heat_steps:
            self._heat_steps -= 1
        else:
            return
        self._heat_step_s = now_s

    def _adapt(self, faces: int, now_s: float) -> None:
        enough = math.ceil(faces * self.cost_s / (_SHARE * self._period_s) - 1e-9) + self._heat_steps
        enough = min(max(enough, 1), self._max_every)
        if enough >= self._every:
            self._every, self._roomy_since_s = enough, None
        elif self._roomy_since_s is None:
            self._roomy_since_s = now_s
        elif now_s - self._roomy_since_s >= _PATIENCE_S:
            self._every, self._roomy_since_s = (self._every + enough) // 2, None
