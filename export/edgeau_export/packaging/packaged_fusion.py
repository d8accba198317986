r"""Gives a packaged bundle another landmark model and fusion; its networks stay as they are.

Run after a fusion was fitted anew for the same network::

    python -m edgeau_training.evaluation.fusion_command edgeau/default landmark.npz --data data/synth \
        --real real-faces --out fusion.json
    python -m edgeau_export.packaging.packaged_fusion --fusion fusion.json --landmark-model landmark.npz \
        --data data/synth --bundle edgeau/default

Every artifact is measured anew on the test split, fused, at its own thresholds where the fusion brings them (``--also`` of
``fusion_command``), else at those of the float network.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx

from edgeau._system.command import DONE, run
from edgeau._system.records import from_dict
from edgeau.action_units.landmark_model import LandmarkModel
from edgeau.bundle import Bundle, BundleWriter, load_bundle
from edgeau.bundle.manifest import Accuracy, Artifact, Fusion
from edgeau.errors import InputError
from edgeau.metrics import macro_mean
from edgeau.runtimes import open_session
from edgeau.runtimes.table import runtime_named
from edgeau_export.converters.tensorrt.packaged_int8 import FILE as TENSORRT
from edgeau_export.converters.tensorrt.packaged_int8 import read_packaged, write_packaged
from edgeau_export.packaging.packaged_model import SEEN_ON_REAL_FACES, of_labels, read_fusion
from edgeau_export.packaging.packaging_command import PACKAGED_OPSET, copy_files, cost_line, packaged_parser
from edgeau_export.progress import ProgressReporter
from edgeau_export.quantization.labelled_data import f1_by_label
from edgeau_export.source_network.from_packaged import PackagedSource

__all__ = ["main", "with_fusion"]

_NAME = "python -m edgeau_export.packaging.packaged_fusion"
_SPLIT = "test"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run(_NAME, _body, argv)


def _body(argv: Sequence[str] | None) -> int:
    parser = packaged_parser(_NAME, "Gives a packaged bundle another landmark model and fusion.")
    parser.add_argument("--fusion", type=Path, required=True, metavar="JSON", help="of fusion_command")
    parser.add_argument("--landmark-model", type=Path, required=True, metavar="NPZ")
    arguments = parser.parse_args(argv)
    bundle = with_fusion(
        arguments.bundle,
        read_fusion(arguments.fusion),
        arguments.landmark_model,
        arguments.data,
        ProgressReporter(_NAME),
    )
    for artifact in bundle.manifest.artifacts:
        if artifact.accuracy is not None:
            print(cost_line(artifact.file, artifact.bytes, artifact.accuracy))
    return DONE


def with_fusion(
    bundle: Path, fitted: dict[str, Any], landmark_model: Path, data: Path, progress: ProgressReporter
) -> Bundle:
    """Write the bundle anew with another landmark model and fusion.

    Args:
        bundle: folder; it stays as it was if anything fails.
        fitted: what ``fusion_command`` wrote, for the bundle's float network and this landmark model.
        landmark_model: ``.npz`` file.
        data: synthetic data set with a test split, to measure on.
        progress: says what is done.

    Raises:
        BundleError: there is no bundle, or the landmark model is damaged.
        InputError: the fusion lacks a label.
    """
    LandmarkModel.load(landmark_model)
    source = load_bundle(bundle)
    manifest = source.manifest
    if manifest.landmark_model is None:
        raise InputError(f"{bundle} has no landmark model to replace")
    fusion = from_dict(Fusion, fitted["fusion"], "fusion")
    thresholds = of_labels(fitted["thresholds"]["fused"], manifest.labels)
    own = {
        file: of_labels(values, manifest.labels)
        for file, values in fitted.get("artifact_thresholds", {}).items()
    }
    with BundleWriter(bundle) as writer:
        directory = writer.directory
        copy_files(source, directory)
        shutil.copy(landmark_model, directory / manifest.landmark_model)
        measure = _Measure(source, directory / manifest.landmark_model, fusion, data)
        artifacts = [
            _measured(artifact, measure, own.get(artifact.file, thresholds), progress)
            for artifact in manifest.artifacts
        ]
        if (directory / TENSORRT).is_file():
            _rewrite_tensorrt(source, directory, measure, thresholds, progress)
        writer.finish(
            replace(
                manifest,
                artifacts=tuple(artifacts),
                fusion=fusion,
                experimental=tuple(label for label in manifest.labels if label not in SEEN_ON_REAL_FACES),
            )
        )
    return load_bundle(bundle)


class _Measure:
    """Fused accuracy of a network's file on the test split; the first file that is measured is the float one."""

    def __init__(self, source: Bundle, landmark_model: Path, fusion: Fusion, data: Path) -> None:
        self.source, self._landmark_model, self._data = source, landmark_model, data
        self._fusion = fusion
        self._float: Accuracy | None = None

    def __call__(self, file: Path, runtime: str, fitted: dict[str, float]) -> Accuracy:
        # Training's readers and scorers: heavy, and only this command needs them.
        from edgeau_training.evaluation.faces import open_faces
        from edgeau_training.evaluation.metrics import measure
        from edgeau_training.evaluation.run import predict
        from edgeau_training.evaluation.scorers.landmark import FusedScorer, LandmarkScorer
        from edgeau_training.evaluation.scorers.scorer import thresholds_of
        from edgeau_training.evaluation.scorers.session import SessionScorer

        manifest = self.source.manifest
        thresholds = thresholds_of(manifest.labels, fitted)
        session = open_session(runtime_named(runtime).measuring_name, file, threads=1)
        network = SessionScorer(
            file.name,
            session,
            manifest.labels,
            spec=manifest.input,
            alignment=manifest.alignment,
            thresholds=thresholds,
        )
        scorer = FusedScorer(network, LandmarkScorer(self._landmark_model), self._fusion, thresholds)
        with closing(scorer):
            (found,) = predict((scorer,), open_faces(self._data, _SPLIT)).predictions
            engine = session.describe().computed_in
        return self._accuracy(measure(found), engine)

    def _accuracy(self, metrics: Any, engine: str) -> Accuracy:
        f1 = f1_by_label(metrics.labels, metrics.f1)
        reference = self._float
        drops = (
            [0.0]
            if reference is None
            else [
                before - after
                for label, before in reference.f1.items()
                if before is not None and (after := f1[label]) is not None
            ]
        )
        mean = macro_mean(metrics.f1)
        accuracy = Accuracy(
            data=f"synthetic faces, split {_SPLIT}; network and landmarks fused",
            count=int(metrics.labelled.max()),
            f1=f1,
            f1_mean=mean,
            f1_drop_mean=0.0 if reference is None else reference.f1_mean - mean,
            f1_drop_max=max(drops),
            engine=engine,
        )
        self._float = self._float or accuracy
        return accuracy


