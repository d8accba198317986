"""The packaged clip: a few seconds of a rendered face, so that everything can be tried without a camera."""

from __future__ import annotations

from pathlib import Path

from edgeau.errors import InputError

__all__ = ["clip_path"]


def clip_path() -> Path:
    """The path of the packaged clip.

    Raises:
        InputError: this installation does not carry it.
    """
    path = Path(__file__).resolve().parent.parent / "assets" / "clip.mp4"
    if not path.is_file():
        raise InputError(
            "this installation carries no clip (edgeau/assets/clip.mp4); give a video file instead"
        )
    return path
