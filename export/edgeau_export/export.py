"""The export: from a network of any origin to a verified bundle.

:func:`export_bundle` is the list of its stages; each takes values and returns one.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from edgeau._system.did_you_mean import did_you_mean
from edgeau.bundle import PACKAGED, BundleWriter
from edgeau.bundle.files import GOLDEN, REPORT_MD
from edgeau.bundle.golden import write_golden
from edgeau.bundle.manifest import Artifact, Manifest, Pending
from edgeau.bundle.packaged import DEFAULT
from edgeau.bundle.signature import Signer, sign_bundle
from edgeau.errors import UsageError
from edgeau_calibration.search.budget import MAX_F1_DROP
from edgeau_export.bundle_manifest import bundle_manifest
from edgeau_export.converters.artifacts import golden_answers, make_artifacts
from edgeau_export.packaging.board_samples import add_board_samples
from edgeau_export.packaging.landmark_networks import chosen_networks, write_networks
from edgeau_export.progress import ProgressReporter
from edgeau_export.quantization.face_crops import face_crops, packaged_crops, random_crops
from edgeau_export.quantization.int8_search import quantized_or_reasons
from edgeau_export.quantization.labelled_data import LabelledData, PublishedSet, labelled_data
from edgeau_export.report.int8 import ReportInputs, report_inputs, write_reports
from edgeau_export.report.tables import report
from edgeau_export.source_network.from_checkpoint import CheckpointSource
from edgeau_export.source_network.from_model_file import ModelFileSource
from edgeau_export.source_network.from_packaged import PackagedSource, packaged_source
from edgeau_export.source_network.from_tflite import TfliteSource
from edgeau_export.source_network.model_file import read_model_file
from edgeau_export.source_network.network import NetworkDescription, SourceNetwork
from edgeau_export.targets.selection import SelectedArtifacts, select_artifacts
from edgeau_export.targets.target import Target, load_target
from edgeau_export.tools.making import require_tools
from edgeau_export.web.site import check_site, write_site

__all__ = ["Source", "export_bundle", "open_source_network"]

_NetworkSource: TypeAlias = PackagedSource | CheckpointSource | ModelFileSource
Source: TypeAlias = _NetworkSource | TfliteSource

_NEEDS_MODEL_TOML = (".pth", ".pt", ".tar", ".ckpt", ".bin", ".onnx", ".pt2", ".tflite", ".th", ".pkl")


def export_bundle(
    target: str,
    out: Path,
    model: Path | str | None = None,
    calib: Path | None = None,
    precisions: tuple[str, ...] | None = None,
    *,
    accepted: tuple[str, ...] = (),
    max_f1_drop: float = MAX_F1_DROP,
    landmarks: Path | str | None = None,
    published: PublishedSet | None = None,
    progress: ProgressReporter | None = None,
    signer: Signer | None = None,
) -> Manifest:
    """Make a bundle: it appears whole, or the place stays as it was.

    Args:
        target: name or alias of a board, or the path of a target file.
        out: the bundle's folder; a bundle that is there is replaced.
        model: which network: the name of a packaged one, or a file (a checkpoint of edgeau, a ``model.toml``); see
            :func:`open_source_network`. None takes the packaged one that the target names.
        calib: calibration data; None takes the packaged crops.
        precisions: wanted; None takes those of the target that can be made with what is there.
        accepted: rules of the calibration linter that are overruled.
        max_f1_drop: drop of the mean F1 that INT8 may cost; of any one AU, four times as much.
        landmarks: where MediaPipe's face networks are taken from, see
            :func:`edgeau_export.packaging.landmark_networks.chosen_networks`.
        published: a data set by name that is calibrated on instead of ``calib``.
        progress: says what is done and left out; None is silent.
        signer: signs the bundle; None leaves it unsigned.

    Raises:
        UserError: something that the user can fix: target, checkpoint, calibration data, place.
        GateRefusedError: a float artifact answers otherwise than the network it was made from, or INT8 costs more than
            its budget.
    """
    progress = progress or ProgressReporter(silent=True)
    board = load_target(target)
    selected = select_artifacts(board, precisions)
    require_tools(selected, progress)
    networks = chosen_networks(landmarks, progress)
    if board.page:
        check_site(networks)
    with BundleWriter(out) as writer, ExitStack() as held:
        directory = writer.directory
        progress.step("opening the network")
        model = _of_target(board, progress) if model is None else model
        source = open_source_network(model, progress)
        description = source.description
        if board.page:
            check_site(networks, description.alignment)
        if published is not None:
            # Only here: the default is exported where the training package cannot be imported.
            from edgeau_export.quantization.published_set import calibration_data, described_with_licence

            calib = held.enter_context(calibration_data(published, description, progress))
            if not isinstance(source, TfliteSource):
                description = described_with_licence(description, published)
        as_it_is = isinstance(source, TfliteSource)
        labelled = labelled_data(calib, description, progress) if as_it_is or selected.recipes else None
        if isinstance(source, TfliteSource):
            contents = _as_it_is(source, directory, board, precisions, calib, labelled, progress)
        else:
            contents = _converted(
                source,
                description,
                directory,
                board,
                selected,
                progress,
                calib=calib,
                labelled=labelled,
                accepted=accepted,
                max_f1_drop=max_f1_drop,
                insist=precisions is not None,
            )
        write_golden(
            directory / GOLDEN, golden_answers(contents.artifacts, directory, description, contents.golden)
        )
        if description.landmark_model is not None:
            shutil.copy(description.landmark_model, directory)
        manifest = bundle_manifest(
            board.name,
            description,
            contents.artifacts,
            landmarks=None if networks is None else write_networks(directory, networks),
            pending=contents.pending,
            left_out=contents.left_out,
            with_torch=isinstance(source, CheckpointSource | ModelFileSource),
        )
        (directory / REPORT_MD).write_text(report(manifest, board), encoding="utf-8")
        if contents.report is not None:
            write_reports(directory, manifest, description.thresholds, contents.report)
        if board.page:
            write_site(directory, manifest)
        manifest = writer.finish(manifest)
        if signer is not None:
            sign_bundle(directory, signer)
        return manifest


@dataclass(frozen=True)
class _Contents:
    """Contents of a bundle beside landmark networks, manifest and table.

    Attributes:
        artifacts: artifacts, whose files are there.
        golden: crops whose answers travel, uint8 ``(n, height, width, 3)`` RGB.
        pending: what is made on the board.
        left_out: what was not made, and why.
        report: what the HTML report shows beyond the manifest; None where none is written.
    """

    artifacts: tuple[Artifact, ...]
    golden: NDArray[np.uint8]
    pending: tuple[Pending, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)
    report: ReportInputs | None = None


def _converted(
    source: _NetworkSource,
    description: NetworkDescription,
    directory: Path,
    board: Target,
    selected: SelectedArtifacts,
    progress: ProgressReporter,
    *,
    calib: Path | None,
    labelled: LabelledData | None,
    accepted: Sequence[str],
    max_f1_drop: float,
    insist: bool,
) -> _Contents:
    """Export to ONNX, quantize and convert; artifacts and board samples are written. ``insist``: no precision is left out."""
    progress.step("exporting to ONNX")
    network = SourceNetwork(description, source.graph(board.opset), source.float_accuracy)
    faces = face_crops(
        calib,
        network,
        selected.recipes,
        progress,
        insist=insist,
        accepted=accepted,
        labelled=labelled is not None,
    )
    if faces.used is None:
        selected = selected.without_quantization()
    reference = source.reference(faces.for_parity)
    quantized, unmade = quantized_or_reasons(
        selected.recipes,
        network,
        faces,
        labelled,
        max_f1_drop,
        progress,
        source.int8 if calib is None else None,
        insist=insist,
    )
    artifacts, left_out = make_artifacts(
        selected.artifacts, directory, network, reference, progress, quantized, faces.held_out, unmade
    )
    if for_board := [artifact for artifact in artifacts if artifact.runtime == "tensorrt"]:
        add_board_samples(directory, network, for_board, progress)
    inputs = ReportInputs()
    if quantized:
        progress.step("measuring what the quantization costs, tensor by tensor")
        inputs = report_inputs(
            directory,
            network,
            artifacts,
            faces.held_out,
            quantized,
            labelled,
            own_faces=calib is not None,
        )
    pending = tuple(
        Pending(stage.stage, stage.reason, stage.command)
        for stage in selected.pending
        if stage.source not in left_out
    )
    return _Contents(artifacts, faces.golden, pending, left_out, inputs)


def _as_it_is(
    source: TfliteSource,
    directory: Path,
    board: Target,
    precisions: tuple[str, ...] | None,
    calib: Path | None,
    labelled: LabelledData | None,
    progress: ProgressReporter,
) -> _Contents:
    """Take a file that is converted already: nothing is made of it, and faces with labels measure it."""
    description = source.description
    artifact = source.artifact(directory, board, precisions)
    if labelled is not None:
        artifact = replace(artifact, accuracy=source.accuracy(artifact, directory, labelled))
    elif calib is not None:
        progress.notice(f"{calib.name} has no labels to measure F1 on: a .tflite file is not calibrated")
    crops = packaged_crops(description.alignment)
    if crops is None:
        progress.notice("no face crops are at hand: golden answers are those of random inputs")
        crops = random_crops(description.alignment)
    return _Contents((artifact,), crops)


def _of_target(target: Target, progress: ProgressReporter) -> str:
    """Choose what the target takes by itself: with a notice where that is not what most targets take."""
    if target.model != DEFAULT:
        progress.notice(
            f"{target.title} uses {target.model} ({PACKAGED[target.model]}) by default; --model {DEFAULT} uses the larger network"
        )
    return target.model


def open_source_network(model: Path | str, progress: ProgressReporter) -> Source:
    """Open what ``--model`` names.

    Args:
        model: a name of :data:`edgeau.bundle.PACKAGED`, a ``.safetensors`` checkpoint of edgeau, or a ``model.toml``.
        progress: says which weights of a file were taken, and that a network was never trained.

    Raises:
        UserError: it does not exist, cannot be opened, or is not what it says.
    """
    source = _opened(model)
    if isinstance(source, ModelFileSource | TfliteSource):
        progress.notice(f"{Path(model).name}: {source.taken}")
    network = source.description.network
    if not network.trained:
        progress.notice(f"UNTRAINED: {network.title} has random weights; its answers are meaningless")
    return source


def _opened(model: Path | str) -> Source:
    if isinstance(model, str) and model in PACKAGED:
        return packaged_source(model)
    path = Path(model)
    if path.suffix == ".toml":
        described = read_model_file(path)
        return TfliteSource(described) if described.weights.suffix == ".tflite" else ModelFileSource(path)
    if path.suffix in _NEEDS_MODEL_TOML and path.is_file():
        raise UsageError(
            f"{path} alone does not say its labels and what it sees: describe it in a model.toml; "
            f"edgeau-export --describe {path} prints one to fill in"
        )
    if not path.suffix and not path.exists():
        raise UsageError(
            f"{model} is neither a file nor a packaged network; {did_you_mean(str(model), PACKAGED)}packaged are {', '.join(PACKAGED)}"
        )
    return CheckpointSource(path)
