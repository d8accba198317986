"""Calibration sets, ranges and INT8 for ONNX files; no torch."""
