"""A torch network as an ONNX graph."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import nn

from edgeau.errors import CheckpointError
from edgeau_training.checkpoint import CheckpointInfo, load_checkpoint

__all__ = ["TorchModel", "load_torch_model", "onnx_from_module", "unfolded_from_module"]


@dataclass(frozen=True)
class TorchModel:
    """A checkpoint's network, and what the checkpoint says about it."""

    network: nn.Module
    info: CheckpointInfo

    @property
    def parameters(self) -> int:
        """Trainable scalars."""
        return sum(parameter.numel() for parameter in self.network.parameters())

    def logits(self, batches: Iterable[NDArray[np.floating[Any]]]) -> NDArray[np.floating[Any]]:
        """Logits ``(n, C)`` of normalised NCHW batches, in the precision of the batches: float32, or float64."""
        answers = []
        try:
            with torch.inference_mode():
                for batch in batches:
                    network = self.network.double() if batch.dtype == np.float64 else self.network
                    answers.append(network(torch.from_numpy(batch)).numpy())
        finally:
            self.network.float()
        return np.concatenate(answers)

    def to_onnx(self, size: tuple[int, int], opset: int) -> onnx.ModelProto:
        """The graph with a dynamic batch: ``input`` ``(batch, 3, H, W)`` to ``logits`` ``(batch, C)``.

        Args:
            size: height and width of the input, pixels.
            opset: ONNX operator set.
        """
        return onnx_from_module(self.network, (3, *size), opset)

    def without_folding(self, size: tuple[int, int], opset: int) -> onnx.ModelProto:
        """Export like :meth:`to_onnx`, see :func:`unfolded_from_module`."""
        return unfolded_from_module(self.network, (3, *size), opset)


def onnx_from_module(
    network: nn.Module, shape: tuple[int, ...], opset: int, *, folded: bool = True
) -> onnx.ModelProto:
    """The graph of a module with a dynamic batch: ``input`` ``(batch, *shape)`` to ``logits``.

    Args:
        network: in evaluation mode.
        shape: shape of one input.
        opset: ONNX operator set.
        folded: let the exporter fold batch norm into convolutions, and constants.
    """
    mode = torch.onnx.TrainingMode
    buffer = io.BytesIO()
    with _without_tracing_advice():
        # The legacy exporter on purpose: the dynamo one takes ten times as long and silently changes the opset.
        torch.onnx.export(
            network,
            (torch.zeros(1, *shape),),
            buffer,  # type: ignore[arg-type]  # its own docstring allows a file object
            dynamo=False,
            external_data=False,
            opset_version=opset,
            do_constant_folding=folded,
            # Batch norm is folded by a pass that only EVAL runs; the module is in evaluation mode either way.
            training=mode.EVAL if folded else mode.PRESERVE,
            input_names=["input"],
            output_names=["logits"],
            dynamic_axes={"input": {0: "batch"}, "logits": {0: "batch"}},
        )
    return onnx.load_from_string(buffer.getvalue())


def unfolded_from_module(network: nn.Module, shape: tuple[int, ...], opset: int) -> onnx.ModelProto:
    """The graph as it was traced, nothing folded, with every weight of the module in it bit for bit.

    Arguments are those of :func:`onnx_from_module`.

    Raises:
        CheckpointError: a weight that the module's answer depends on is not in the graph as it is in the module.
    """
    graph = onnx_from_module(network, shape, opset, folded=False)
    constants = [numpy_helper.to_array(item).tobytes() for item in graph.graph.initializer]
    constants += [
        numpy_helper.to_array(node.attribute[0].t).tobytes()
        for node in graph.graph.node
        if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value"
    ]
    there = set(constants)
    missing = {
        name: tensor
        for name, tensor in network.state_dict().items()
        if tensor.is_floating_point() and tensor.contiguous().numpy().tobytes() not in there
    }
    if missing and not _without_effect(network, missing, shape):
        raise CheckpointError(
            f"torch changes weights on the way to ONNX: {', '.join(list(missing)[:3])} cannot be found in the graph; "
            "export the network to ONNX yourself and name that file as weights"
        )
    return graph


def _without_effect(network: nn.Module, tensors: dict[str, torch.Tensor], shape: tuple[int, ...]) -> bool:
    """Tell whether the answer stays finite where these are no numbers: then it does not depend on them."""
    kept = {name: tensor.clone() for name, tensor in tensors.items()}
    try:
        with torch.inference_mode():
            for tensor in tensors.values():
                tensor.fill_(float("nan"))
            return bool(torch.isfinite(network(torch.zeros(1, *shape))).all())
    finally:
        with torch.inference_mode():
            for name, tensor in tensors.items():
                tensor.copy_(kept[name])


def load_torch_model(checkpoint: Path) -> TorchModel:
    """The network of a checkpoint, in evaluation mode.

    Raises:
        CheckpointError: missing, damaged, a pickle, or of another network.
    """
    network, info = load_checkpoint(checkpoint)
    return TorchModel(network, info)


@contextmanager
def _without_tracing_advice() -> Iterator[None]:
    """Hides that the legacy exporter is old and that shapes become constants: the parity gate checks the result."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]  # not in its __all__
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
