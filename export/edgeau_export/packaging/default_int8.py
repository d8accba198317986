r"""Adds INT8 to the default model that the package carries: searched on labelled faces within the budget, measured, recorded.

Run after :mod:`edgeau_export.packaging.default_model`, which does it unless told not to::

    python -m edgeau_export.packaging.default_int8 --data data/synth --bundle edgeau/default

It is calibrated on the very crops that the package carries, so that anybody can make it again; an INT8 that is there is
replaced.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgeau._system.command import DONE, run
from edgeau.bundle import BundleWriter, load_bundle
from edgeau.bundle.files import MANIFEST
from edgeau.bundle.golden import Golden, read_golden, write_golden
from edgeau.errors import InputError
from edgeau_calibration.search.pareto import write_front
from edgeau_export.context import Bench
from edgeau_export.converters.artifacts import ArtifactMaker
from edgeau_export.packaging.default_parts import cost_line, default_parser, packaged_faces
from edgeau_export.progress import Voice
from edgeau_export.quantization.labelled_data import labelled_data
from edgeau_export.source_network.from_default import DefaultSource
from edgeau_export.targets.target import TargetArtifact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeau.bundle import Bundle
    from edgeau.bundle.manifest import Artifact, Manifest

__all__ = ["RECIPE", "add_int8", "main"]

_NAME = "python -m edgeau_export.packaging.default_int8"
RECIPE = "robust"
_FILE = "model.int8.onnx"
_FRONT = "int8_front.json"
_OPSET = 17


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run(_NAME, _body, argv)


def add_int8(bundle: Path, data: Path, max_f1_drop: float, voice: Voice, recipe: str = RECIPE) -> Artifact:
    """Quantize the float network of a default bundle within the budget, and write the bundle anew with it.

    Args:
        bundle: folder; it stays as it was if anything fails.
        data: synthetic data set with ``val`` and ``test``.
        max_f1_drop: drop of the mean F1 that is allowed.
        voice: says what is done.
        recipe: by name.

    Raises:
        GateRefusedError: the budget cannot be met.
        InputError: the data set has no labelled splits.
    """
    source = load_bundle(bundle)
    with BundleWriter(bundle) as writer:
        _copy_but_int8(source, writer.directory)
        bench = _bench(source, writer.directory, data, max_f1_drop, voice)
        maker = ArtifactMaker(bench)
        artifact = maker.make(TargetArtifact(_FILE, "onnxruntime", "int8", recipe=recipe))
        write_front(writer.directory / _FRONT, bench.tried_by_recipe[recipe], f"{data.name}, split val")
        golden = read_golden(source.path(source.manifest.golden))
        answers = {**golden.answers, artifact.file: maker.answer(artifact, golden.crops)}
        write_golden(writer.directory / source.manifest.golden, Golden(golden.crops, answers))
        writer.finish(_with(source.manifest, artifact))
    return artifact


def _copy_but_int8(source: Bundle, directory: Path) -> None:
    for record in source.manifest.files:
        if record.file not in (MANIFEST, _FILE, _FRONT):
            shutil.copy(source.path(record.file), directory / record.file)


def _bench(source: Bundle, directory: Path, data: Path, max_f1_drop: float, voice: Voice) -> Bench:
    network = DefaultSource(source)
    labelled = labelled_data(data, network.description)
    if labelled is None:
        raise InputError(
            f"{data} has no splits val and test with labels to measure F1 on; give a data set of edgeau-synth"
        )
    return Bench(
        directory,
        network.description,
        network.graph(_OPSET),
        network.reference(None),
        packaged_faces(source),
        voice,
        labelled=labelled,
        max_f1_drop=max_f1_drop,
    )


def _with(manifest: Manifest, artifact: Artifact) -> Manifest:
    others = tuple(item for item in manifest.artifacts if item.file != artifact.file)
    return replace(manifest, artifacts=(*others, artifact))


def _body(argv: Sequence[str] | None) -> int:
    parser = default_parser(
        _NAME, "Adds INT8, within a budget of F1, to the default model that the package carries."
    )
    parser.add_argument(
        "--recipe", default=RECIPE, metavar="NAME", help="of edgeau_calibration (default %(default)s)"
    )
    arguments = parser.parse_args(argv)
    artifact = add_int8(
        arguments.bundle, arguments.data, arguments.max_f1_drop, Voice(_NAME), arguments.recipe
    )
    accuracy = artifact.accuracy
    assert accuracy is not None
    print(cost_line(artifact.file, artifact.bytes, accuracy))
    return DONE


if __name__ == "__main__":
    raise SystemExit(main())
