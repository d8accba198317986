"""One row an event, complete with how it ended."""

from __future__ import annotations

import csv
import io

from edgeau.sinks.tables import EventCsv
from edgeau.temporal.events import Event


def test_an_onset_waits_for_its_offset() -> None:
    stream = io.StringIO()
    table = EventCsv(stream)
    table.write([Event("onset", "AU12", 3, 1.0, 1.1, 0.0, 0.7, "began")])
    table.write([Event("offset", "AU12", 3, 2.5, 2.6, 1.5, 0.9, "ended", "left")])
    stream.seek(0)
    assert list(csv.DictReader(stream)) == [
        {
            "au": "AU12",
            "face_id": "3",
            "onset": "1.000",
            "offset": "2.500",
            "duration": "1.500",
            "peak": "0.9000",
            "end": "ended",
            "side": "left",
        }
    ]
