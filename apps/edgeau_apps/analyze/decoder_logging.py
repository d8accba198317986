"""Decoders that would write to stderr by themselves are told not to."""

from __future__ import annotations

import os
import re
from contextlib import AbstractContextManager

import cv2

from edgeau._system.native_stderr import native_lines_dropped

__all__ = ["decoder_lines_dropped", "quieten_decoders"]

_AV_LOG_QUIET = "-8"
# What libjpeg (its warnings, jerror.h), libpng, libtiff, libwebp, OpenCV and FFmpeg write of a damaged file.
_LINES = re.compile(
    rb"Corrupt JPEG data|Premature end of JPEG file|Inconsistent progression sequence|Warning: unknown JFIF revision"
    rb"|Invalid (SOS|JPEG file structure|crop)|Unsupported marker type|Unknown Adobe color transform|Bogus "
    rb"|Application transferred too|Improper call to JPEG|Not a JPEG file|Huffman table|Wrong JPEG library version"
    rb"|libpng (warning|error)|TIFF\w*: |\w*TIFF\w*: |\[ ?(WARN|ERROR|INFO)[:@]|OpenCV\(|imread_\("
    rb"|\[[\w,./-]+ @ 0x[0-9a-f]+\]"
)


def quieten_decoders() -> None:
    """For this process: what FFmpeg and OpenCV say about damaged files, the sources say once and in plain words."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", _AV_LOG_QUIET)
    if hasattr(cv2, "setLogLevel"):  # OpenCV 5.0 has no such function, and says nothing of its own
        cv2.setLogLevel(0)


def decoder_lines_dropped() -> AbstractContextManager[None]:
    """The same for those that have no setting, while one picture is decoded."""
    return native_lines_dropped(_LINES)
