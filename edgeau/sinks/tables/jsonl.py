"""JSON: one object a frame, in one line.

``{"index": 0, "time_s": 0.0, "trained": true, "faces": [...]}``, where a face is

- ``face_id``: the track's number; for single pictures the face's place in the frame, from 0.
- ``box``: ``left``, ``top``, ``width``, ``height`` in pixels.
- ``pose``: ``pitch``, ``yaw``, ``roll`` in degrees with the signs of :class:`~edgeau.results.HeadPose`, or null.
- ``aus``: label to ``probability`` (0..1 or null; of videos smoothed unless asked otherwise), ``raw`` (the probability of
  this frame alone, 0..1 or null), ``active`` (true, false or null), ``intensity`` (0..1 or null),
  ``left`` and ``right`` (probability of each of the person's own sides, 0..1, null where they are not told apart),
  ``reason`` (why it could not be judged, else null) and ``experimental``.
- ``quality``, where it was assessed: ``size`` in pixels, ``sharpness``, ``light`` 0..255, ``clipped`` 0..1
  (:class:`~edgeau.faces.quality.FaceQuality`).
- ``landmarks``: ``[x, y, z]`` of every mesh point in pixels, only when asked for.

A live stream also has ``age_s``, seconds from capture to result, and ``dropped``, frames left out before this one. Files
do not, so that the same film gives the same file.

``trained`` is false when the network never saw data: its numbers then mean nothing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from edgeau.results import FrameResult

__all__ = ["JsonLines", "frame_document", "json_line"]


class JsonLines:
    """Writes results line by line.

    Args:
        stream: text.
        trained: whether the network was trained.
        landmarks: whether faces carry their mesh points.
    """

    def __init__(self, stream: TextIO, *, trained: bool, landmarks: bool = False) -> None:
        self._stream = stream
        self._trained = trained
        self._landmarks = landmarks

    def write(self, result: FrameResult) -> None:
        """Add one line."""
        document = frame_document(result, trained=self._trained, landmarks=self._landmarks)
        self._stream.write(json_line(document) + "\n")


def frame_document(
    result: FrameResult, *, trained: bool, landmarks: bool = False, live: bool = False
) -> dict[str, Any]:
    """One frame as plain values.

    Args:
        result: of the frame.
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
