"""The ONNX graph as quantization sees it: made ready, its layers and blocks, what must stay in float, and sessions to run it."""
