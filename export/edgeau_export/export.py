"""The export: from a network of any origin to a verified bundle.

Each stage takes values and returns one: target -> selected artifacts -> source network -> face crops -> quantized graphs ->
artifacts (converted and measured) -> golden answers and samples -> manifest -> reports.
"""

from __future__ import annotations

import errno
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from edgeau.bundle import BundleWriter
from edgeau.bundle.files import GOLDEN, REPORT_MD
from edgeau.bundle.golden import Golden, write_golden
from edgeau.bundle.manifest import Artifact, Manifest, Pending
from edgeau.errors import ConversionError, OutputError
from edgeau.faces.landmarks.mediapipe_models import LandmarkModels
from edgeau_export.bundle_manifest import bundle_manifest
from edgeau_export.converters.artifacts import artifact_answer, held_out_reference, make_artifact
from edgeau_export.packaging.board_samples import add_board_samples
from edgeau_export.packaging.landmark_networks import chosen_networks, write_networks
from edgeau_export.progress import ProgressReporter
from edgeau_export.quantization.calibration_crops import calibration_for, predicted_activity
from edgeau_export.quantization.face_crops import FaceCrops, packaged_crops
from edgeau_export.quantization.int8_search import MAX_F1_DROP, quantized_graphs
from edgeau_export.quantization.labelled_data import labelled_data
from edgeau_export.quantization.quantized_graph import QuantizedGraph
from edgeau_export.report.int8 import report_inputs, write_reports
from edgeau_export.report.tables import report
from edgeau_export.source_network.from_default import DefaultSource
from edgeau_export.source_network.network import NetworkDescription, Reference, SourceNetwork
from edgeau_export.source_network.opening import DEFAULT, open_source_network
from edgeau_export.targets.selection import SelectedArtifacts, select_artifacts
from edgeau_export.targets.target import Target, load_target

__all__ = ["ExportRequest", "export_bundle"]

# A full disk, a full quota, a file that may not grow: the user's to fix, where any other OSError would be our bug.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class ExportRequest:
    """What to export.

    Attributes:
        target: name or alias of a board, or the path of a target file.
        out: the bundle's folder; a bundle that is there is replaced.
        model: which network: the name of a packaged one, or a file (a checkpoint of edgeau, a ``model.toml``); see
            :func:`edgeau_export.source_network.opening.open_source_network`.
        calib: calibration data; None takes the packaged crops.
        precisions: wanted; None takes those of the target that can be made with what is there.
        accepted: rules of the calibration linter that are overruled.
        max_f1_drop: drop of the mean F1 that INT8 may cost; of any one AU, four times as much.
        landmarks: where MediaPipe's face networks are taken from, see
            :func:`edgeau_export.packaging.landmark_networks.chosen_networks`.
    """

    target: str
    out: Path
    model: Path | str = DEFAULT
    calib: Path | None = None
    precisions: tuple[str, ...] | None = None
    accepted: tuple[str, ...] = ()
    max_f1_drop: float = MAX_F1_DROP
    landmarks: Path | str | None = None


def export_bundle(request: ExportRequest, progress: ProgressReporter | None = None) -> Manifest:
    """Make a bundle: it appears whole, or the place stays as it was.

    Args:
        request: what to export.
        progress: says what is done and left out; None is silent.

    Raises:
        UserError: something that the user can fix: target, checkpoint, calibration data, place.
        GateRefusedError: a float artifact answers otherwise than the network it was made from, or INT8 costs more than
            its budget.
    """
    target = load_target(request.target)
    selected = select_artifacts(target, request.precisions)
    progress = progress or ProgressReporter(silent=True)
    networks = chosen_networks(request.landmarks, progress)
    try:
        with BundleWriter(request.out) as writer:
            return writer.finish(_make(writer.directory, request, target, selected, networks, progress))
    except OSError as error:
        if error.errno in _FULL:
            raise OutputError(
                f"{request.out} cannot be written: {error.strerror}; nothing was left"
            ) from error
        raise


