"""Files that edgeau can make of a bundle's network and that the bundle's target leaves out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import onnx

from edgeau.bundle import Bundle
from edgeau_export.onnx_to_tflite import PRECISIONS, tflite_bytes
from edgeau_export.source_network.onnx_graph import with_batch

FLOAT, QUANTIZED = "model.fp32.onnx", "model.int8.onnx"


class File(NamedTuple):
    """A file and the engine that runs it."""

    name: str
    runtime: str
    path: Path


def tflite_files(bundle: Bundle, folder: Path) -> Iterator[File]:
    """The TFLite precisions that are not in the bundle, written into a folder from its ONNX files."""
    present = _present(bundle)
    for precision, kind in PRECISIONS.items():
        name, source = f"model.{precision}.tflite", QUANTIZED if kind.quantized else FLOAT
        if name in present or source not in present:
            continue
        model = onnx.load(bundle.path(source))
        (folder / name).write_bytes(tflite_bytes(model, precision=precision, metadata={}))
        yield File(name, "litert", folder / name)


def batch_one_files(bundle: Bundle, folder: Path) -> Iterator[File]:
    """The ONNX files with a batch of 1 that are not in the bundle, written into a folder."""
    present = _present(bundle)
    for source in (FLOAT, QUANTIZED):
        name = source.replace(".onnx", ".b1.onnx")
        if name in present or source not in present:
            continue
        onnx.save(with_batch(onnx.load(bundle.path(source)), 1), folder / name)
        yield File(name, "onnxruntime", folder / name)


def _present(bundle: Bundle) -> set[str]:
    return {artifact.file for artifact in bundle.manifest.artifacts}
