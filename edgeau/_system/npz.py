"""Reading ``.npz`` files of strangers: no pickles, and nothing unpacked before its size is known to be sane.

``numpy.load`` trusts two numbers of a file: how far a member unpacks, and how many values its header announces. A few hundred
bytes may claim terabytes in either. Here both are checked against limits, and against each other, before memory is taken.
"""

from __future__ import annotations

import math
import sys
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import NpzError

__all__ = ["SMALL", "read_npz"]

# Bytes of all arrays of a file that travels in a bundle: 48 crops of 224 pixels are 7 MB.
SMALL = 256 << 20
# Bytes of all arrays of a file that a user makes: 4 GiB are 85,000 crops of 128 pixels.
_LARGE = 4 << 30
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,  # an encrypted member, or one that asks for more than zipfile knows
    zipfile.BadZipFile,
    zlib.error,
)


def read_npz(path: Path, required: Collection[str] = (), limit: int = _LARGE) -> dict[str, NDArray[Any]]:
    """All arrays of an ``.npz`` file by name, read whole.

    Args:
        path: the file.
        required: names that must be there.
        limit: bytes that all arrays together may unpack to.

    Raises:
        NpzError: the file is missing, damaged, no such file, holds pickles, is larger than the limit, or lacks an array. It
            says what is wrong; what to do about it differs from one kind of file to the next, so readers say that.
    """
    try:
        with path.open("rb") as stream, zipfile.ZipFile(stream) as archive:
            members = [info for info in archive.infolist() if info.filename.endswith(".npy")]
            size = sum(info.file_size for info in members)
            if size > limit:
                raise NpzError(f"its arrays unpack to {size:,} bytes; {limit:,} are allowed")
            arrays = {}
            for info in members:
                if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise NpzError(f"{info.filename} uses a compression method that is not supported")
                with archive.open(info) as member:
                    arrays[info.filename.removesuffix(".npy")] = _array(member, info.file_size)
    except FileNotFoundError as error:
        raise NpzError("there is no such file") from error
    except _DAMAGE as error:
        raise NpzError(str(error) or "it ends too early") from error
    missing = [name for name in required if name not in arrays]
    if missing:
        raise NpzError(f"it lacks {', '.join(missing)}; it has {', '.join(arrays) or 'no array'}")
    return arrays


def _array(stream: IO[bytes], size: int) -> NDArray[Any]:
    """The array of a member that unpacks to ``size`` bytes; ValueError where it holds something else."""
    version = np.lib.format.read_magic(stream)  # type: ignore[no-untyped-call]
    if version not in _HEADERS:
        raise ValueError(f"an array of format {version[0]}.{version[1]} is not known")
    try:
        shape, fortran_order, dtype = _HEADERS[version](stream)  # type: ignore[no-untyped-call]
    except zlib.error:
        raise
    except Exception as error:  # numpy reads it as Python's own text, which ends in TokenError, SyntaxError, RecursionError...
        raise ValueError(f"the header of an array is damaged ({type(error).__name__})") from error
    if dtype.hasobject:
        raise ValueError("an array holds Python objects (pickles), which are never loaded")
    announced = math.prod(shape) * dtype.itemsize
    held = size - stream.tell()
    if announced != held:
        raise ValueError(f"an array announces {announced:,} bytes and holds {held:,}")
    content = bytearray(stream.read(announced))
    stream.read(1)  # at the end of a member zipfile compares its checksum
    flat = (
        np.frombuffer(content, dtype) if dtype.itemsize and announced else np.empty(math.prod(shape), dtype)
    )
    if dtype.kind == "U" and announced and flat.view(f"{dtype.byteorder}u4").max() > sys.maxunicode:
        raise ValueError("an array of text holds what is not text")  # numpy looks only when an item is taken
    return flat.reshape(shape, order="F" if fortran_order else "C")
