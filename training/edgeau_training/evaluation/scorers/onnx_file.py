"""An ONNX file that says in its metadata (key ``edgeau``, as a checkpoint's) what its labels and input are."""

from __future__ import annotations

from pathlib import Path

import onnxruntime

from edgeau._system.first_line import first_line
from edgeau._system.json_text import parse_json
from edgeau.errors import CheckpointError, EngineError
from edgeau.runtimes import open_session
from edgeau_training.checkpoint import METADATA_KEY, CheckpointInfo
from edgeau_training.evaluation.scorers.checkpoint import alignment_of, input_spec_of
from edgeau_training.evaluation.scorers.scorer import Scorer, thresholds_of
from edgeau_training.evaluation.scorers.session import SessionScorer

__all__ = ["scorer_of_onnx"]


def scorer_of_onnx(path: Path, threads: int) -> Scorer:
    """A session of the file.

    Raises:
        CheckpointError: the file is missing, or says nothing about its labels and input.
        EngineError: ONNX Runtime refuses the file.
    """
    if not path.is_file():
        raise CheckpointError(f"model {path} does not exist")
    info = _info(path)
    return SessionScorer(
        path.name if info.trained else f"{path.name} (untrained)",
        open_session("onnxruntime", path, threads=threads),
        info.labels,
        spec=input_spec_of(info),
        alignment=alignment_of(info),
        thresholds=thresholds_of(info.labels, info.thresholds),
        provenance=info.provenance,
        licences=info.licences,
    )


def _info(path: Path) -> CheckpointInfo:
    metadata = _metadata(path)
    if METADATA_KEY not in metadata:
        raise CheckpointError(
            f"{path} says nothing about its labels and input (no metadata {METADATA_KEY!r}); evaluate the bundle folder "
            "that it belongs to, or the checkpoint that it was exported from"
        )
    return CheckpointInfo.from_dict(parse_json(metadata[METADATA_KEY]))


def _metadata(path: Path) -> dict[str, str]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # of itself it starts one a core; here nothing is run
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3  # errors, which are raised too
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors share no base but Exception
        raise EngineError(f"ONNX Runtime refuses {path}: {first_line(error)}") from error
    return dict(session.get_modelmeta().custom_metadata_map)
