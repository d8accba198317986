"""Decoders that would write to stderr by themselves are told not to."""

from __future__ import annotations

import os

import cv2

__all__ = ["quieten_decoders"]

_AV_LOG_QUIET = "-8"


def quieten_decoders() -> None:
    """For this process: what FFmpeg and OpenCV say about damaged files, the sources say once and in plain words."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", _AV_LOG_QUIET)
    if hasattr(cv2, "setLogLevel"):  # OpenCV 5.0 has no such function, and says nothing of its own
        cv2.setLogLevel(0)
