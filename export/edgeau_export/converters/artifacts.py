"""Making the artifacts of a plan, in its order, each measured as soon as it exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx

from edgeau.bundle.files import record_of
from edgeau.bundle.golden import Answer
from edgeau.bundle.manifest import Artifact, Parity
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.metrics import sigmoid
from edgeau_export.converters.parity import measured_parity, refuse_if_beyond, run_artifact
from edgeau_export.converters.registry import maker_of
from edgeau_export.source_network.reference import Reference

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edgeau_export.context import Bench, Made
    from edgeau_export.targets.target import TargetArtifact

__all__ = ["ArtifactMaker"]


class ArtifactMaker:
    """Writes artifacts into a bench's folder, whatever their runtime.

    Args:
        bench: of the export.
    """

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._held_out: Reference | None = None

    def make(self, plan: TargetArtifact) -> Artifact:
        """Write one artifact and measure it.

        Raises:
            GateRefusedError: a float artifact answers otherwise than its reference, or INT8 costs more than its budget.
        """
        self._bench.voice.step(f"making {plan.file} ({plan.precision})")
        made = maker_of(plan.runtime)(plan, self._bench)
        parity = self._parity(plan, made)
        refuse_if_beyond(plan.file, parity)
        return self._recorded(plan, made, parity)

    def answer(self, artifact: Artifact, crops: NDArray[np.uint8]) -> Answer:
        """What an artifact says to crops, uint8 ``(n, S, S, 3)`` RGB, at its own thresholds."""
        batch = Preprocessor(self._bench.description.input).batch(crops)
        logits = run_artifact(artifact.runtime, self._bench.directory / artifact.file, batch).values
        return Answer(logits, sigmoid(logits) >= self._in_order(artifact.thresholds))

    def _parity(self, plan: TargetArtifact, made: Made) -> Parity:
        reference = self._bench.reference if made.calibration is None else self._on_held_out()
        logits = run_artifact(plan.runtime, self._bench.directory / plan.file, reference.batch)
        return measured_parity(
            reference,
            logits,
            self._in_order(self._bench.description.thresholds),
            tolerance=made.tolerance,
            answered_at=None if made.thresholds is None else self._in_order(made.thresholds),
        )

    def _on_held_out(self) -> Reference:
        """The float graph's answers to crops that INT8 was not calibrated with."""
        held_out = self._bench.faces.held_out
        assert held_out is not None, "INT8 was planned without held-out crops"
        if self._held_out is None:
            batch = Preprocessor(self._bench.description.input).batch(held_out.crops)
            self._held_out = Reference(
                name="float ONNX",
                inputs=f"{len(held_out)} crops {held_out.source}",
                batch=batch,
                logits=self._float_logits(batch),
                tolerance=0.0,
            )
        return self._held_out

    def _float_logits(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        # Written for the measurement only: the bundle need not hold a float artifact.
        file = self._bench.directory / ".float.onnx"
        onnx.save(self._bench.graph, file)
        try:
            return run_artifact("onnxruntime", file, batch).values
        finally:
            file.unlink()

    def _in_order(self, thresholds: dict[str, float]) -> NDArray[np.float32]:
        return np.array([thresholds[label] for label in self._bench.description.labels], np.float32)

    def _recorded(self, plan: TargetArtifact, made: Made, parity: Parity) -> Artifact:
        record = record_of(self._bench.directory, plan.file)
        description = self._bench.description
        return Artifact(
            file=plan.file,
            runtime=plan.runtime,
            precision=plan.precision,
            batch=plan.batch,
            bytes=record.bytes,
            sha256=record.sha256,
            thresholds=made.thresholds or description.thresholds,
            parity=parity,
            accuracy=made.accuracy,
            calibration=made.calibration,
            fused_thresholds=made.fused_thresholds or description.fused_thresholds,
            network_accuracy=made.network_accuracy,
        )
