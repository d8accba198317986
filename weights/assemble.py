"""Puts the model files of the packaged bundles together, byte for byte: every set of weights is kept once in the repository.

What is kept is ``weights/*.safetensors``, the trained weights in half precision, and ``weights/*.parts``, what each file has
beside weights that lie elsewhere (written by ``python -m edgeau_export.packaging.assembly``). From them follow, in this order,

*   ``model.fp32.onnx``: half-precision weights times the scale of the batch norm that was folded into them, rounded to the
    11 bits of half precision again, so that a wheel compresses them to two bytes each;
*   ``model.int8.onnx``: the integers nearest to those, plus the steps that the quantization took away from them;
*   ``model.int8.tflite``: the same integers, with their axes in another order.

``pip install`` and ``pip wheel`` call this by themselves (``setup.py``), and so do the tests; in a checkout that is not
installed::

    python weights/assemble.py

Standard library only, in arithmetic that gives the same bits everywhere: it runs where a wheel is built.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import struct
import zlib
from pathlib import Path

__all__ = ["assemble", "assembled"]

_LEVELS = 127


def assemble(root: Path, out: Path | None = None) -> list[Path]:
    """Write every model file that is not there in its right form.

    Args:
        root: the checkout.
        out: where the packages lie; None takes ``root``.

    Returns:
        The files, written or found right.
    """
    out = out or root
    files = []
    for parts in sorted((root / "weights").glob("*.parts")):
        content = parts.read_bytes()
        file = out / _header(content)["target"]
        if not _is_right(file, content):
            whole = assembled(content, out, root)
            file.parent.mkdir(parents=True, exist_ok=True)
            partial = file.with_name(f".{file.name}.partial")
            partial.write_bytes(whole)
            partial.replace(file)
        files.append(file)
    return files


def assembled(parts: bytes, *places: Path) -> bytes:
    """One file.

    Args:
        parts: content of a ``.parts`` file.
        places: folders in which its sources are looked for, in this order: where the packages lie, the checkout.

    Raises:
        ValueError: a source is another one than the parts were written for.
    """
    header = _header(parts)
    source = _source(header["source"], places).read_bytes()
    rest = _Rest(zlib.decompress(parts[parts.index(b"\n") + 1 :]))
    pieces, place = [], 0
    try:
        for target, kind, *how in header["pieces"]:
            pieces.append(rest.take(target - place))
            pieces.append(_KINDS[kind](source, rest, *how))
            place = target + len(pieces[-1])
        pieces.append(rest.take(header["bytes"] - place))
    except (struct.error, OverflowError, ZeroDivisionError):
        pieces = []  # of another source: named below
    whole = b"".join(pieces)
    if hashlib.sha256(whole).hexdigest() != header["sha256"]:
        raise ValueError(
            f"{header['target']} cannot be assembled from {header['source']}: that file is another one; "
            "write the parts again with python -m edgeau_export.packaging.assembly"
        )
    return whole


class _Rest:
    """The bytes that only the target has, taken from the front."""

    def __init__(self, content: bytes) -> None:
        self._content, self._taken = content, 0

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        self._taken += count
        return self._content[self._taken - count : self._taken]

    def floats(self, count: int) -> tuple[float, ...]:
        """The next ``count`` 32-bit floats."""
        return struct.unpack(f"<{count}f", self.take(4 * count))


def _header(parts: bytes) -> dict:  # type: ignore[type-arg]
    header: dict = json.loads(parts[: parts.index(b"\n")])  # type: ignore[type-arg]
    return header


def _source(name: str, places: tuple[Path, ...]) -> Path:
    return next((place / name for place in places if (place / name).is_file()), places[-1] / name)


def _is_right(file: Path, parts: bytes) -> bool:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest() == _header(parts)["sha256"]
    except OSError:
        return False


def _turned(source: bytes, rest: _Rest, start: int, shape: list[int], order: list[int], item: int) -> bytes:  # noqa: ARG001 - as its brothers
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


def _scaled(source: bytes, rest: _Rest, start: int, channels: int, size: int) -> bytes:
    """Half-precision weights ``(channels, size)``, each channel times its scale, as 32-bit floats of 11 bits.

    A channel is rounded in half precision at a power of two that puts its largest weight below 2 ** 15, so that small
    channels keep their bits.
    """
    rows = []
    for channel, scale in enumerate(rest.floats(channels)):
        weights = struct.unpack_from(f"<{size}e", source, start + 2 * size * channel)
        values = [weight * scale for weight in weights]
        exponent = 15 - math.frexp(max(map(abs, values)))[1]
        up, down = math.ldexp(1.0, exponent), math.ldexp(1.0, -exponent)
        halves = struct.pack(f"<{size}e", *[value * up for value in values])
        rows.append(struct.pack(f"<{size}f", *[half * down for half in struct.unpack(f"<{size}e", halves)]))
    return b"".join(rows)


def _stepped(source: bytes, rest: _Rest, start: int, channels: int, size: int) -> bytes:
    """8-bit integers ``(channels, size)``: those nearest to 32-bit floats in units of their channel's scale, plus steps."""
    scales = rest.floats(channels)
    rows = []
    for channel, scale in enumerate(scales):
        weights = struct.unpack_from(f"<{size}f", source, start + 4 * size * channel)
        nearest = [max(-_LEVELS, min(_LEVELS, round(weight / scale))) for weight in weights]
        steps = rest.take(size)
        rows.append(bytes([(value + step) & 255 for value, step in zip(nearest, steps)]))  # noqa: B905 - as above
    return b"".join(rows)


_KINDS = {"turned": _turned, "scaled": _scaled, "stepped": _stepped}


if __name__ == "__main__":
    for assembled_file in assemble(Path(__file__).resolve().parent.parent):
        print(assembled_file)
