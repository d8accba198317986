"""The one face that a receiver for a single person gets."""

from __future__ import annotations

from edgeau.results import Face, FrameResult

__all__ = ["largest_face"]


def largest_face(result: FrameResult) -> Face | None:
    """The face with the largest box, which is most likely the closest person; None without a face."""
    return max(result.faces, key=lambda face: face.box.width * face.box.height, default=None)
