"""The export: from a checkpoint or the packaged default to a verified bundle."""

from __future__ import annotations

import errno
import shutil
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

import edgeau
from edgeau.bundle import BundleWriter
from edgeau.bundle.files import GOLDEN, REPORT_MD
from edgeau.bundle.golden import Golden, write_golden
from edgeau.bundle.manifest import Artifact, LandmarkNetworks, Manifest, Pending
from edgeau.errors import OutputError
from edgeau.faces.landmarks.mediapipe_models import LandmarkModels
from edgeau_export.context import Bench
from edgeau_export.converters.artifacts import ArtifactMaker
from edgeau_export.packaging.board_samples import add_board_samples
from edgeau_export.packaging.landmark_networks import LICENCE_LINE, chosen_networks, write_networks
from edgeau_export.progress import Voice
from edgeau_export.quantization.calibration_crops import calibration_for
from edgeau_export.quantization.face_crops import FaceCrops, packaged_crops
from edgeau_export.quantization.int8_search import MAX_F1_DROP
from edgeau_export.quantization.labelled_data import labelled_data
from edgeau_export.quantization.predicted_activity import FloatJudge
from edgeau_export.report.int8 import write_reports
from edgeau_export.report.int8.inputs import gather
from edgeau_export.report.int8_evidence import candidates_of, labelled_of
from edgeau_export.report.markdown import report
from edgeau_export.source_network.from_checkpoint import CheckpointSource
from edgeau_export.source_network.from_default import DefaultSource
from edgeau_export.source_network.tools import tool_versions
from edgeau_export.targets.selection import Plan, make_plan
from edgeau_export.targets.target import Target, load_target

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import onnx

    from edgeau_export.source_network.description import Description

__all__ = ["ExportRequest", "export_bundle"]

# A full disk, a full quota, a file that may not grow: the user's to fix, where any other OSError would be our bug.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class ExportRequest:
    """What to export.

    Attributes:
        target: name or alias of a board, or the path of a target file.
        out: the bundle's folder; a bundle that is there is replaced.
        checkpoint: ``.safetensors`` file; None takes the packaged default.
        calib: calibration data; None takes the packaged crops.
        precisions: wanted; None takes those of the target that can be made with what is there.
        accepted: rules of the calibration linter that are overruled.
        max_f1_drop: drop of the mean F1 that INT8 may cost; of any one AU, four times as much.
        landmarks: where MediaPipe's face networks are taken from, see
            :func:`edgeau_export.packaging.landmark_networks.chosen_networks`.
    """

    target: str
    out: Path
    checkpoint: Path | None = None
    calib: Path | None = None
    precisions: tuple[str, ...] | None = None
    accepted: tuple[str, ...] = ()
    max_f1_drop: float = MAX_F1_DROP
    landmarks: Path | str | None = None


def export_bundle(request: ExportRequest, voice: Voice | None = None) -> Manifest:
    """Make a bundle: it appears whole, or the place stays as it was.

    Args:
        request: what to export.
        voice: says what is done and left out; None is silent.

    Raises:
        UserError: something that the user can fix: target, checkpoint, calibration data, place.
        GateRefusedError: a float artifact answers otherwise than the network it was made from, or INT8 costs more than
            its budget.
    """
    target = load_target(request.target)
    plan = make_plan(target, request.precisions)
    voice = voice or Voice(silent=True)
    networks = chosen_networks(request.landmarks, voice)
    try:
        with BundleWriter(request.out) as writer:
            return writer.finish(_fill(writer.directory, request, target, plan, networks, voice))
    except OSError as error:
        if error.errno in _FULL:
            raise OutputError(
                f"{request.out} cannot be written: {error.strerror}; nothing was left"
            ) from error
        raise


