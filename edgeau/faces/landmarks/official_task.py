"""Google's own ``face_landmarker.task``: where it is published, its digest, and the copy in this user's cache.

Nothing here runs unasked: only ``edgeau-landmarks --fetch`` calls :func:`fetch`.
"""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from edgeau._system.atomic_file import write_whole
from edgeau._system.cache import cache_directory
from edgeau.errors import InputError, OutputError

__all__ = ["LICENCE", "SHA256", "URL", "cache_place", "cached_task", "fetch", "is_official"]

URL = (
    "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/"
    "face_landmarker.task"
)
SHA256 = "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"
LICENCE = "Apache-2.0, Copyright The MediaPipe Authors (Google)"

_BYTES = 3_758_596
_SECONDS = 60
_OTHERWISE = (
    "edgeau-landmarks --fetch pip takes MediaPipe's older networks out of its wheel, from the package index of pip; or fetch the file "
    "on another machine, copy it here, and set EDGEAU_LANDMARK_MODELS to it or give it with --landmarks when exporting"
)


def cached_task() -> Path:
    """The path where :func:`fetch` puts the file; it need not be there.

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


def fetch(url: str = URL) -> Path:
    """Download the file into the user's cache; what is there whole already is not downloaded again.

    Args:
        url: another place with the same file, such as a mirror in the house; its digest must be the same.

    Returns:
        Its place.

    Raises:
        InputError: the address does not answer, or with other bytes; nothing is kept then.
        OutputError: the cache cannot be written, or the user has no home directory for one.
    """
    place = cache_place(cached_task)
    if place.is_file() and is_official(place.read_bytes()):
        return place
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as answer:  # noqa: S310 - the caller's address, digest checked
            content: bytes = answer.read(_BYTES + 1)
            promised = answer.headers.get("Content-Length")
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise InputError(
            f"{url} cannot be fetched ({reason or type(error).__name__}); {_OTHERWISE}"
        ) from error
    if promised is not None and promised.isdecimal() and len(content) < min(int(promised), _BYTES):
        raise InputError(
            f"{url} broke off after {len(content)} of {promised} bytes; nothing was kept: run it again"
        )
    if not is_official(content):
        digest = hashlib.sha256(content).hexdigest()
        raise InputError(
            f"{url} answered with other bytes than Google's file (SHA-256 {digest}, not {SHA256}); nothing was kept"
        )
    write_whole(place, content)
    return place
