r"""Makes a bundle that the package carries: network, its INT8, landmark model, fusion, calibration crops.

Run once after each training that is worth it::

    python -m edgeau_export.packaging.packaged_model --checkpoint weights/mrpnet-default.fp16.safetensors \
        --landmark-model landmark.npz --fusion fusion.json --data data/synth --out edgeau/default
    python -m edgeau_export.packaging.assembly --bundle edgeau/default --checkpoint weights/mrpnet-default.fp16.safetensors

``fusion.json`` is what ``python -m edgeau_training.evaluation.fusion_command`` writes: the fusion, the thresholds, and what
was measured on the test split. INT8 is added last (:mod:`edgeau_export.packaging.packaged_int8`): until then the float network stands alone.
A checkpoint in half precision gives the float file its weights to the bit (:mod:`edgeau_export.packaging.half_weights`).
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgeau._system.command import DONE, CommandParser, run
from edgeau._system.json_text import parse_json
from edgeau._system.records import from_dict
from edgeau.action_units.landmark_model import LandmarkModel
from edgeau.action_units.names import labels as au_labels
from edgeau.bundle import BundleWriter
from edgeau.bundle.files import GOLDEN
from edgeau.bundle.golden import Golden, write_golden
from edgeau.bundle.manifest import Accuracy, Fusion, Manifest
from edgeau.errors import InputError
from edgeau.runtimes.precision import PRECISIONS
from edgeau_calibration.data.load import load_calibration_set
from edgeau_calibration.data.packaged import FILE as CALIBRATION
from edgeau_calibration.data.packaged import pack
from edgeau_export.bundle_manifest import bundle_manifest
from edgeau_export.converters.artifacts import artifact_answer, make_artifact
from edgeau_export.converters.parity import refuse_if_weights_differ
from edgeau_export.packaging.half_weights import with_half_weights
from edgeau_export.packaging.packaged_int8 import add_int8
from edgeau_export.packaging.packaged_litert import add_litert
from edgeau_export.packaging.packaged_tensorrt import add_tensorrt_int8
from edgeau_export.packaging.packaging_command import PACKAGED_OPSET, add_max_f1_drop
from edgeau_export.progress import ProgressReporter
from edgeau_export.quantization.face_crops import GOLDEN_COUNT
from edgeau_export.source_network.from_checkpoint import CheckpointSource
from edgeau_export.source_network.network import NetworkDescription, SourceNetwork
from edgeau_export.targets.target import TargetArtifact

__all__ = ["SEEN_ON_REAL_FACES", "main", "of_labels", "read_fusion"]

_NAME = "python -m edgeau_export.packaging.packaged_model"
_MODEL = TargetArtifact("model.fp32.onnx", "onnxruntime", "fp32")
_LANDMARK_MODEL = "landmark_model.npz"

# AUs that are validated on real faces (docs/model-card.md says on which); the others of the label set are experimental.
SEEN_ON_REAL_FACES = au_labels((1, 2, 4, 5, 6, 9, 10, 12, 15, 17, 25, 26, 43))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run(_NAME, _body, argv)


def _body(argv: Sequence[str] | None) -> int:
    parser = CommandParser(
        _NAME,
        "Make a packaged bundle.",
        f"{_NAME} --checkpoint mrpnet.fp16.safetensors --landmark-model landmark.npz --fusion fusion.json "
        "--data data/synth --out edgeau/default",
    )
    parser.add_argument(
        "--checkpoint", type=Path, required=True, metavar="FILE", help="of edgeau-train, in half precision"
    )
    parser.add_argument(
        "--landmark-model", type=Path, required=True, metavar="NPZ", help="of edgeau_training.landmark_model"
    )
    parser.add_argument(
        "--fusion",
        type=Path,
        required=True,
        metavar="JSON",
        help="of edgeau_training.evaluation.fusion_command",
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help="synthetic data set: golden and calibration crops",
    )
    parser.add_argument(
        "--without-calibration",
        action="store_true",
        help="store no calibration crops: INT8 is calibrated on those of the packaged default",
    )
    parser.add_argument(
        "--without-int8",
        action="store_true",
        help="only the float network, without quantization, which takes half an hour",
    )
    add_max_f1_drop(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to make or replace")
    arguments = parser.parse_args(argv)
    fusion = read_fusion(arguments.fusion)
    LandmarkModel.load(arguments.landmark_model)  # a damaged one is refused before any work
    with BundleWriter(arguments.out) as writer:
        manifest = _fill(writer.directory, arguments, fusion)
        writer.finish(manifest)
    if not arguments.without_int8:
        add_int8(arguments.out, arguments.data, arguments.max_f1_drop, ProgressReporter(_NAME))
        add_tensorrt_int8(arguments.out, arguments.data, arguments.max_f1_drop, ProgressReporter(_NAME))
        add_litert(arguments.out, ProgressReporter(_NAME))
    print(f"{arguments.out}: {sum(file.stat().st_size for file in arguments.out.iterdir()) / 1e6:.1f} MB")
    return DONE


def _fill(directory: Path, arguments: Any, fitted: dict[str, Any]) -> Manifest:
    source = CheckpointSource(arguments.checkpoint)
    landmark_model = Path(shutil.copy(arguments.landmark_model, directory / _LANDMARK_MODEL))
    description = replace(_described(source.description, fitted), landmark_model=landmark_model)
    crops = load_calibration_set(arguments.data, description.alignment, GOLDEN_COUNT).crops
    graph, reference = source.graph(PACKAGED_OPSET), source.reference(crops)
    # The gate on weights comes before they lose bits; answers are then compared as those of half precision are.
    refuse_if_weights_differ(directory / _MODEL.file, graph, reference)
    network = SourceNetwork(description, with_half_weights(graph, arguments.checkpoint), _accuracy(fitted))
    reference = replace(
        reference, tolerance=PRECISIONS["fp16"].tolerance.logit, float32_error=None, weights=None
    )
    artifact = make_artifact(_MODEL, directory, network, reference)
    answers = {artifact.file: artifact_answer(artifact, directory, description, crops)}
    write_golden(directory / GOLDEN, Golden(crops, answers))
    if not arguments.without_calibration:
        pack(arguments.data, directory / CALIBRATION)
    return bundle_manifest("cpu", description, (artifact,), with_torch=True)


def _described(description: NetworkDescription, fitted: dict[str, Any]) -> NetworkDescription:
    thresholds = fitted["thresholds"]
    return replace(
        description,
        thresholds=of_labels(thresholds["network"], description.labels),
        fused_thresholds=of_labels(thresholds["fused"], description.labels),
        experimental=tuple(label for label in description.labels if label not in SEEN_ON_REAL_FACES),
        fusion=from_dict(Fusion, fitted["fusion"], "fusion"),
    )


def of_labels(values: dict[str, float], labels: tuple[str, ...]) -> dict[str, float]:
    """The values of some labels, in their order; InputError where one is missing."""
    missing = [label for label in labels if label not in values]
    if missing:
        raise InputError(
            f"the fusion was fitted without {', '.join(missing)} of the checkpoint; fit it again"
        )
    return {label: float(values[label]) for label in labels}


def _accuracy(fitted: dict[str, Any]) -> Accuracy:
    """Convert the accuracy that the fused model reached, as the device will run it."""
    measured = fitted["measured"]["fused"]
    return Accuracy(
        data=f"synthetic faces, split {fitted['measured_on']}; network and landmarks fused",
        count=int(max(values["labelled"] for values in measured["per_au"].values())),
        f1={label: values["f1"]["value"] for label, values in measured["per_au"].items()},
        f1_mean=measured["mean"]["f1"]["value"],
        f1_drop_mean=0.0,
        f1_drop_max=0.0,
    )


def read_fusion(file: Path) -> dict[str, Any]:
    """Read what ``fusion_command`` wrote; InputError where the file is something else."""
    try:
        fitted: dict[str, Any] = parse_json(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{file} cannot be read as a fusion ({error}); fusion_command writes one") from error
    missing = [key for key in ("fusion", "thresholds", "measured", "measured_on") if key not in fitted]
    if missing:
        raise InputError(f"{file} is not a fusion: it has no {', '.join(missing)}; fusion_command writes one")
    return fitted


if __name__ == "__main__":
    raise SystemExit(main())
