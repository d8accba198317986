"""JSON: one object a frame, in one line.

``{"index": 0, "time_s": 0.0, "trained": true, "faces": [...]}``, where a face is

- ``face_id``: the track's number; for single pictures the face's place in the frame, from 0.
- ``box``: ``left``, ``top``, ``width``, ``height`` in pixels.
- ``pose``: ``pitch``, ``yaw``, ``roll`` in degrees with the signs of :class:`~edgeau.results.HeadPose`, or null.
- ``aus``: label to ``probability`` (0..1 or null; of videos smoothed unless asked otherwise), ``raw`` (the probability of
  this frame alone, 0..1 or null), ``active`` (true, false or null), ``intensity`` (0..1 or null),
  ``left`` and ``right`` (probability of each of the person's own sides, 0..1, null where they are not told apart),
  ``reason`` (why it is refused, else null) and ``experimental``.
- ``quality``, where it was assessed: ``size`` in pixels, ``sharpness``, ``light`` 0..255, ``clipped`` 0..1
  (:class:`~edgeau.faces.quality.FaceQuality`).
- ``aus_time_s``, only where the network was spared a face that had not changed: time of the frame whose pixels its AUs come from.
- ``blendshapes``, only when asked for: MediaPipe's weights of 51 shapes by name, 0..1.
- ``eyes``, only when asked for and not closed: ``pitch``, ``yaw`` of the eyes from the head, degrees, uncalibrated
  (:class:`~edgeau.results.EyeDirection`).
- ``landmarks``: ``[x, y, z]`` of every mesh point in pixels, only when asked for.

Tables of ``edgeau-analyze`` say what they were made of: the first line has ``source`` (``path``, ``bytes``, ``modified_ns``, ``sha256``,
``width`` and ``height`` in pixels, ``fps``, ``kind``, ``bundle``, ``bundle_sha256``, ``artifact``, ``landmarker``, ``options``, ``edgeau``), the last line ``end``
(``complete``, ``frames``, ``error``).

A live stream also has ``age_s``, seconds from capture to result, and ``dropped``, frames left out before this one. Files
do not, so that the same film gives the same file.

``trained`` is false when the network never saw data: its numbers then mean nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TextIO

from edgeau.results import FrameResult

__all__ = ["JsonLines", "frame_document", "json_line"]


class JsonLines:
    """Writes results line by line.

    Args:
        stream: text.
        trained: whether the network was trained.
        landmarks: whether faces carry their mesh points.
        source: what the results were made of; it stands in the first line.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        trained: bool,
        landmarks: bool = False,
        source: Mapping[str, Any] | None = None,
    ) -> None:
        self._stream = stream
        self._trained = trained
        self._landmarks = landmarks
        self._source = source
        self._holds_last = source is not None
        self._last: dict[str, Any] | None = None

    def write(self, result: FrameResult) -> None:
        """Add one line; with a source it is written when the next one comes, or at the end."""
        self._write_last()
        document = frame_document(result, trained=self._trained, landmarks=self._landmarks)
        if self._source is not None:
            document["source"], self._source = dict(self._source), None
        self._last = document
        if not self._holds_last:
            self._write_last()

    def finish(self, end: Mapping[str, Any] | None = None) -> None:
        """Write the last line.

        Args:
            end: how it ended, which stands in it.
        """
        if self._last is not None and end is not None:
            self._last["end"] = dict(end)
        self._write_last()

    def _write_last(self) -> None:
        if self._last is not None:
            self._stream.write(json_line(self._last) + "\n")
        self._last = None


def frame_document(
    result: FrameResult, *, trained: bool, landmarks: bool = False, live: bool = False
) -> dict[str, Any]:
    """One frame as plain values.

    Args:
        result: result of the frame.
        trained: whether the network was trained.
        landmarks: whether faces carry their mesh points.
        live: whether to say the result's age and how many frames were dropped.
    """
    document = result.to_dict(landmarks=landmarks)
    faces = document.pop("faces")
    if live:
        document |= {"age_s": round(result.age_s, 6), "dropped": result.dropped}
    return document | {"trained": trained, "faces": faces}


def json_line(document: dict[str, Any]) -> str:
    """A document in one line, without its end."""
    return json.dumps(document, allow_nan=False, separators=(",", ":"))
