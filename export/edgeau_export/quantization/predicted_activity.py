"""Which AUs the float network sees in crops: what the choice and the linter of calibration crops go by."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
from tqdm import tqdm

from edgeau.bundle.preprocessing import Preprocessor
from edgeau.metrics import sigmoid
from edgeau.runtimes import open_session
from edgeau_calibration.data.selection import Activity

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from edgeau_export.source_network.description import Description

__all__ = ["FloatJudge"]

_BATCH = 16


class FloatJudge:
    """Runs the float graph, which is made with the first crops that are judged.

    Args:
        graph: makes it, dynamic batch.
        description: of the network; its thresholds decide.
    """

    def __init__(self, graph: Callable[[], onnx.ModelProto], description: Description) -> None:
        self._graph = graph
        self._description = description

    def __call__(self, crops: NDArray[np.uint8]) -> Activity:
        """Decisions about crops, uint8 ``(n, size, size, 3)`` RGB."""
        labels = self._description.labels
        thresholds = np.array([self._description.thresholds[label] for label in labels], np.float32)
        return Activity(labels, sigmoid(self._logits(crops)) >= thresholds, "the float network")

    def _logits(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        preprocessor = Preprocessor(self._description.input)
        with tempfile.TemporaryDirectory(prefix="edgeau-judge-") as folder:
            file = Path(folder) / "float.onnx"
            onnx.save(self._graph(), file)
            with open_session("onnxruntime", file) as session:
                starts = tqdm(range(0, len(crops), _BATCH), desc="AUs of calibration crops", disable=None)
                batches = (preprocessor.batch(crops[start : start + _BATCH]) for start in starts)
                return np.concatenate([session.run(batch).copy() for batch in batches])
