"""From the float or Q/DQ ONNX graph to each runtime's file, and the comparison of the file with the network."""
