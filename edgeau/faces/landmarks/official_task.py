"""Google's own ``face_landmarker.task``: where it is published, its digest, and the place of a copy in this user's cache."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from edgeau._system.cache import cache_directory
from edgeau.errors import OutputError

__all__ = ["LICENCE", "SHA256", "URL", "cache_place", "cached_task", "is_official"]

URL = (
    "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/"
    "face_landmarker.task"
)
SHA256 = "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"
LICENCE = "Apache-2.0, Copyright The MediaPipe Authors (Google)"


def cached_task() -> Path:
    """The path where :func:`edgeau.faces.landmarks.task_download.fetch` puts the file; it need not be there.

    Raises:
        RuntimeError: the user has no home directory.
    """
    return cache_directory() / "landmarks" / "face_landmarker.task"


def cache_place(find: Callable[[], Path]) -> Path:
    """A place in the cache that is about to be written.

    Args:
        find: gives the place.

    Raises:
        OutputError: the user has no home directory.
    """
    try:
        return find()
    except RuntimeError as error:
        raise OutputError(
            f"there is no home directory to keep face landmark networks in ({error}): set XDG_CACHE_HOME"
        ) from error


def is_official(content: bytes) -> bool:
    """Tell whether these are the bytes that Google publishes."""
    return hashlib.sha256(content).hexdigest() == SHA256
