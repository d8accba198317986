r"""Writes what ``weights/assemble.py`` makes a packaged bundle's model files from.

Run after any of them changed::

    python -m edgeau_export.packaging.assembly --bundle edgeau/default --checkpoint weights/mrpnet-default.fp16.safetensors

Every set of weights is in the repository once, as the checkpoint in half precision. Each file of the bundle is made from another
that lies there or was made before it: the float file from the checkpoint, INT8 from the float file, LiteRT's from INT8. A ``.parts``
file holds the bytes that only its target has, and where the others come from; ``weights/assemble.py`` says how.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from edgeau._system.atomic_file import write_whole
from edgeau._system.command import DONE, CommandParser, run
from edgeau.errors import InputError
from edgeau_export.packaging.half_weights import SMALLEST, scaled_weights

__all__ = ["float_parts", "int8_parts", "litert_parts", "main"]

_NAME = "python -m edgeau_export.packaging.assembly"
_FLOAT, _INT8, _LITERT = "model.fp32.onnx", "model.int8.onnx", "model.int8.tflite"
# Axes of a weight as ONNX has them, in the order in which LiteRT may have them.
_ORDERS = {4: ((0, 1, 2, 3), (0, 2, 3, 1), (1, 2, 3, 0)), 2: ((0, 1), (1, 0)), 1: ((0,),)}
_LEVELS = 127


@dataclass(frozen=True)
class _Piece:
    """One part of a target that follows from its source.

    Attributes:
        start: in the target, in bytes.
        size: in bytes.
        kind: of ``weights/assemble.py``, with its arguments.
        own: bytes that it needs besides.
    """

    start: int
    size: int
    kind: tuple[Any, ...]
    own: bytes = b""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run(_NAME, _body, argv)


def _body(argv: Sequence[str] | None) -> int:
    parser = CommandParser(
        _NAME,
        "Write the files from which weights/assemble.py makes a packaged bundle's model files; run it in the checkout.",
        f"{_NAME} --bundle edgeau/default --checkpoint weights/mrpnet-default.fp16.safetensors",
    )
    parser.add_argument("--bundle", type=Path, required=True, metavar="DIR", help="bundle of the package")
    parser.add_argument(
        "--checkpoint", type=Path, required=True, metavar="FILE", help="its weights in half precision"
    )
    arguments = parser.parse_args(argv)
    root, bundle = Path.cwd(), arguments.bundle
    made = {
        f"{bundle.name}.fp32.onnx.parts": float_parts(bundle, arguments.checkpoint, root),
        f"{bundle.name}.int8.onnx.parts": int8_parts(bundle, root),
        f"{bundle.name}.int8.tflite.parts": litert_parts(bundle, root),
    }
    for name, content in made.items():
        write_whole(arguments.checkpoint.parent / name, content)
        print(f"{arguments.checkpoint.parent / name}: {len(content) / 1e6:.2f} MB")
    return DONE


def float_parts(bundle: Path, checkpoint: Path, root: Path) -> bytes:
    """Split the float file into what it is made from.

    Args:
        bundle: its folder.
        checkpoint: ``.safetensors`` in half precision; the file's weights are
            :func:`~edgeau_export.packaging.half_weights.with_half_weights` of it.
        root: the checkout; files are named by their place in it.

    Raises:
        InputError: the file's weights are not those of the checkpoint.
    """
    graph, source = onnx.load(bundle / _FLOAT), checkpoint.read_bytes()
    whole = (bundle / _FLOAT).read_bytes()
    pieces = []
    for _, weight in scaled_weights(graph, checkpoint):
        content = weight.values.astype("<f4").tobytes()
        start = whole.find(content)
        if start >= 0:
            kind = ("scaled", source.find(weight.halves.tobytes()), *weight.halves.shape)
            pieces.append(_Piece(start, len(content), kind, weight.scale.astype("<f4").tobytes()))
    if sum(piece.size for piece in pieces) < len(whole) // 2:
        raise InputError(
            f"{bundle / _FLOAT} does not hold the weights of {checkpoint}; make it with packaged_model first"
        )
    return _parts(bundle / _FLOAT, checkpoint, root, pieces)


def int8_parts(bundle: Path, root: Path) -> bytes:
    """Split ONNX Runtime's INT8 into what it is made from; arguments as :func:`float_parts`."""
    source, whole = (bundle / _FLOAT).read_bytes(), (bundle / _INT8).read_bytes()
    floats = [numpy_helper.to_array(item) for item in onnx.load(bundle / _FLOAT).graph.initializer]
    pieces = []
    for integers, scale in _quantized_weights(onnx.load(bundle / _INT8)):
        start = whole.find(integers.tobytes())
        alike = [item for item in floats if item.shape == integers.shape and item.dtype == np.float32]
        if start < 0 or not alike:
            continue
        by_steps = [(_steps(integers, item, scale), item) for item in alike]
        steps, weights = min(by_steps, key=lambda item: int(np.abs(item[0].astype(np.int64)).sum()))
        rows = integers.reshape(len(integers), -1)
        kind = ("stepped", source.find(weights.astype("<f4").tobytes()), *rows.shape)
        own = scale.astype("<f4").tobytes() + steps.tobytes()
        pieces.append(_Piece(start, integers.nbytes, kind, own))
    return _parts(bundle / _INT8, bundle / _FLOAT, root, pieces)


