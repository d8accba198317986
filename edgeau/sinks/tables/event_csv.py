"""CSV of what came and went: one row a completed event.

- ``au``: label, such as ``AU12``.
- ``face_id``: the track's number.
- ``onset``, ``offset``: seconds from the start of the source; ``duration``: their difference.
- ``peak``: highest probability between them, 0..1.
- ``end``: ``ended``, ``lost`` (the face or the AU could not be seen any more) or ``stopped`` (the source ended first).
- ``side``: ``left``, ``right`` or ``both`` (the person's own), empty where the AU's sides are not told apart.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import TextIO

from edgeau.temporal.events import Event

__all__ = ["EventCsv"]

_COLUMNS = ("au", "face_id", "onset", "offset", "duration", "peak", "end", "side")


class EventCsv:
    """Writes a row for each offset; an onset alone is not complete.

    Args:
        stream: text, opened with ``newline=""``; the header is written at once.
    """

    def __init__(self, stream: TextIO) -> None:
        self._writer = csv.writer(stream, lineterminator="\n")
        self._writer.writerow(_COLUMNS)

    def write(self, events: Iterable[Event]) -> None:
        """Add what is complete."""
        for event in events:
            if event.kind == "offset":
                times = (event.time_s - event.duration_s, event.time_s, event.duration_s)
                numbers = (f"{value:.3f}" for value in times)
                self._writer.writerow(
                    (
                        event.label,
                        event.track_id,
                        *numbers,
                        f"{event.peak:.4f}",
                        event.cause,
                        event.side or "",
                    )
                )