def _measured(
    artifact: Artifact, measure: _Measure, thresholds: dict[str, float], progress: ProgressReporter
) -> Artifact:
    progress.step(f"measuring {artifact.file}, fused")
    accuracy = measure(measure.source.path(artifact.file), artifact.runtime, thresholds)
    return replace(artifact, fused_thresholds=thresholds, accuracy=accuracy)


def _rewrite_tensorrt(
    source: Bundle,
    directory: Path,
    measure: _Measure,
    thresholds: dict[str, float],
    progress: ProgressReporter,
) -> None:
    """TensorRT's INT8, which stands beside the artifacts: its graph as it was, its thresholds and accuracy anew."""
    graph = PackagedSource(source).graph(PACKAGED_OPSET)
    (network,) = (item for item in source.manifest.artifacts if item.precision == "fp32")
    int8 = read_packaged(directory / TENSORRT, graph, network.sha256)
    progress.step("measuring TensorRT's INT8, fused")
    file = directory / ".tensorrt.onnx"
    onnx.save(int8.graph, file)
    try:
        accuracy = measure(file, "tensorrt", thresholds)
    finally:
        file.unlink()
    changed = replace(int8, accuracy=accuracy, fused_thresholds=thresholds)
    write_packaged(directory / TENSORRT, changed, graph, network.sha256)


if __name__ == "__main__":
    raise SystemExit(main())
