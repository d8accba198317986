"""Fidelity of each tensor of a Q/DQ graph to the float graph, and the range that it was given."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from edgeau._system.progress import progress_bar
from edgeau.bundle.manifest import InputSpec
from edgeau.bundle.preprocessing import Preprocessor
from edgeau_calibration.graph.ort_session import open_model
from edgeau_calibration.graph.subgraph import with_outputs

__all__ = ["TensorFidelity", "tensor_fidelity"]

_CEILING = 120.0  # dB; what float32 itself can tell


@dataclass(frozen=True)
class TensorFidelity:
    """One tensor that the Q/DQ graph makes an integer.

    Attributes:
        name: name of the tensor, the same in both graphs.
        made_by: operator that gives it; ``"input"`` for the graph's own.
        low: smallest value that its integers can say.
        high: largest.
        seen_low: smallest value in the float graph, over the crops.
        seen_high: largest.
        snr: signal over noise in dB: variance of the float values over the mean squared difference; errors of all layers
            before are in it. None where the float values do not vary.
    """

    name: str
    made_by: str
    low: float
    high: float
    seen_low: float
    seen_high: float
    snr: float | None


def tensor_fidelity(
    float_model: onnx.ModelProto, quantized: onnx.ModelProto, crops: NDArray[np.uint8], spec: InputSpec
) -> tuple[TensorFidelity, ...]:
    """Compare, tensor by tensor, in the order of execution.

    Args:
        float_model: the float graph.
        quantized: a Q/DQ graph of it; tensors that only it has are left out.
        crops: uint8 ``(n, H, W, 3)`` RGB, run one at a time; a few are enough.
        spec: how the network wants them normalised.

    Raises:
        CalibrationError: ONNX Runtime refuses a graph.
    """
    makers = {float_model.graph.input[0].name: "input"}
    makers |= {name: node.op_type for node in float_model.graph.node for name in node.output}
    found = _quantized_tensors(quantized, makers)
    if not found:
        return ()
    made = {name: _Sums() for name in found}
    truth = _run(float_model, {name: name for name in found}, crops, spec, "float tensors")
    answers = _run(
        quantized, {name: one.read_from for name, one in found.items()}, crops, spec, "INT8 tensors"
    )
    for expected, got in zip(truth, answers, strict=True):
        for name, sums in made.items():
            sums.add(expected[name], got[name])
    return tuple(
        TensorFidelity(
            name,
            makers[name],
            found[name].low,
            found[name].high,
            made[name].low,
            made[name].high,
            made[name].snr,
        )
        for name in makers
        if name in found
    )


@dataclass
class _Sums:
    """Sums over a tensor while crops run."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0
    noise: float = 0.0
    low: float = np.inf
    high: float = -np.inf

    def add(self, expected: NDArray[np.float32], got: NDArray[np.float32]) -> None:
        values = expected.astype(np.float64)
        self.count += values.size
        self.total += float(values.sum())
        self.squares += float((values**2).sum())
        self.noise += float(((values - got) ** 2).sum())
        self.low, self.high = min(self.low, float(values.min())), max(self.high, float(values.max()))

    @property
    def snr(self) -> float | None:
        signal = self.squares - self.total**2 / self.count
        if signal <= 0:
            return None
        return min(_CEILING, float(10 * np.log10(signal / max(self.noise, signal * 10 ** (-_CEILING / 10)))))


@dataclass(frozen=True)
class _Quantized:
    """Smallest and largest value that the integers of a tensor can say, and the tensor that holds what they say."""

    low: float
    high: float
    read_from: str


def _quantized_tensors(quantized: onnx.ModelProto, known: Collection[str]) -> dict[str, _Quantized]:
    """The quantized activations under the names that they have in the float graph."""
    constants = {item.name: item for item in quantized.graph.initializer}
    nodes = quantized.graph.node
    floats = {node.input[0]: node.output[0] for node in nodes if node.op_type == "DequantizeLinear"}
    found: dict[str, _Quantized] = {}
    for node in nodes:
        if node.op_type != "QuantizeLinear" or node.input[0] in constants:
            continue
        # The quantizer renames the tensor before a graph output, so that the output keeps its name.
        dequantized = floats.get(node.output[0], node.input[0])
        for name in (node.input[0], dequantized):
            if name in known:
                found[name] = _Quantized(*_span(constants, node), dequantized)
    return found


def _span(constants: Mapping[str, onnx.TensorProto], node: onnx.NodeProto) -> tuple[float, float]:
    scale = numpy_helper.to_array(constants[node.input[1]]).astype(np.float64)
    zero = numpy_helper.to_array(constants[node.input[2]])
    levels = np.iinfo(zero.dtype)
    low, high = ((end - zero.astype(np.float64)) * scale for end in (levels.min, levels.max))
    return float(low.min()), float(high.max())


def _run(
    model: onnx.ModelProto,
    sources: Mapping[str, str],
    crops: NDArray[np.uint8],
    spec: InputSpec,
    title: str,
) -> Iterator[dict[str, NDArray[np.float32]]]:
    """Crop by crop, under each name the tensor that it is read from."""
    entry = model.graph.input[0].name
    wanted = sorted({tensor for tensor in sources.values() if tensor != entry})
    # As it stands: an optimizer would fuse the tensors away.
    session = open_model(with_outputs(model, wanted), optimized=False)
    preprocessor = Preprocessor(spec)
    for crop in progress_bar(crops, desc=title, unit="crop"):
        batch = preprocessor.batch([crop])
        values = dict(zip(wanted, session.run(wanted, {entry: batch}), strict=True)) | {entry: batch}
        yield {name: values[tensor] for name, tensor in sources.items()}
