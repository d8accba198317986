"""Calibration sets, ranges and INT8 for ONNX files; no torch."""

import os

# From 1.29 on the Linux builds of ONNX Runtime report to their maker which models are run, unless told not to before the
# first import: done here because the files of this room import it when they are imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