def _make(
    directory: Path,
    request: ExportRequest,
    target: Target,
    selected: SelectedArtifacts,
    networks: LandmarkModels | None,
    progress: ProgressReporter,
) -> Manifest:
    """Write everything but the manifest."""
    progress.step("opening the network")
    source = open_source_network(request.model, progress)
    _warn_if_untrained(source.description, progress)
    progress.step("exporting to ONNX")
    network = SourceNetwork(source.description, source.graph(target.opset), source.float_accuracy)
    selected, faces = _face_crops(request, selected, network, progress)
    reference = source.reference(faces.for_parity)
    labelled = labelled_data(request.calib, network.description) if selected.quantizes else None
    quantized = quantized_graphs(
        selected.recipes,
        network,
        faces,
        labelled,
        request.max_f1_drop,
        progress,
        packaged=source.int8 if request.calib is None else None,
    )
    held_out = held_out_reference(network, faces.held_out) if quantized and faces.held_out else None
    made, left_out = _artifacts(selected, directory, network, reference, quantized, held_out, progress)
    _write_golden(directory, made, faces, network.description)
    add_board_samples(directory, network, made, progress)
    if network.description.landmark_model is not None:
        shutil.copy(network.description.landmark_model, directory)
    manifest = bundle_manifest(
        target.name,
        network.description,
        made,
        landmarks=None if networks is None else write_networks(directory, networks),
        pending=tuple(
            Pending(stage.stage, stage.reason, stage.command)
            for stage in selected.pending
            if stage.source not in left_out
        ),
        left_out=left_out,
        with_torch=not isinstance(source, DefaultSource),
    )
    (directory / REPORT_MD).write_text(report(manifest, target), encoding="utf-8")
    progress.step("measuring what the quantization costs, tensor by tensor")
    inputs = report_inputs(
        directory, network, made, faces.held_out, quantized, labelled, own_faces=request.calib is not None
    )
    write_reports(directory, manifest, network.description.thresholds, inputs)
    return manifest


def _artifacts(
    selected: SelectedArtifacts,
    directory: Path,
    network: SourceNetwork,
    reference: Reference,
    quantized: dict[str, QuantizedGraph],
    held_out: Reference | None,
    progress: ProgressReporter,
) -> tuple[tuple[Artifact, ...], dict[str, str]]:
    """What could be made, and by file why the rest could not.

    Raises:
        ConversionError: nothing could be made.
        GateRefusedError: an artifact was made and is not the same network.
    """
    made, failed = [], {}
    for wanted in selected.artifacts:
        progress.step(f"making {wanted.file} ({wanted.precision})")
        try:
            made.append(make_artifact(wanted, directory, network, reference, quantized, held_out))
        except ConversionError as error:
            (directory / wanted.file).unlink(missing_ok=True)
            failed[wanted.file] = error
    if not made:
        raise next(iter(failed.values()))
    reasons = {file: str(reason) for file, reason in failed.items()}
    for file, reason in reasons.items():
        progress.notice(f"{file} is left out: {reason}")
    return tuple(made), reasons


def _warn_if_untrained(description: NetworkDescription, progress: ProgressReporter) -> None:
    if not description.network.trained:
        progress.notice(
            f"UNTRAINED: {description.network.title} has random weights; its answers mean nothing"
        )


def _face_crops(
    request: ExportRequest, selected: SelectedArtifacts, network: SourceNetwork, progress: ProgressReporter
) -> tuple[SelectedArtifacts, FaceCrops]:
    alignment = network.description.alignment
    selected, calibration = calibration_for(
        selected,
        request.calib,
        alignment,
        progress,
        insist=request.precisions is not None,
        activity_of=partial(predicted_activity, network) if network.description.network.trained else None,
        accepted=request.accepted,
    )
    used, held_out = (None, None) if calibration is None else calibration.hold_out()
    faces = FaceCrops(used, held_out, packaged_crops(alignment))
    if faces.for_parity is None:
        progress.notice("no face crops are at hand: parity and golden answers are those of random inputs")
    if faces.golden_source is not None:
        progress.notice(f"faces of {faces.golden_source} travel in the bundle, as its golden answers")
    return selected, faces


def _write_golden(
    directory: Path, artifacts: tuple[Artifact, ...], faces: FaceCrops, description: NetworkDescription
) -> None:
    crops = faces.for_golden(description.alignment)
    answers = {item.file: artifact_answer(item, directory, description, crops) for item in artifacts}
    write_golden(directory / GOLDEN, Golden(crops, answers))
