"""The last seconds of every action unit, for sparklines."""

from __future__ import annotations

from collections import deque

from edgeau.results import FrameResult

__all__ = ["SECONDS", "History"]

SECONDS = 8.0
_MOST = 600  # points a face: a camera of 60 frames a second


class History:
    """Probabilities of each face that is there."""

    def __init__(self) -> None:
        self._faces: dict[int, deque[tuple[float, dict[str, float | None]]]] = {}

    def add(self, result: FrameResult) -> None:
        """One more result."""
        seen = set()
        for face in result.faces:
            number = -1 if face.track_id is None else face.track_id
            seen.add(number)
            points = self._faces.setdefault(number, deque(maxlen=_MOST))
            points.append((result.time_s, {name: unit.probability for name, unit in face.aus.items()}))
            while points and result.time_s - points[0][0] > SECONDS:
                points.popleft()
        for number in self._faces.keys() - seen:
            if result.time_s - self._faces[number][-1][0] > 1.0:
                del self._faces[number]

    def of(self, number: int, label: str) -> list[tuple[float, float | None]]:
        """Seconds before the newest point (0 or less), and the probability then."""
        points = self._faces.get(number)
        if not points:
            return []
        now = points[-1][0]
        return [(time_s - now, units.get(label)) for time_s, units in list(points)]
