"""OpenVINO's own INT8 (NNCF, at its defaults) of an ONNX file; run by files.py in an environment that has both.

PEERS/bin/python benchmarks/suite/openvino_int8.py FLOAT.onnx CROPS.npy OUT.xml
"""

from __future__ import annotations

import sys

import nncf
import numpy as np
import openvino

source, crops, out = sys.argv[1:]
faces = np.load(crops)
model = openvino.Core().read_model(source)
_, *shape = model.input().get_partial_shape()
model.reshape([1, *(axis.get_length() for axis in shape)])
made = nncf.quantize(model, nncf.Dataset([face[None] for face in faces]), subset_size=len(faces))
openvino.save_model(made, out, compress_to_fp16=False)
