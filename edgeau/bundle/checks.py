"""Checks of a manifest beyond the types of its fields."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from edgeau.bundle.manifest import Artifact, Manifest
from edgeau.errors import BundleError
from edgeau.runtimes.table import runtimes

__all__ = ["LONGEST_SIDE", "check_manifest"]

LONGEST_SIDE = 4096
"""Pixels of a side of a crop at most; networks of faces see some hundreds."""


def check_manifest(manifest: Manifest, where: str = "manifest.json") -> None:
    """Check that the parts of a manifest agree with each other.

    Raises:
        BundleError: they do not; the message names ``where`` and the part.
    """
    _require(bool(manifest.labels), where, "labels: there is none")
    _require(len(set(manifest.labels)) == len(manifest.labels), where, "labels: one appears twice")
    for what, items in (
        ("artifacts", [f"{artifact.runtime} {artifact.file}" for artifact in manifest.artifacts]),
        ("files", [file.file for file in manifest.files]),
    ):
        twice = next((item for item in items if items.count(item) > 1), None)
        _require(twice is None, where, f"{what}: {twice} appears twice")
    _require(bool(manifest.artifacts), where, "artifacts: there is none")
    _require(set(manifest.experimental) <= set(manifest.labels), where, "experimental: not among the labels")
    _check_input(manifest, where)
    _check_files(manifest, where)
    for artifact in manifest.artifacts:
        _check_artifact(artifact, manifest, where)
    if manifest.fusion is not None:
        _require(manifest.landmark_model is not None, where, "fusion: needs a landmark_model")
        for part in ("network", "landmark", "bias"):
            _check_labels(getattr(manifest.fusion, part), manifest.labels, where, f"fusion: {part}")
        if manifest.fusion.rest is not None:
            _check_labels(manifest.fusion.rest, manifest.labels, where, "fusion: rest")


def _check_input(manifest: Manifest, where: str) -> None:
    spec = manifest.input
    _require(spec.layout == "NCHW", where, f"input: layout {spec.layout!r}; this edgeau knows NCHW")
    known = ("RGB", "BGR", "GRAY")
    _require(spec.color in known, where, f"input: color {spec.color!r}; this edgeau knows {', '.join(known)}")
    for name, values in (("mean", spec.mean), ("std", spec.std)):
        _require(
            len(values) == spec.channels,
            where,
            f"input: {name} has {len(values)} values, {spec.color} has {spec.channels}",
        )
    sides = all(1 <= side <= LONGEST_SIDE for side in spec.size)
    _require(sides, where, f"input: size {spec.size}; a side has 1 to {LONGEST_SIDE} pixels")
    _require(min(spec.std) > 0, where, f"input: std must be above 0, got {spec.std}")
    height, width = manifest.alignment.shape
    _require(
        spec.size == (height, width),
        where,
        f"input: size {spec.size} is not the alignment's {height} x {width}",
    )


def _check_files(manifest: Manifest, where: str) -> None:
    names = [record.file for record in manifest.files]
    for name in names:
        path = PurePosixPath(name)
        inside = bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\\" not in name
        _require(inside, where, f"files: {name!r} is not a path inside the bundle")
    wanted = [artifact.file for artifact in manifest.artifacts] + [manifest.golden]
    wanted += [item.compiled.source for item in manifest.artifacts if item.compiled and item.compiled.source]
    if manifest.landmark_model is not None:
        wanted.append(manifest.landmark_model)
    networks = manifest.landmarks
    if networks is not None:
        wanted += [networks.detector, networks.mesh, networks.notice]
        together = PurePosixPath(networks.detector).parent == PurePosixPath(networks.mesh).parent
        _require(together, where, "landmarks: detector and mesh lie in two folders")
    for name in wanted:
        _require(name in names, where, f"files: {name!r} is used but not listed")


def _check_artifact(artifact: Artifact, manifest: Manifest, where: str) -> None:
    (record,) = (record for record in manifest.files if record.file == artifact.file)
    same = (record.bytes, record.sha256) == (artifact.bytes, artifact.sha256)
    _require(same, where, f"artifacts: {artifact.file!r} has another size or digest than under files")
    # Each engine reads further files beside those of other formats, which nobody lists: OpenVINO a .bin beside an .xml.
    row = runtimes().get(artifact.runtime)
    if row is not None:
        fits = artifact.file.endswith(row.suffix)
        _require(
            fits,
            where,
            f"artifacts: {artifact.file!r} does not end in {row.suffix}, as files of {row.title} do",
        )
    _require(artifact.batch is None or artifact.batch >= 1, where, f"artifacts: batch of {artifact.file!r}")
    known = artifact.answers in ("logits", "probabilities")
    _require(known, where, f"artifacts: {artifact.file!r} answers {artifact.answers!r}, which is not known")
    for field in ("thresholds", "fused_thresholds"):
        thresholds = getattr(artifact, field)
        if thresholds is not None:
            place = f"artifacts: {field} of {artifact.file!r}"
            _check_labels(thresholds, manifest.labels, where, place)
            _require(all(0 <= value <= 1 for value in thresholds.values()), where, f"{place} leave 0..1")


def _check_labels(given: Iterable[str], labels: tuple[str, ...], where: str, field: str) -> None:
    odd = set(given) ^ set(labels)
    _require(not odd, where, f"{field} and the labels differ in {', '.join(sorted(odd))}")


def _require(condition: bool, where: str, fault: str) -> None:
    if not condition:
        raise BundleError(f"{where}: {fault}; the file is damaged or was edited, export the bundle again")
