"""A ``model.toml`` to fill in, with what can be known from a file of a network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from onnx import TensorProto

from edgeau._system.install_lines import extra_line
from edgeau.errors import CheckpointError, DependencyError, UsageError
from edgeau_export.source_network.standard_graph import network_inputs, open_onnx
from edgeau_export.source_network.tflite_facts import TfliteEnd, read_tflite_facts, refuse_what_cannot_run

__all__ = ["describe"]

_TOLD = "# to be filled in: what this file alone cannot say"


@dataclass(frozen=True)
class _Known:
    """Properties that a file states; None where it does not."""

    notes: Sequence[str]
    outputs: int | None = None
    size: tuple[int, int] | None = None
    layout: str | None = None
    uint8: bool = False
    grey: bool = False
    probabilities: bool | None = None
    output_name: str | None = None
    builder: bool = True
    ema: bool = False
    normalisation: tuple[float, float] | None = None


def describe(path: Path) -> str:
    """The text of a ``model.toml`` for a file with weights or a whole network; nothing of it is run.

    Raises:
        CheckpointError: the file cannot be opened safely.
        UsageError: it is of no kind that can be exported.
        DependencyError: torch is needed and not installed.
    """
    if path.suffix == ".toml":
        raise UsageError(f"{path} is not a network; give weights, an ONNX file, .tflite, .pt2 or TorchScript")
    known = {".onnx": _of_onnx, ".tflite": _of_tflite}.get(path.suffix, _of_weights)
    return _text(path, known(path))


def _of_onnx(path: Path) -> _Known:
    model = open_onnx(path)
    inputs, outputs = network_inputs(model), list(model.graph.output)
    notes = [f"input {item.name}: {_shape(item)}" for item in inputs]
    notes += [f"output {item.name}: {_shape(item)}" for item in outputs]
    if len(inputs) != 1:
        return _Known(notes, builder=False)
    dims = [dim.dim_value or None for dim in inputs[0].type.tensor_type.shape.dim]
    layout = "NHWC" if len(dims) == 4 and dims[3] in (1, 3) and dims[1] not in (1, 3) else "NCHW"
    channels, sides = (
        (dims[3], dims[1:3]) if layout == "NHWC" else (dims[1] if len(dims) > 1 else None, dims[2:4])
    )
    chosen = outputs[-1]
    makers = [node for node in model.graph.node if chosen.name in node.output]
    ends = [dim.dim_value for dim in chosen.type.tensor_type.shape.dim]
    return _Known(
        notes,
        outputs=ends[1] if len(ends) == 2 and ends[1] else None,
        size=(sides[0], sides[1]) if len(sides) == 2 and sides[0] and sides[1] else None,
        layout=layout,
        uint8=inputs[0].type.tensor_type.elem_type == TensorProto.UINT8,
        grey=channels == 1,
        probabilities=bool(makers) and makers[0].op_type in ("Sigmoid", "Softmax"),
        output_name=chosen.name if len(outputs) > 1 else None,
        builder=False,
    )


def _of_tflite(path: Path) -> _Known:
    facts = read_tflite_facts(path)
    notes = [f"input {end}" for end in facts.inputs] + [f"output {end}" for end in facts.outputs]
    notes.append(f"{facts.precision}; it is bundled as it is and runs in LiteRT")
    try:
        refuse_what_cannot_run(facts, "this file")
    except CheckpointError as error:
        notes.append(f"it cannot be exported: {error}")
        return _Known(notes, builder=False)
    (entry,), (answer,) = facts.inputs, facts.outputs
    layout = "NHWC" if entry.shape[3] in (1, 3) else "NCHW"
    channels, sides = (
        (entry.shape[3], entry.shape[1:3]) if layout == "NHWC" else (entry.shape[1], entry.shape[2:4])
    )
    height, width = sides
    raw = entry.kind == "UINT8" and not entry.scale
    return _Known(
        notes,
        outputs=answer.shape[-1],
        size=None if height is None or width is None else (height, width),
        layout=layout,
        uint8=raw,
        grey=channels == 1,
        probabilities=facts.last in ("LOGISTIC", "SOFTMAX"),
        builder=False,
        normalisation=_of_bytes(entry),
    )


def _of_bytes(entry: TfliteEnd) -> tuple[float, float] | None:
    """Mean and std under which a picture's levels are the integers that a quantized input takes; None of other inputs."""
    lowest = {"UINT8": 0, "INT8": -128}.get(entry.kind)
    if lowest is None or not entry.scale:
        return None
    return (entry.zero_point - lowest) / 255, 1 / (255 * entry.scale)


