"""Evaluation of a model on labelled faces: metrics with intervals, comparisons, thresholds, and the fusion's fit."""

import os

# As in edgeau.runtimes.onnxruntime: no reports on which models are run; before the first import of ONNX Runtime.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
