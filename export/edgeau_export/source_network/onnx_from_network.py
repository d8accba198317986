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
from torch import nn

from edgeau_training.checkpoint import CheckpointInfo, load_checkpoint

__all__ = ["TorchModel", "load_torch_model", "onnx_from_module"]


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


def onnx_from_module(network: nn.Module, shape: tuple[int, ...], opset: int) -> onnx.ModelProto:
    """The graph of a module with a dynamic batch: ``input`` ``(batch, *shape)`` to ``logits``.

    Args:
        network: in evaluation mode.
        shape: of one input.
        opset: ONNX operator set.
    """
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
            input_names=["input"],
            output_names=["logits"],
            dynamic_axes={"input": {0: "batch"}, "logits": {0: "batch"}},
        )
    return onnx.load_from_string(buffer.getvalue())


def load_torch_model(checkpoint: Path) -> TorchModel:
    """The network of a checkpoint, in evaluation mode.

    Raises:
        CheckpointError: missing, damaged, a pickle, or of another network.
    """
    network, info = load_checkpoint(checkpoint)
    return TorchModel(network, info)


@contextmanager
def _without_tracing_advice() -> Iterator[None]:
    """Hides that the legacy exporter is old and that shapes become constants: the parity gate judges the result."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]  # not in its __all__
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