def _of_weights(path: Path) -> _Known:
    if path.suffix == ".pt2":
        return _Known(["an ExportedProgram"], builder=False)
    try:
        from edgeau_export.source_network.foreign_weights import state_dicts
    except ImportError as error:
        raise DependencyError(
            f"reading {path.name} needs {error.name}, which is not installed: {extra_line('export', 'train')}"
        ) from error
    sets = state_dicts(path)
    notes = [
        f"{item.place or 'the whole file'}: {len(item.tensors)} tensors{', averaged (EMA)' * item.ema}"
        for item in sets
    ]
    matrices = [tensor for tensor in sets[0].tensors.values() if tensor.ndim >= 2]
    notes.append("the last layer of the first gave the number of labels")
    return _Known(
        notes,
        outputs=int(matrices[-1].shape[0]) if matrices else None,
        grey=bool(matrices) and matrices[0].ndim == 4 and matrices[0].shape[1] == 1,
        ema=any(item.ema for item in sets) and not all(item.ema for item in sets),
    )


def _shape(item: object) -> str:
    tensor = item.type.tensor_type  # type: ignore[attr-defined]  # protobuf
    dims = [str(dim.dim_value) if dim.dim_value else dim.dim_param or "?" for dim in tensor.shape.dim]
    return f"{TensorProto.DataType.Name(tensor.elem_type).lower()} {' x '.join(dims)}"


def _text(path: Path, known: _Known) -> str:
    labels = [f"label{place + 1}" for place in range(known.outputs or 1)]
    lines = [f"# {path.name}"] + [f"#   {note}" for note in known.notes] + ["", _TOLD]
    lines += [f"title = {json.dumps(path.stem)}", f"weights = {json.dumps(path.name)}"]
    if known.builder:
        lines.append('builder = "nets.py:build"          # a function of yours that returns the torch module')
    lines.append(f"labels = {json.dumps(labels)}     # in output order: AU1, AU12L, or words such as smile")
    output = "probabilities" if known.probabilities else "logits"
    sure = "" if known.probabilities is not None else "                  # or probabilities"
    lines.append(f'output = "{output}"{sure}')
    if known.output_name is not None:
        lines.append(f"output_name = {json.dumps(known.output_name)}")
    if known.ema:
        lines.append("ema = false                         # true takes the averaged weights")
    lines += ["", "[input]"]
    height, width = known.size or (224, 224)
    lines.append(f"size = [{height}, {width}]" + ("" if known.size else "                  # height, width"))
    lines.append(
        f'color = "{"GRAY" if known.grey else "RGB"}"'
        + ("" if known.grey else "                       # or BGR")
    )
    if known.uint8:
        lines.append('dtype = "uint8"')
    else:
        numbers = ("[0.5]", "[0.5]") if known.grey else ("[0.485, 0.456, 0.406]", "[0.229, 0.224, 0.225]")
        if known.normalisation is not None:  # of an input in integers: levels are what it takes
            numbers = tuple(  # type: ignore[assignment]
                json.dumps([round(value, 6)] * (1 if known.grey else 3)) for value in known.normalisation
            )
        lines += [
            f"mean = {numbers[0]}",
            f"std = {numbers[1]}",
            "scale = 255                         # pixels are divided by it first",
        ]
    if known.layout == "NHWC":
        lines.append('layout = "NHWC"')
    lines += [
        "",
        "[alignment]",
        'kind = "box"                        # or five-points (points), none',
        "margin = 0.1",
    ]
    return "\n".join(lines) + "\n"