def _fill(
    directory: Path,
    request: ExportRequest,
    target: Target,
    plan: Plan,
    networks: LandmarkModels | None,
    voice: Voice,
) -> Manifest:
    """Write everything but the manifest."""
    voice.step("opening the network")
    source = CheckpointSource(request.checkpoint) if request.checkpoint else DefaultSource()
    if not source.description.network.trained:
        voice.notice(
            f"UNTRAINED: {source.description.network.title} has random weights; its answers mean nothing"
        )
    made = cache(partial(source.graph, target.opset))
    plan, faces = _faces(request, plan, source.description, made, voice)
    voice.step("exporting to ONNX")
    reference = source.reference(faces.for_parity)
    graph = made()
    bench = Bench(
        directory,
        source.description,
        graph,
        reference,
        faces,
        voice,
        labelled=labelled_data(request.calib, source.description) if plan.quantizes else None,
        max_f1_drop=request.max_f1_drop,
        float_accuracy=source.float_accuracy,
        packaged_int8=source.int8 if request.calib is None else None,
    )
    maker = ArtifactMaker(bench)
    artifacts = tuple(maker.make(item) for item in plan.artifacts)
    _write_golden(directory, maker, artifacts, faces, source.description)
    add_board_samples(bench, artifacts)
    if source.description.landmark_model is not None:
        shutil.copy(source.description.landmark_model, directory)
    tools = tool_versions(from_checkpoint=request.checkpoint is not None)
    landmarks = None if networks is None else write_networks(directory, networks)
    manifest = _manifest(target, plan, source.description, artifacts, landmarks, tools)
    (directory / REPORT_MD).write_text(report(manifest, target), encoding="utf-8")
    voice.step("measuring what the quantization costs, tensor by tensor")
    evidence = gather(
        bench,
        artifacts,
        own_faces=request.calib is not None,
        labelled=labelled_of(bench, artifacts),
        candidates=candidates_of(bench),
        drop_is="mean F1 drop" if bench.labelled is not None else "flipped decisions",
    )
    write_reports(directory, manifest, source.description.thresholds, evidence)
    return manifest


def _faces(
    request: ExportRequest,
    plan: Plan,
    description: Description,
    graph: Callable[[], onnx.ModelProto],
    voice: Voice,
) -> tuple[Plan, FaceCrops]:
    alignment = description.alignment
    plan, calibration = calibration_for(
        plan,
        request.calib,
        alignment,
        voice,
        insist=request.precisions is not None,
        judge=FloatJudge(graph, description) if description.network.trained else None,
        accepted=request.accepted,
    )
    used, held_out = (None, None) if calibration is None else calibration.hold_out()
    faces = FaceCrops(used, held_out, packaged_crops(alignment))
    if faces.for_parity is None:
        voice.notice("no face crops are at hand: parity and golden answers are those of random inputs")
    if faces.golden_source is not None:
        voice.notice(f"faces of {faces.golden_source} travel in the bundle, as its golden answers")
    return plan, faces


def _write_golden(
    directory: Path,
    maker: ArtifactMaker,
    artifacts: tuple[Artifact, ...],
    faces: FaceCrops,
    description: Description,
) -> None:
    crops = faces.for_golden(description.alignment)
    answers = {artifact.file: maker.answer(artifact, crops) for artifact in artifacts}
    write_golden(directory / GOLDEN, Golden(crops, answers))


def _manifest(
    target: Target,
    plan: Plan,
    description: Description,
    artifacts: tuple[Artifact, ...],
    landmarks: LandmarkNetworks | None,
    tools: dict[str, str],
) -> Manifest:
    model = description.landmark_model
    return Manifest(
        edgeau_version=edgeau.__version__,
        target=target.name,
        network=description.network,
        labels=description.labels,
        input=description.input,
        alignment=description.alignment,
        artifacts=artifacts,
        golden=GOLDEN,
        files=(),
        experimental=description.experimental,
        landmark_model=None if model is None else model.name,
        fusion=description.fusion,
        landmarks=landmarks,
        pending=tuple(Pending(stage.stage, stage.reason, stage.command) for stage in plan.pending),
        licences=description.licences if landmarks is None else (*description.licences, LICENCE_LINE),
        tools=tools,
    )
