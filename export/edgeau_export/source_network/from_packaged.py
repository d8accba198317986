"""The float network from a bundle that the package carries: needs onnx and onnxruntime, no torch."""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeau.bundle import Bundle, load_bundle, packaged_bundle_path
from edgeau.bundle.golden import read_golden
from edgeau.bundle.manifest import Accuracy, Artifact
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.errors import BundleError
from edgeau.runtimes.precision import PRECISIONS
from edgeau_calibration.graph.quantizable_layers import float_layers
from edgeau_calibration.recipe import load_recipe
from edgeau_export.converters.tensorrt.packaged_int8 import FILE as TENSORRT_INT8
from edgeau_export.converters.tensorrt.packaged_int8 import read_packaged
from edgeau_export.quantization.quantized_graph import QuantizedGraph
from edgeau_export.source_network.network import NetworkDescription, Reference

__all__ = ["PackagedSource", "packaged_source"]


class PackagedSource:
    """A packaged network: what its bundle says, its float graph, and its golden answers.

    Args:
        bundle: with a float ONNX file.

    Raises:
        BundleError: it has none.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._float = _float_artifact(self._bundle)
        self.description = _describe(self._bundle, self._float)

    def graph(self, opset: int) -> onnx.ModelProto:
        """The packaged float graph, dynamic batch, with the metadata it was packaged with.

        Raises:
            BundleError: it was packaged in a newer operator set than the target reads.
        """
        model = onnx.load(self._bundle.path(self._float.file))
        packaged = next(item.version for item in model.opset_import if item.domain in ("", "ai.onnx"))
        if packaged > opset:
            raise BundleError(
                f"{self._name} is ONNX opset {packaged}, this target reads up to {opset}; "
                "export from its checkpoint with --model FILE"
            )
        return model

    @property
    def _name(self) -> str:
        return f"the packaged {self._bundle.directory.name}"

    @property
    def float_accuracy(self) -> Accuracy | None:
        """Accuracy of the float network that was measured when the bundle was made."""
        return self._float.accuracy

    @property
    def float_sha256(self) -> str:
        """Digest of the float file, hex."""
        return self._float.sha256

    def int8(self, recipe: str) -> QuantizedGraph | None:
        """The INT8 that was quantized to its budget by a recipe when the bundle was made; None where there is none.

        Raises:
            BundleError: its file is not what the manifest says; install edgeau again.
        """
        wanted = load_recipe(recipe)
        if wanted.weight_pairs:
            return self._for_tensorrt(recipe)
        for artifact in self._bundle.manifest.artifacts:
            if artifact.calibration is None or artifact.runtime != "onnxruntime":
                continue
            graph = onnx.load(self._bundle.path(artifact.file))
            # A measured graph without a float layer is what a recipe for accelerators asks for, whatever made it.
            if artifact.calibration.recipe == recipe or (wanted.throughout and not float_layers(graph)):
                return QuantizedGraph(
                    graph=graph,
                    calibration=artifact.calibration,
                    thresholds=artifact.thresholds,
                    fused_thresholds=artifact.fused_thresholds,
                    accuracy=artifact.accuracy,
                    network_accuracy=artifact.network_accuracy,
                    packaged=True,
                )
        return None

    def _for_tensorrt(self, recipe: str) -> QuantizedGraph | None:
        if all(record.file != TENSORRT_INT8 for record in self._bundle.manifest.files):
            return None
        graph = onnx.load(self._bundle.path(self._float.file))
        int8 = read_packaged(self._bundle.path(TENSORRT_INT8), graph, self.float_sha256)
        return int8 if int8.calibration.recipe == recipe else None

    def reference(self, crops: NDArray[np.uint8] | None) -> Reference:  # noqa: ARG002 - as CheckpointSource
        """The golden answers that were recorded when the bundle was made; other crops have none."""
        golden = read_golden(self._bundle.path(self._bundle.manifest.golden))
        answer = golden.answers.get(self._float.file)
        if answer is None:
            raise BundleError(
                f"{self._name} has no golden answers for {self._float.file}; install edgeau again"
            )
        batch = Preprocessor(self.description.input).batch(golden.crops)
        return Reference(
            name=f"{self._name}'s golden answers",
            inputs=f"its {len(batch)} golden crops",
            batch=batch,
            logits=answer.logits,
            tolerance=PRECISIONS["fp32"].tolerance.logit,
        )


def packaged_source(name: str) -> PackagedSource:
    """The source of a bundle that the package carries.

    Args:
        name: one of :data:`edgeau.bundle.PACKAGED`.

    Raises:
        BundleError: this installation carries none of this name, or it is damaged.
    """
    try:
        path = packaged_bundle_path(name)
    except BundleError as error:
        raise BundleError(
            f"this copy of edgeau carries no {name} bundle to export; pass --model FILE, "
            "or install edgeau from its wheel"
        ) from error
    return PackagedSource(load_bundle(path))


def _float_artifact(bundle: Bundle) -> Artifact:
    for artifact in bundle.manifest.artifacts:
        if (artifact.runtime, artifact.precision, artifact.batch) == ("onnxruntime", "fp32", None):
            return artifact
    raise BundleError(f"the packaged bundle {bundle.directory} has no float ONNX file with a dynamic batch")


def _describe(bundle: Bundle, artifact: Artifact) -> NetworkDescription:
    manifest = bundle.manifest
    model = manifest.landmark_model
    return NetworkDescription(
        network=manifest.network,
        labels=manifest.labels,
        input=manifest.input,
        alignment=manifest.alignment,
        thresholds=artifact.thresholds,
        licences=manifest.licences,
        fused_thresholds=artifact.fused_thresholds,
        experimental=manifest.experimental,
        fusion=manifest.fusion,
        landmark_model=None if model is None else bundle.path(model),
    )
