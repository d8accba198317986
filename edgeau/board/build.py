"""Build, measure, check, record: what a bundle for a Jetson leaves to the board."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from edgeau._system.atomic_file import write_whole
from edgeau._system.atomic_folder import AtomicFolder
from edgeau.board.measure import with_accuracy
from edgeau.board.samples import SAMPLES, LabelledSamples, read_samples
from edgeau.bundle import Bundle, load_bundle
from edgeau.bundle.benchmark import Timing, time_artifacts
from edgeau.bundle.files import MANIFEST, SIGNATURE, verify
from edgeau.bundle.manifest import Artifact, Manifest, Measured
from edgeau.bundle.select import rank_timings
from edgeau.bundle.signature import SignaturePolicy, Signer, sign_bundle
from edgeau.bundle.verification import open_verified
from edgeau.errors import BundleError, EngineError, UsageError
from edgeau.runtimes.tensorrt.cuda import Cuda
from edgeau.runtimes.tensorrt.engines import remember_options
from edgeau.runtimes.tensorrt.machine import this_machine
from edgeau.runtimes.tensorrt.module import import_tensorrt
from edgeau.runtimes.tensorrt.options import EngineOptions

__all__ = ["RUNTIME", "Finished", "finish_bundle"]

RUNTIME = "tensorrt"


@dataclass(frozen=True)
class Finished:
    """The outcome of finishing a bundle.

    Attributes:
        manifest: as it now is in the bundle.
        chosen: the artifact that this machine runs.
        whole: False where an artifact cannot be used here; its row says why.
    """

    manifest: Manifest
    chosen: Artifact
    whole: bool


def finish_bundle(
    path: Path,
    options: EngineOptions | None = None,
    *,
    max_f1_drop: float = 0.01,
    signer: Signer | None = None,
) -> Finished:
    """Build an engine of each TensorRT artifact, time them against each other, check them, and record it in the manifest.

    The fastest that answers rightly comes first from then on; what does not is left out of the choice. The manifest is
    replaced at the end, whole; every other file of the bundle stays as it is.

    Args:
        path: the bundle's folder.
        options: options of the builds, remembered on this machine for the sessions to come; None takes the defaults.
        max_f1_drop: largest loss of the mean F1 on the bundle's labelled samples, against the float network, 0..1.
        signer: signs the finished bundle. Without it a signature is removed, as it no longer holds.

    Raises:
        BundleError: there is no bundle, or it has nothing for TensorRT.
        DependencyError: TensorRT, cuda-python or the driver is not there.
        EngineError: no engine can be built, or none answers rightly.
        OutputError: the bundle or the cache directory cannot be written to.
        UsageError: this machine requires signatures, and no signer is given.
    """
    if signer is None and SignaturePolicy.of().mode == "require":
        raise UsageError(
            "this machine opens signed bundles only, and finishing changes the manifest: sign it again with --sign KEY"
        )
    bundle = load_bundle(path)
    artifacts = _artifacts(bundle)
    machine = this_machine(import_tensorrt(), Cuda())  # before minutes are spent: it says what is missing
    for artifact in artifacts:
        remember_options(bundle.path(artifact.file), options or EngineOptions())
    timings = _one_of_each_file(time_artifacts(bundle, bundle.artifacts(RUNTIME), seconds=4.0))
    rows = _measure_all(bundle, timings, machine.to_dict(), max_f1_drop)
    manifest = with_measured(bundle.manifest, rows, timings)
    _replace_manifest(path, bundle.directory, manifest, signer)
    return Finished(manifest, manifest.artifacts[0], whole=all(row.fault is None for row in rows))


def with_measured(manifest: Manifest, rows: list[Measured], timings: list[Timing]) -> Manifest:
    """The manifest with what was measured: the right artifacts by speed, then those of other runtimes; nothing pending.

    Raises:
        EngineError: none of the measured artifacts may be used.
    """
    by_file = {artifact.file: artifact for artifact in manifest.artifacts}
    faults = {row.file: row.fault for row in rows if row.fault is not None}
    order = [row.file for row in rank_timings(timings) if row.file not in faults]
    if not order:
        reasons = "; ".join(f"{file}: {fault}" for file, fault in faults.items())
        raise EngineError(f"no TensorRT engine of this bundle can be used on this machine: {reasons}")
    measured = {row.file for row in rows}
    artifacts = [by_file[file] for file in order]
    artifacts += [artifact for artifact in manifest.artifacts if artifact.file not in measured]
    return replace(manifest, artifacts=tuple(artifacts), pending=(), measured=tuple(rows))


def _artifacts(bundle: Bundle) -> list[Artifact]:
    found = [artifact for artifact in bundle.manifest.artifacts if artifact.runtime == RUNTIME]
    if not found:
        raise BundleError(
            f"bundle {bundle.directory} has nothing for TensorRT: it was made for {bundle.manifest.target}; "
            "export one with --target jetson"
        )
    return found


def _one_of_each_file(timings: list[Timing]) -> list[Timing]:
    """The best row of each file: an engine that lets its threads be chosen is timed with several numbers of them."""
    best: dict[str, Timing] = {}
    for row in [*rank_timings(timings), *timings]:  # those that were not timed come last
        best.setdefault(row.file, row)
    files = dict.fromkeys(row.file for row in timings)
    return [best[file] for file in files]


def _measure_all(
    bundle: Bundle, timings: list[Timing], machine: dict[str, str], max_f1_drop: float
) -> list[Measured]:
    samples = _samples(bundle)
    by_file = {artifact.file: artifact for artifact in bundle.manifest.artifacts}
    return [_measure(bundle, by_file[row.file], row, machine, samples, max_f1_drop) for row in timings]


def _measure(
    bundle: Bundle,
    artifact: Artifact,
    timing: Timing,
    machine: dict[str, str],
    samples: LabelledSamples | None,
    max_f1_drop: float,
) -> Measured:
    row = Measured(artifact.file, RUNTIME, machine, timing.latency_ms, fault=timing.fault)
    if timing.fault is not None:
        return row
    manifest = bundle.manifest
    with open_verified(bundle, artifact) as session:
        row = replace(row, engine=str(session.describe()))
        return with_accuracy(
            row,
            artifact,
            session,
            samples,
            manifest.input,
            manifest.labels,
            _float_thresholds(manifest) or artifact.thresholds,
            max_f1_drop,
        )


def _float_thresholds(manifest: Manifest) -> dict[str, float] | None:
    """Those of the float network; None where the bundle holds quantized artifacts alone."""
    return next((item.thresholds for item in manifest.artifacts if item.calibration is None), None)


def _samples(bundle: Bundle) -> LabelledSamples | None:
    listed = any(record.file == SAMPLES for record in bundle.manifest.files)
    return read_samples(bundle.path(SAMPLES)) if listed else None


def _replace_manifest(folder: Path, verified: Path, manifest: Manifest, signer: Signer | None) -> None:
    """Put a manifest into a folder, and a signature of whole and verified files.

    Args:
        folder: of the bundle.
        verified: where its files were read from: the folder, or the copy that a signature policy reads instead.
        manifest: the new one.
        signer: see :func:`finish_bundle`.
    """
    text = json.dumps(manifest.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
    content = f"{text}\n".encode()
    if signer is None and not (folder / SIGNATURE).exists():
        write_whole(folder / MANIFEST, content)
        return
    # Manifest and signature change together: the folder is made anew beside its place.
    new = AtomicFolder(folder.resolve())
    try:
        shutil.copytree(verified, new.path, dirs_exist_ok=True, ignore=shutil.ignore_patterns(SIGNATURE))
        (new.path / MANIFEST).write_bytes(content)
        for record in manifest.files:  # minutes have passed, and a signature vouches for what is there now
            verify(new.path, record)
        if signer is not None:
            sign_bundle(new.path, signer)
        new.commit()
    finally:
        new.close()
