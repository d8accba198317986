r"""Adds LiteRT's INT8 file to a bundle that the package carries, so that either engine alone runs it.

Run after :mod:`edgeau_export.packaging.default_int8`, and again whenever its file changes::

    python -m edgeau_export.packaging.default_litert --bundle edgeau/default --parts weights/default.int8.tflite.parts

The file's weights are those of the bundle's ONNX file, byte for byte. So the repository keeps only the rest of it
(``--parts``), and ``weights/assemble.py`` puts the file together where edgeau is built or installed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from edgeau._system.atomic_file import write_whole
from edgeau._system.command import DONE, CommandParser, run
from edgeau.bundle import Bundle, BundleWriter, load_bundle
from edgeau.bundle.files import MANIFEST
from edgeau.bundle.golden import Golden, read_golden, write_golden
from edgeau.bundle.manifest import Artifact
from edgeau.errors import BundleError
from edgeau_export.converters.artifacts import artifact_answer, held_out_reference, make_artifact
from edgeau_export.packaging.default_parts import DEFAULT_OPSET, packaged_faces
from edgeau_export.progress import ProgressReporter
from edgeau_export.source_network.from_default import DefaultSource
from edgeau_export.source_network.network import SourceNetwork
from edgeau_export.targets.target import TargetArtifact

__all__ = ["add_litert", "main", "parts_of"]

_NAME = "python -m edgeau_export.packaging.default_litert"
_FILE = "model.int8.tflite"
_SOURCE = "model.int8.onnx"
# Below this a copy costs more to describe than to keep.
_SMALLEST = 256
# Axes of a weight as ONNX has them, in the order in which LiteRT may have them.
_ORDERS = {4: ((0, 1, 2, 3), (0, 2, 3, 1), (1, 2, 3, 0)), 2: ((0, 1), (1, 0)), 1: ((0,),)}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run(_NAME, _body, argv)


def _body(argv: Sequence[str] | None) -> int:
    parser = CommandParser(
        _NAME,
        "Adds LiteRT's INT8 file to a bundle that the package carries.",
        f"{_NAME} --bundle edgeau/default --parts weights/default.int8.tflite.parts",
    )
    parser.add_argument("--bundle", type=Path, required=True, metavar="DIR", help="bundle of the package")
    parser.add_argument(
        "--parts", type=Path, metavar="FILE", help="write what weights/assemble.py makes the file from"
    )
    arguments = parser.parse_args(argv)
    artifact = add_litert(arguments.bundle, ProgressReporter(_NAME))
    print(f"{artifact.file}: {artifact.bytes / 1e6:.1f} MB")
    if arguments.parts is not None:
        write_whole(arguments.parts, parts_of(arguments.bundle, Path.cwd()))
        print(f"{arguments.parts}: {arguments.parts.stat().st_size / 1e6:.2f} MB")
    return DONE


def add_litert(bundle: Path, progress: ProgressReporter) -> Artifact:
    """Convert the INT8 file of a bundle for LiteRT, and write the bundle anew with it; one that is there is replaced.

    Args:
        bundle: folder; it stays as it was if anything fails.
        progress: says what is done.

    Raises:
        BundleError: it has no INT8 for ONNX Runtime.
    """
    source = _without(bundle)
    recipe = _recipe(source)
    default = DefaultSource(source)
    network = SourceNetwork(default.description, default.graph(DEFAULT_OPSET))
    packaged = default.int8(recipe)
    faces = packaged_faces(source)
    assert packaged is not None, "its recipe was read from it"
    assert faces.held_out is not None, "the packaged crops are enough to hold some out"
    progress.step(f"converting {_SOURCE} for LiteRT")
    with BundleWriter(bundle) as writer:
        for record in source.manifest.files:
            if record.file not in (MANIFEST, _FILE):
                shutil.copy(source.path(record.file), writer.directory / record.file)
        artifact = make_artifact(
            TargetArtifact(_FILE, "litert", "int8", batch=1, recipe=recipe),
            writer.directory,
            network,
            default.reference(None),
            {recipe: packaged},
            held_out_reference(network, faces.held_out),
        )
        golden = read_golden(source.path(source.manifest.golden))
        answer = artifact_answer(artifact, writer.directory, network.description, golden.crops)
        answers = {**golden.answers, artifact.file: answer}
        write_golden(writer.directory / source.manifest.golden, Golden(golden.crops, answers))
        artifacts = (*source.manifest.artifacts, artifact)
        writer.finish(replace(source.manifest, artifacts=artifacts))
    return artifact


def _without(bundle: Path) -> Bundle:
    """The bundle as if it had no LiteRT file: that may not be assembled, or be an older one."""
    manifest = json.loads((bundle / MANIFEST).read_text("utf-8"))
    kept = [item for item in manifest["artifacts"] if item["file"] != _FILE]
    if len(kept) == len(manifest["artifacts"]):
        return load_bundle(bundle)
    manifest["artifacts"] = kept
    manifest["files"] = [item for item in manifest["files"] if item["file"] != _FILE]
    write_whole(bundle / MANIFEST, (json.dumps(manifest, indent=2) + "\n").encode())
    return load_bundle(bundle)


def _recipe(bundle: Bundle) -> str:
    for artifact in bundle.manifest.artifacts:
        if artifact.file == _SOURCE and artifact.calibration is not None:
            return artifact.calibration.recipe
    raise BundleError(
        f"{bundle.directory} has no {_SOURCE}; add it with edgeau_export.packaging.default_int8"
    )


def parts_of(bundle: Path, root: Path) -> bytes:
    """Split the bundle's LiteRT file into what ``weights/assemble.py`` makes it from: its header, and the bytes that only it has.

    Args:
        bundle: with both files.
        root: the checkout; the header names both files by their place in it.
    """
    source, target = bundle / _SOURCE, bundle / _FILE
    whole = target.read_bytes()
    copies = _copies(source.read_bytes(), onnx.load(source), whole)
    rest, place = [], 0
    for start, _, shape, _, item in copies:
        rest.append(whole[place:start])
        place = start + int(np.prod(shape)) * item
    rest.append(whole[place:])
    header = {
        "target": target.resolve().relative_to(root.resolve()).as_posix(),
        "source": source.resolve().relative_to(root.resolve()).as_posix(),
        "bytes": len(whole),
        "sha256": hashlib.sha256(whole).hexdigest(),
        "copies": copies,
    }
    return json.dumps(header, separators=(",", ":")).encode() + b"\n" + zlib.compress(b"".join(rest), 9)


_Copy = tuple[int, int, list[int], list[int], int]


def _copies(source: bytes, model: onnx.ModelProto, whole: bytes) -> list[_Copy]:
    """Place in the target, place in the source, shape there, order of axes, bytes of a value; no two overlap."""
    found: list[_Copy] = []
    for initializer in model.graph.initializer:
        values = numpy_helper.to_array(initializer)
        start = source.find(values.tobytes()) if values.nbytes >= _SMALLEST else -1
        copy = None if start < 0 else _copy(values, start, whole)
        if copy is not None:
            found.append(copy)
    kept: list[_Copy] = []
    end = 0
    for copy in sorted(found, key=lambda item: item[0]):
        if copy[0] >= end:
            kept.append(copy)
            end = copy[0] + int(np.prod(copy[2])) * copy[4]
    return kept


def _copy(values: NDArray[np.generic], start: int, whole: bytes) -> _Copy | None:
    for order in _ORDERS.get(values.ndim, ()):
        if values.itemsize > 1 and order != tuple(range(values.ndim)):
            continue
        place = whole.find(np.ascontiguousarray(values.transpose(order)).tobytes())
        if place >= 0:
            return place, start, list(values.shape), list(order), values.itemsize
    return None


if __name__ == "__main__":
    raise SystemExit(main())
