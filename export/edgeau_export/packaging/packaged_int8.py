r"""Adds INT8 to a bundle that the package carries: searched on labelled faces within the budget, measured, recorded.

Run after :mod:`edgeau_export.packaging.packaged_model`, which does it unless told not to::

    python -m edgeau_export.packaging.packaged_int8 --data data/synth --bundle edgeau/default

It is calibrated on the very crops that the package carries, so that anybody can make it again; an INT8 that is there is
replaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edgeau._system.command import DONE, run
from edgeau.bundle import BundleWriter, load_bundle
from edgeau.bundle.manifest import Artifact, Manifest
from edgeau_calibration.search.pareto import write_front
from edgeau_export.converters.artifacts import held_out_reference, make_artifact
from edgeau_export.packaging.packaging_command import (
    PACKAGED_OPSET,
    add_golden_answer,
    copy_files,
    cost_line,
    labelled_splits_of,
    packaged_faces,
    packaged_parser,
)
from edgeau_export.progress import ProgressReporter
from edgeau_export.quantization.int8_search import quantized_graphs
from edgeau_export.source_network.from_packaged import PackagedSource
from edgeau_export.source_network.network import SourceNetwork
from edgeau_export.targets.target import TargetArtifact

__all__ = ["RECIPE", "add_int8", "main"]

_NAME = "python -m edgeau_export.packaging.packaged_int8"
RECIPE = "robust"
_FILE = "model.int8.onnx"
_FRONT = "int8_front.json"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run(_NAME, _body, argv)


def add_int8(
    bundle: Path, data: Path, max_f1_drop: float, progress: ProgressReporter, recipe: str = RECIPE
) -> Artifact:
    """Quantize the float network of a packaged bundle within the budget, and write the bundle anew with it.

    Args:
        bundle: folder; it stays as it was if anything fails.
        data: synthetic data set with ``val`` and ``test``.
        max_f1_drop: drop of the mean F1 that is allowed.
        progress: says what is done.
        recipe: by name.

    Raises:
        GateRefusedError: the budget cannot be met.
        InputError: the data set has no labelled splits.
    """
    source = load_bundle(bundle)
    packaged = PackagedSource(source)
    network = SourceNetwork(packaged.description, packaged.graph(PACKAGED_OPSET))
    labelled = labelled_splits_of(data, network.description)
    faces = packaged_faces(source)
    assert faces.held_out is not None, "the packaged crops are enough to hold some out"
    with BundleWriter(bundle) as writer:
        directory = writer.directory
        copy_files(source, directory, without=(_FILE, _FRONT))
        quantized = quantized_graphs((recipe,), network, faces, labelled, max_f1_drop, progress)
        artifact = make_artifact(
            TargetArtifact(_FILE, "onnxruntime", "int8", recipe=recipe),
            directory,
            network,
            packaged.reference(None),
            quantized,
            held_out_reference(network, faces.held_out),
        )
        write_front(directory / _FRONT, quantized[recipe].points, f"{data.name}, split val")
        add_golden_answer(source, directory, artifact, network.description)
        writer.finish(_with(source.manifest, artifact))
    return artifact


def _with(manifest: Manifest, artifact: Artifact) -> Manifest:
    others = tuple(item for item in manifest.artifacts if item.file != artifact.file)
    return replace(manifest, artifacts=(*others, artifact))


def _body(argv: Sequence[str] | None) -> int:
    parser = packaged_parser(_NAME, "Add INT8, within a budget of F1, to a packaged bundle.")
    parser.add_argument(
        "--recipe", default=RECIPE, metavar="NAME", help="of edgeau_calibration (default %(default)s)"
    )
    arguments = parser.parse_args(argv)
    artifact = add_int8(
        arguments.bundle, arguments.data, arguments.max_f1_drop, ProgressReporter(_NAME), arguments.recipe
    )
    accuracy = artifact.accuracy
    assert accuracy is not None
    print(cost_line(artifact.file, artifact.bytes, accuracy))
    return DONE


if __name__ == "__main__":
    raise SystemExit(main())
