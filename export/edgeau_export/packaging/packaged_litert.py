r"""Adds LiteRT's INT8 file to a bundle that the package carries, so that either engine alone runs it.

Run after :mod:`edgeau_export.packaging.packaged_int8`, and again whenever its file changes::

    python -m edgeau_export.packaging.packaged_litert --bundle edgeau/default

The file's weights are those of the bundle's ONNX file, byte for byte, so the repository keeps only the rest of it
(:mod:`edgeau_export.packaging.assembly`).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edgeau._system.command import DONE, CommandParser, run
from edgeau._system.scratch_folder import scratch_folder
from edgeau.bundle import Bundle, BundleWriter, load_bundle
from edgeau.bundle.files import MANIFEST
from edgeau.bundle.manifest import Artifact
from edgeau.errors import BundleError
from edgeau_export.converters.artifacts import held_out_reference, make_artifact
from edgeau_export.packaging.packaging_command import (
    PACKAGED_OPSET,
    add_golden_answer,
    copy_files,
    packaged_faces,
)
from edgeau_export.progress import ProgressReporter
from edgeau_export.source_network.from_packaged import PackagedSource
from edgeau_export.source_network.network import SourceNetwork
from edgeau_export.targets.target import TargetArtifact

__all__ = ["add_litert", "main"]

_NAME = "python -m edgeau_export.packaging.packaged_litert"
_FILE = "model.int8.tflite"
_SOURCE = "model.int8.onnx"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run(_NAME, _body, argv)


def _body(argv: Sequence[str] | None) -> int:
    parser = CommandParser(
        _NAME,
        "Add LiteRT's INT8 file to a packaged bundle.",
        f"{_NAME} --bundle edgeau/default",
    )
    parser.add_argument("--bundle", type=Path, required=True, metavar="DIR", help="bundle of the package")
    arguments = parser.parse_args(argv)
    artifact = add_litert(arguments.bundle, ProgressReporter(_NAME))
    print(f"{artifact.file}: {artifact.bytes / 1e6:.1f} MB")
    return DONE


def add_litert(bundle: Path, progress: ProgressReporter) -> Artifact:
    """Convert the INT8 file of a bundle for LiteRT, and write the bundle anew with it; one that is there is replaced.

    Args:
        bundle: folder; it stays as it was if anything fails.
        progress: says what is done.

    Raises:
        BundleError: it has no INT8 for ONNX Runtime.
    """
    with scratch_folder("litert") as folder:
        return _added(bundle, _without(bundle, Path(folder)), progress)


def _added(bundle: Path, source: Bundle, progress: ProgressReporter) -> Artifact:
    recipe = _recipe(source)
    origin = PackagedSource(source)
    network = SourceNetwork(origin.description, origin.graph(PACKAGED_OPSET))
    packaged = origin.int8(recipe)
    faces = packaged_faces(source)
    assert packaged is not None, "its recipe was read from it"
    assert faces.held_out is not None, "the packaged crops are enough to hold some out"
    progress.step(f"converting {_SOURCE} for LiteRT")
    with BundleWriter(bundle) as writer:
        copy_files(source, writer.directory)
        artifact = make_artifact(
            TargetArtifact(_FILE, "litert", "int8", batch=1, recipe=recipe),
            writer.directory,
            network,
            origin.reference(None),
            {recipe: packaged},
            held_out_reference(network, faces.held_out),
        )
        add_golden_answer(source, writer.directory, artifact, network.description)
        artifacts = (*source.manifest.artifacts, artifact)
        writer.finish(replace(source.manifest, artifacts=artifacts))
    return artifact


def _without(bundle: Path, folder: Path) -> Bundle:
    """A copy of the bundle that has no LiteRT file: that may not be assembled, or be an older one."""
    manifest = json.loads((bundle / MANIFEST).read_text("utf-8"))
    for kind in ("artifacts", "files"):
        manifest[kind] = [item for item in manifest[kind] if item["file"] != _FILE]
    for record in manifest["files"]:
        shutil.copy(bundle / record["file"], folder / record["file"])
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    return load_bundle(folder)


def _recipe(bundle: Bundle) -> str:
    for artifact in bundle.manifest.artifacts:
        if artifact.file == _SOURCE and artifact.calibration is not None:
            return artifact.calibration.recipe
    raise BundleError(
        f"{bundle.directory} has no {_SOURCE}; add it with edgeau_export.packaging.packaged_int8"
    )


if __name__ == "__main__":
    raise SystemExit(main())
