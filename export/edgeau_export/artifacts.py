"""Making the artifacts of a plan, in its order, each measured as soon as it exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx

from edgeau.bundle.files import record_of
from edgeau.bundle.golden import Answer
from edgeau.bundle.manifest import Artifact, Calibration, Parity
from edgeau.preprocessing import Preprocessor
from edgeau.probability import sigmoid
from edgeau_calibration.recipe import load_recipe
from edgeau_calibration.static_int8 import static_int8
from edgeau_export.onnx_graph import with_batch
from edgeau_export.parity import measured_parity, refuse_if_beyond, run_artifact
from edgeau_export.reference import Reference

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from edgeau_calibration.crops import CalibrationSet
    from edgeau_export.description import Description
    from edgeau_export.face_crops import FaceCrops
    from edgeau_export.target import TargetArtifact
    from edgeau_export.voice import Voice

__all__ = ["ArtifactMaker"]


class ArtifactMaker:
    """Writes artifacts into a folder.

    Args:
        directory: where to.
        description: of the network.
        graph: float, dynamic batch.
        reference: what float artifacts must answer.
        faces: to calibrate and measure on.
        voice: says what is being done.
    """

    def __init__(
        self,
        directory: Path,
        description: Description,
        graph: onnx.ModelProto,
        reference: Reference,
        faces: FaceCrops,
        voice: Voice,
    ) -> None:
        self._directory = directory
        self._description = description
        self._graph = graph
        self._reference = reference
        self._faces = faces
        self._voice = voice
        self._thresholds = np.array(
            [description.thresholds[label] for label in description.labels], np.float32
        )

    def make(self, plan: TargetArtifact) -> Artifact:
        """Write one artifact and measure it.

        Raises:
            GateRefusedError: a float artifact answers otherwise than its reference.
        """
        self._voice.step(f"making {plan.file} ({plan.precision})")
        graph = with_batch(self._graph, plan.batch)
        if plan.recipe is None:
            onnx.save(graph, self._directory / plan.file)
            return self._recorded(plan, self._float_parity(plan), None)
        return self._quantized(plan, graph, plan.recipe)

    def answer(self, artifact: Artifact, crops: NDArray[np.uint8]) -> Answer:
        """What an artifact says to crops, uint8 ``(n, S, S, 3)`` RGB."""
        batch = Preprocessor(self._description.input).batch(crops)
        logits = run_artifact(artifact.runtime, self._directory / artifact.file, batch)
        return Answer(logits, sigmoid(logits) >= self._thresholds)

    def _float_parity(self, plan: TargetArtifact) -> Parity:
        logits = run_artifact(plan.runtime, self._directory / plan.file, self._reference.batch)
        parity = measured_parity(self._reference, logits, self._thresholds, gated=True)
        refuse_if_beyond(plan.file, parity)
        return parity

    def _quantized(self, plan: TargetArtifact, graph: onnx.ModelProto, recipe: str) -> Artifact:
        used, held_out = self._faces.used, self._faces.held_out
        assert used is not None, f"{plan.file} was planned without calibration crops"
        assert held_out is not None
        model = static_int8(graph, used.crops, self._description.input, load_recipe(recipe))
        onnx.save(model, self._directory / plan.file)
        calibration = Calibration(used.digest, len(used), used.source, recipe)
        return self._recorded(plan, self._int8_parity(plan, held_out), calibration)

    def _int8_parity(self, plan: TargetArtifact, held_out: CalibrationSet) -> Parity:
        batch = Preprocessor(self._description.input).batch(held_out.crops)
        reference = Reference(
            name="float ONNX",
            inputs=f"{len(held_out)} crops {held_out.source}",
            batch=batch,
            logits=self._float_logits(batch),
            tolerance=0.0,
        )
        logits = run_artifact(plan.runtime, self._directory / plan.file, batch)
        parity = measured_parity(reference, logits, self._thresholds, gated=False)
        refuse_if_beyond(plan.file, parity)
        return parity

    def _float_logits(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        # Written for the measurement only: the bundle need not hold a float artifact.
        file = self._directory / ".float.onnx"
        onnx.save(self._graph, file)
        try:
            return run_artifact("onnxruntime", file, batch)
        finally:
            file.unlink()

    def _recorded(self, plan: TargetArtifact, parity: Parity, calibration: Calibration | None) -> Artifact:
        record = record_of(self._directory, plan.file)
        return Artifact(
            file=plan.file,
            runtime=plan.runtime,
            precision=plan.precision,
            batch=plan.batch,
            bytes=record.bytes,
            sha256=record.sha256,
            thresholds=self._description.thresholds,
            parity=parity,
            calibration=calibration,
            fused_thresholds=self._description.fused_thresholds,
        )
