"""Puts the LiteRT files of the packaged bundles together, byte for byte, from their ONNX files and what is not in those.

A ``.tflite`` file holds the same weights as the ONNX file that it was written from, so only the rest is kept in the repository:
``weights/*.parts``, written by ``python -m edgeau_export.packaging.default_litert``. ``pip install`` and ``pip wheel`` call
this by themselves (``setup.py``), and so do the tests; in a checkout that is not installed::

    python weights/assemble.py

Standard library only: it runs where a wheel is built.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import zlib
from pathlib import Path

__all__ = ["assemble", "assembled"]


def assemble(root: Path, out: Path | None = None) -> list[Path]:
    """Write every LiteRT file that is not there in its right form.

    Args:
        root: the checkout.
        out: where the packages lie; None takes ``root``.

    Returns:
        The files, written or found right.
    """
    files = []
    for parts in sorted((root / "weights").glob("*.parts")):
        content = parts.read_bytes()
        file = (out or root) / _header(content)["target"]
        if not _is_right(file, content):
            whole = assembled(content, root)
            file.parent.mkdir(parents=True, exist_ok=True)
            partial = file.with_name(f".{file.name}.partial")
            partial.write_bytes(whole)
            partial.replace(file)
        files.append(file)
    return files


def assembled(parts: bytes, root: Path) -> bytes:
    """One file.

    Args:
        parts: content of a ``.parts`` file.
        root: the checkout, where its source lies.

    Raises:
        ValueError: the source is another one than the parts were written for.
    """
    header = _header(parts)
    source = (root / header["source"]).read_bytes()
    rest = zlib.decompress(parts[parts.index(b"\n") + 1 :])
    pieces, taken, place = [], 0, 0
    for target, start, shape, order, item in (*header["copies"], (header["bytes"], 0, [0], [0], 1)):
        own = target - place
        pieces.append(rest[taken : taken + own])
        taken += own
        piece = _turned(source, start, shape, order, item)
        pieces.append(piece)
        place = target + len(piece)
    whole = b"".join(pieces)
    if hashlib.sha256(whole).hexdigest() != header["sha256"]:
        raise ValueError(
            f"{header['target']} cannot be assembled from {header['source']}: that file is another one; "
            "write the parts again with python -m edgeau_export.packaging.default_litert"
        )
    return whole


def _header(parts: bytes) -> dict:  # type: ignore[type-arg]
    header: dict = json.loads(parts[: parts.index(b"\n")])  # type: ignore[type-arg]
    return header


def _is_right(file: Path, parts: bytes) -> bool:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest() == _header(parts)["sha256"]
    except OSError:
        return False


def _turned(source: bytes, start: int, shape: list[int], order: list[int], item: int) -> bytes:
    """A tensor with its axes in another order; where they change places, its values are single bytes."""
    size = math.prod(shape)
    if order == sorted(order):
        return source[start : start + size * item]
    strides = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
    *outer, last = order
    rows = []
    for place in itertools.product(*(range(shape[axis]) for axis in outer)):
        first = start + sum(number * strides[axis] for number, axis in zip(place, outer))  # noqa: B905 - Python 3.9 builds too
        rows.append(source[first : first + (shape[last] - 1) * strides[last] + 1 : strides[last]])
    return b"".join(rows)


if __name__ == "__main__":
    for assembled_file in assemble(Path(__file__).resolve().parent.parent):
        print(assembled_file)
