"""Our Q/DQ placement beside NVIDIA Model Optimizer's own rules for it, on a Jetson bundle.

In an environment with nvidia-modelopt, onnx-graphsurgeon and onnxruntime; no GPU is needed::

    python benchmarks/tensorrt_placement.py bundle/

Model Optimizer says which input of each residual sum must have no pair so that the sum is fused into its convolution
(``build_non_residual_input_map``), validates the file, and counts what is quantized. Prints one JSON document; exit code 1
where a sum differs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import onnx
import onnx_graphsurgeon as gs
from modelopt import __version__ as modelopt_version
from modelopt.onnx.quantization.graph_utils import build_non_residual_input_map
from modelopt.onnx.quantization.qdq_utils import get_quantized_tensors, has_qdq_nodes
from modelopt.onnx.utils import check_model, validate_onnx


def main() -> int:
    bundle = Path(sys.argv[1])
    file = bundle / "model.trt.int8.onnx"
    model = onnx.load(file)
    theirs = non_residual(bundle / "model.fp32.b1.onnx")
    ours = unpaired(model)
    check_model(model)
    kinds = [node.op_type for node in model.graph.node]
    document = {
        "modelopt": modelopt_version,
        "valid": bool(validate_onnx(file.read_bytes())),
        "has pairs": bool(has_qdq_nodes(model)),
        "quantized tensors": len(get_quantized_tensors(model)),
        "residual sums": len(theirs),
        "sums with a pair on the skipping input": len(ours),
        "sums that differ": sorted(name for name in ours if theirs.get(name) != ours[name]),
        "nodes": {kind: kinds.count(kind) for kind in sorted(set(kinds))},
    }
    print(json.dumps(document, indent=2))
    return 1 if document["sums that differ"] else 0


def non_residual(file: Path) -> dict[str, str]:
    """By sum, the input that Model Optimizer leaves without a pair."""
    found, _ = build_non_residual_input_map(gs.import_onnx(onnx.load(file)))
    return {name: tensor for name, tensor in found.items() if tensor is not None}


def unpaired(model: onnx.ModelProto) -> dict[str, str]:
    """By sum that has a pair on one input, the other input."""
    producer = {output: node for node in model.graph.node for output in node.output}
    found = {}
    for node in model.graph.node:
        if node.op_type == "Add":
            free = [n for n in node.input if n in producer and producer[n].op_type != "DequantizeLinear"]
            if len(free) == 1:
                found[node.name] = free[0]
    return found


if __name__ == "__main__":
    raise SystemExit(main())
