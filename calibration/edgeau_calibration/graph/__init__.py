"""Views of the ONNX graph, and the one file that drives ONNX Runtime's quantizer."""