def litert_parts(bundle: Path, root: Path) -> bytes:
    """Split LiteRT's INT8 into what it is made from; arguments as :func:`float_parts`."""
    source, whole = (bundle / _INT8).read_bytes(), (bundle / _LITERT).read_bytes()
    pieces = []
    for initializer in onnx.load(bundle / _INT8).graph.initializer:
        values = numpy_helper.to_array(initializer)
        start = source.find(values.tobytes()) if values.nbytes >= SMALLEST else -1
        piece = None if start < 0 else _turned(values, start, whole)
        if piece is not None:
            pieces.append(piece)
    return _parts(bundle / _LITERT, bundle / _INT8, root, pieces)


def _parts(target: Path, source: Path, root: Path, pieces: Sequence[_Piece]) -> bytes:
    """A header line, and compressed the bytes that only the target has, each piece's own ones among them."""
    whole = target.read_bytes()
    rest, listed, place = [], [], 0
    for piece in sorted(pieces, key=lambda item: item.start):
        if piece.start < place:
            continue  # the same bytes as another one's
        kind, *how = piece.kind
        listed.append([piece.start, kind, *how])
        rest += [whole[place : piece.start], piece.own]
        place = piece.start + piece.size
    rest.append(whole[place:])
    header = {
        "target": target.resolve().relative_to(root.resolve()).as_posix(),
        "source": source.resolve().relative_to(root.resolve()).as_posix(),
        "bytes": len(whole),
        "sha256": hashlib.sha256(whole).hexdigest(),
        "pieces": listed,
    }
    return json.dumps(header, separators=(",", ":")).encode() + b"\n" + zlib.compress(b"".join(rest), 9)


def _quantized_weights(model: onnx.ModelProto) -> Iterator[tuple[NDArray[np.int8], NDArray[np.float32]]]:
    """8-bit weights of a Q/DQ graph with one scale an output channel along their first axis."""
    constants = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
    seen = set()
    for node in model.graph.node:
        if node.op_type != "DequantizeLinear" or node.input[0] in seen:
            continue
        integers, scale = constants.get(node.input[0]), constants.get(node.input[1])
        if integers is None or scale is None or integers.dtype != np.int8 or integers.nbytes < SMALLEST:
            continue
        seen.add(node.input[0])
        if integers.ndim >= 2 and scale.shape == (len(integers),) and _axis(node) == 0:
            yield integers, scale


def _axis(node: onnx.NodeProto) -> int:
    return next((item.i for item in node.attribute if item.name == "axis"), 1)


def _steps(
    integers: NDArray[np.int8], weights: NDArray[np.float32], scale: NDArray[np.float32]
) -> NDArray[np.int8]:
    """Integers minus those nearest to the weights, modulo 256, ``(K, n)``."""
    rows = weights.reshape(len(weights), -1).astype(np.float64)
    nearest = np.clip(np.round(rows / scale.astype(np.float64)[:, None]), -_LEVELS, _LEVELS)
    return (integers.reshape(len(integers), -1).astype(np.int64) - nearest.astype(np.int64)).astype(np.int8)


def _turned(values: NDArray[np.generic], start: int, whole: bytes) -> _Piece | None:
    for order in _ORDERS.get(values.ndim, ()):
        if values.itemsize > 1 and order != tuple(range(values.ndim)):
            continue
        place = whole.find(np.ascontiguousarray(values.transpose(order)).tobytes())
        if place >= 0:
            return _Piece(
                place, values.nbytes, ("turned", start, list(values.shape), list(order), values.itemsize)
            )
    return None


if __name__ == "__main__":
    raise SystemExit(main())
