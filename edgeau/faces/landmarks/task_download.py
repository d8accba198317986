"""Download of Google's ``face_landmarker.task`` into this user's cache.

Nothing here runs unasked: only ``edgeau-landmarks --fetch`` calls :func:`fetch`, and only it loads this module, since Python's HTTP client
takes a noticeable part of the time in which a picture is analysed.
"""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from pathlib import Path

from edgeau._system.atomic_file import write_whole
from edgeau.errors import InputError
from edgeau.faces.landmarks.official_task import SHA256, URL, cache_place, cached_task, is_official

__all__ = ["fetch"]

_BYTES = 3_758_596
_SECONDS = 60
_OTHERWISE = (
    "edgeau-landmarks --fetch pip takes MediaPipe's older networks out of its wheel, from the package index of pip; or fetch the file "
    "on another machine, copy it here, and set EDGEAU_LANDMARK_MODELS to it or give it with --landmarks when exporting"
)


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
