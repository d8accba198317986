"""MediaPipe's older face networks out of the last wheel of mediapipe that holds them, where Google's file cannot be reached.

The wheel comes from the package index that pip is set up with, is not installed and not kept: its two networks go to this user's cache.
Nothing here runs unasked: only ``edgeau-landmarks --fetch pip`` calls :func:`fetch`.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from edgeau._system.atomic_folder import AtomicFolder
from edgeau._system.cache import cache_directory
from edgeau._system.scratch_folder import scratch_folder
from edgeau.errors import InputError, OutputError
from edgeau.faces.landmarks.official_task import cache_place

__all__ = ["REQUIREMENT", "cached_networks", "fetch"]

REQUIREMENT = "mediapipe==0.10.21"
"""The wheel that is asked for."""

# Entry -> SHA-256. The networks are the same in the wheels of every system, so one wheel serves all of them.
_FILES = {
    "mediapipe/modules/face_detection/face_detection_short_range.tflite": (
        "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8"
    ),
    "mediapipe/modules/face_landmark/face_landmark_with_attention.tflite": (
        "e06a804e0144f9929eda782122916b35d60c697c3c9344013ca2bbe76a6ce2b4"
    ),
}
_WHICH = ("--implementation", "cp", "--python-version", "3.12", "--platform", "manylinux_2_28_x86_64")


def cached_networks() -> Path:
    """The folder where :func:`fetch` puts the networks; it need not be there.

    Raises:
        RuntimeError: the user has no home directory.
    """
    return cache_directory() / "landmarks" / REQUIREMENT.replace("==", "-")


def fetch() -> Path:
    """Have pip download the wheel and keep its two networks; what is there whole already is not downloaded again.

    Returns:
        The folder that holds them.

    Raises:
        InputError: pip cannot download the wheel, or it holds other networks; nothing is kept then.
        OutputError: the cache cannot be written, or the user has no home directory for one.
    """
    place = cache_place(cached_networks)
    if all(
        (place / PurePosixPath(entry).name).is_file()
        and _digest((place / PurePosixPath(entry).name).read_bytes()) == digest
        for entry, digest in _FILES.items()
    ):
        return place
    with scratch_folder("wheel") as folder:
        networks = _networks(_download(Path(folder)))
    try:
        made = AtomicFolder(place)
        try:
            for name, content in networks.items():
                (made.path / name).write_bytes(content)
            made.commit()
        finally:
            made.close()
    except OSError as error:
        raise OutputError(f"{place} cannot be written: {error.strerror or error}") from error
    return place


def _download(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    done = subprocess.run(
        [*command, *_WHICH, "--dest", str(folder), REQUIREMENT], capture_output=True, text=True, check=False
    )
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        last = (done.stderr.strip() or "it said nothing").splitlines()[-1]
        raise InputError(
            f"pip cannot download {REQUIREMENT} ({last.removeprefix('ERROR: ')}); run edgeau-landmarks --fetch on another machine, "
            "copy the folder ~/.cache/edgeau/landmarks from there, and set EDGEAU_LANDMARK_MODELS to what is in it"
        )
    return wheels[0]


def _networks(wheel: Path) -> dict[str, bytes]:
    """The content of each network by its file name, checked."""
    networks = {}
    try:
        with zipfile.ZipFile(wheel) as archive:
            for entry, digest in _FILES.items():
                content = archive.read(entry)
                if _digest(content) != digest:
                    raise InputError(
                        f"{entry} of {wheel.name} has other bytes than MediaPipe's (SHA-256 {_digest(content)}, not {digest}); "
                        "nothing was kept"
                    )
                networks[PurePosixPath(entry).name] = content
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, KeyError) as error:
        raise InputError(
            f"{wheel.name} from pip is not mediapipe's wheel ({error}); nothing was kept"
        ) from error
    return networks


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
