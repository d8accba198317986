"""Faces and their AUs in words: what a run without ``--out`` prints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from edgeau.action_units.names import facs_name
from edgeau.results import ActionUnit, Face, FrameResult

__all__ = ["FaceSummaries"]


@dataclass
class _AUSummary:
    """One AU of one face over the frames in which the face was seen.

    Attributes:
        latest: answer of the last frame.
        read: frames in which the AU was read.
        active: those in which it was active.
        peak: highest probability, 0..1.
    """

    latest: ActionUnit
    read: int = 0
    active: int = 0
    peak: float = 0.0

    def add(self, au: ActionUnit) -> None:
        self.latest = au
        if au.probability is not None:
            self.read += 1
            self.active += bool(au.active)
            self.peak = max(self.peak, au.probability)


@dataclass
class _FaceSummary:
    latest: Face
    frames: int = 0
    aus: dict[str, _AUSummary] = field(default_factory=dict)

    def add(self, face: Face) -> None:
        self.latest = face
        self.frames += 1
        for name, au in face.aus.items():
            self.aus.setdefault(name, _AUSummary(au)).add(au)


class FaceSummaries:
    """The faces of one picture, or of a video by their tracks."""

    def __init__(self) -> None:
        self._faces: dict[int, _FaceSummary] = {}

    def add(self, result: FrameResult) -> None:
        """Take one more frame."""
        for place, face in enumerate(result.faces):
            key = place if face.track_id is None else face.track_id
            self._faces.setdefault(key, _FaceSummary(face)).add(face)

    def lines(self, frames: int) -> list[str]:
        """For people: a line a face and a line an AU.

        Args:
            frames: frames of the input, all in all; of a single one probabilities and decisions are shown, of several the share
                of frames in which an AU was active.
        """
        lines = []
        for number, face in enumerate(self._faces.values(), 1):
            box = face.latest.box
            where = f"{box.width:.0f} x {box.height:.0f} pixels at {box.left:.0f}, {box.top:.0f}"
            seen = where if frames == 1 else f"in {face.frames} of {frames} frames"
            lines.append(f"  face {number}, {seen}")
            width = max((len(facs_name(name)) for name in face.aus), default=0)
            lines += [
                f"    {name:<6}{facs_name(name):<{width}}  {_one(au) if frames == 1 else _many(au)}"
                for name, au in face.aus.items()
            ]
            if any(au.latest.experimental for au in face.aus.values()):
                lines.append("    (experimental: not yet shown to work on real faces)")
        return lines

    def to_dict(self) -> list[dict[str, Any]]:
        """For ``--json``: each face with its last box and its AUs."""
        return [
            {
                "frames": face.frames,
                "box": [
                    round(value, 1)
                    for value in (
                        face.latest.box.left,
                        face.latest.box.top,
                        face.latest.box.width,
                        face.latest.box.height,
                    )
                ],
                "aus": {
                    name: {
                        "name": facs_name(name),
                        **au.latest.to_dict(),
                        "frames_read": au.read,
                        "frames_active": au.active,
                        "peak": round(au.peak, 5) if au.read else None,
                    }
                    for name, au in face.aus.items()
                },
            }
            for face in self._faces.values()
        ]


def _one(au: _AUSummary) -> str:
    if au.latest.probability is None:
        return f"    -  refused: {au.latest.reason}"
    return f"{au.latest.probability:5.3f}{'  active' if au.latest.active else ''}{_mark(au)}"


def _many(au: _AUSummary) -> str:
    if not au.read:
        return f"  -  refused: {au.latest.reason}"
    return f"{au.active / au.read:4.0%} of the time active, at most {au.peak:5.3f}{_mark(au)}"


def _mark(au: _AUSummary) -> str:
    return "  (experimental)" if au.latest.experimental else ""
