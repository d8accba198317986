"""Artifacts for TensorRT: ONNX files that 8.5, 10 and 11 read alike, from which the board builds its engine."""
