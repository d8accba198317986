"""Steps on a float ONNX graph; each returns a new graph that the checker has passed."""

from __future__ import annotations

import json

import onnx

from edgeau._system.records import to_dict
from edgeau_export.source_network.network import NetworkDescription

__all__ = ["metadata", "simplify_graph", "with_batch", "with_metadata"]


def simplify_graph(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same computation without Identity, Constant and dead nodes, by onnxslim."""
    import onnxslim

    slim: onnx.ModelProto = onnxslim.slim(model)
    return _checked(slim)


def with_batch(model: onnx.ModelProto, batch: int | None) -> onnx.ModelProto:
    """The same graph with a fixed batch size; None leaves it dynamic.

    Boards whose engines plan memory ahead want every shape known.
    """
    fixed = _copy(model)
    if batch is None:
        return fixed
    for tensor in (*fixed.graph.input, *fixed.graph.output):
        tensor.type.tensor_type.shape.dim[0].dim_value = batch
    # Shapes in between still name the dynamic batch: infer them anew.
    del fixed.graph.value_info[:]
    return _checked(onnx.shape_inference.infer_shapes(fixed, strict_mode=True))


def with_metadata(model: onnx.ModelProto, description: NetworkDescription) -> onnx.ModelProto:
    """The same graph with :func:`metadata`."""
    result = _copy(model)
    del result.metadata_props[:]
    onnx.helper.set_model_props(result, metadata(description))
    return _checked(result)


def metadata(description: NetworkDescription) -> dict[str, str]:
    """Build what a file says of itself, for whoever finds it without its bundle.

    Keys: ``network``, ``trained`` (``true`` or ``false``), and as JSON ``labels``, ``input``, ``alignment``.
    """
    return {
        "network": description.network.title,
        "trained": json.dumps(description.network.trained),
        "labels": json.dumps(description.labels),
        "input": json.dumps(to_dict(description.input)),
        "alignment": json.dumps(description.alignment.to_dict()),
    }


def _copy(model: onnx.ModelProto) -> onnx.ModelProto:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def _checked(model: onnx.ModelProto) -> onnx.ModelProto:
    onnx.checker.check_model(model, full_check=True)
    return model
