"""Adds INT8 for TensorRT to a bundle that the package carries: symmetric pairs, searched on labelled faces, measured.

Run after :mod:`edgeau_export.packaging.packaged_model`::

    python -m edgeau_export.packaging.packaged_tensorrt --data data/synth --bundle edgeau/default

Beside the float network that is there anyway it takes a quarter of the room of an ONNX file of its own
(:mod:`edgeau_export.converters.tensorrt.packaged_int8`); an export for a board with TensorRT writes the ONNX file of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgeau._system.command import DONE, run
from edgeau.bundle import BundleWriter, load_bundle
from edgeau_export.converters.tensorrt.packaged_int8 import FILE, write_packaged
from edgeau_export.packaging.packaging_command import (
    PACKAGED_OPSET,
    copy_files,
    cost_line,
    labelled_splits_of,
    packaged_faces,
    packaged_parser,
)
from edgeau_export.progress import ProgressReporter
from edgeau_export.quantization.int8_search import search_int8
from edgeau_export.quantization.quantized_graph import QuantizedGraph
from edgeau_export.source_network.from_packaged import PackagedSource

__all__ = ["RECIPE", "add_tensorrt_int8", "main"]

_NAME = "python -m edgeau_export.packaging.packaged_tensorrt"
RECIPE = "symmetric"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run(_NAME, _body, argv)


def add_tensorrt_int8(
    bundle: Path, data: Path, max_f1_drop: float, progress: ProgressReporter
) -> QuantizedGraph:
    """Quantize the float network of a packaged bundle within the budget, and write the bundle anew with it.

    Args:
        bundle: folder; it stays as it was if anything fails.
        data: synthetic data set with ``val`` and ``test``.
        max_f1_drop: drop of the mean F1 that is allowed.
        progress: says what is done.

    Raises:
        GateRefusedError: the budget cannot be met.
        InputError: the data set has no labelled splits.
    """
    source = load_bundle(bundle)
    network = PackagedSource(source)
    labelled = labelled_splits_of(data, network.description)
    graph = network.graph(PACKAGED_OPSET)
    int8 = search_int8(
        graph, network.description, RECIPE, packaged_faces(source), labelled, max_f1_drop, progress
    )
    with BundleWriter(bundle) as writer:
        copy_files(source, writer.directory, without=(FILE,))
        write_packaged(writer.directory / FILE, int8, graph, network.float_sha256)
        writer.finish(source.manifest)
    return int8


def _body(argv: Sequence[str] | None) -> int:
    parser = packaged_parser(_NAME, "Add INT8 for TensorRT, within a budget of F1, to a packaged bundle.")
    arguments = parser.parse_args(argv)
    int8 = add_tensorrt_int8(arguments.bundle, arguments.data, arguments.max_f1_drop, ProgressReporter(_NAME))
    accuracy = int8.accuracy
    assert accuracy is not None
    print(cost_line(FILE, (arguments.bundle / FILE).stat().st_size, accuracy))
    return DONE


if __name__ == "__main__":
    raise SystemExit(main())
