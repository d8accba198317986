"""A torch network from elsewhere: built by the user's own function, or complete in its file; and its answers."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import nn

from edgeau._system.first_line import first_line
from edgeau.errors import CheckpointError, UsageError
from edgeau_export.source_network.exported_program import load_program, module_of
from edgeau_export.source_network.foreign_weights import load_weights
from edgeau_export.source_network.model_file import DescribedModel
from edgeau_export.source_network.onnx_from_network import onnx_from_module, unfolded_from_module

__all__ = ["ForeignModule", "graph_of_program", "open_module"]

_BATCH = 8


@dataclass(frozen=True)
class ForeignModule:
    """A module in evaluation mode, and what was taken to fill it."""

    network: nn.Module
    taken: str

    @property
    def parameters(self) -> int:
        """Scalars of its parameters."""
        return sum(parameter.numel() for parameter in self.network.parameters())

    def answers(self, batch: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        """Outputs in the precision of the inputs, float32 or float64; the module is left in float32.

        Raises:
            CheckpointError: it does not run, or answers with something else than one tensor.
        """
        double = batch.dtype == np.float64
        inputs = [torch.from_numpy(batch[start : start + _BATCH]) for start in range(0, len(batch), _BATCH)]
        try:
            network = self.network.double() if double else self.network
            with torch.inference_mode():
                pieces = [network(piece) for piece in inputs]
        except Exception as error:  # whatever the user's code raises
            raise CheckpointError(
                f"the network does not run on {batch[:_BATCH].shape} inputs: {first_line(error)}"
            ) from error
        finally:
            self.network.float()
        for piece in pieces:
            if not isinstance(piece, torch.Tensor):
                raise CheckpointError(
                    f"the network answers with a {type(piece).__name__}; let the builder return a module whose "
                    "forward gives one tensor (batch, labels)"
                )
        return np.concatenate([piece.numpy() for piece in pieces])

    def to_onnx(self, shape: tuple[int, ...], opset: int) -> onnx.ModelProto:
        """The graph of a batch of inputs ``shape``."""
        return onnx_from_module(self.network, shape, opset)

    def without_folding(self, shape: tuple[int, ...], opset: int) -> onnx.ModelProto:
        """The same with every weight as it is in the module; see :func:`unfolded_from_module`."""
        return unfolded_from_module(self.network, shape, opset)


def open_module(description: DescribedModel) -> ForeignModule:
    """Build or open the network.

    Raises:
        CheckpointError: the file cannot be opened, or does not fit the module.
        UsageError: the builder cannot be found or fails.
    """
    weights = description.weights
    if weights.suffix == ".pt2":
        return ForeignModule(_InEvaluation(module_of(load_program(weights))), f"the whole of {weights.name}")
    if description.builder is None:
        return ForeignModule(_torchscript(weights), f"the whole of {weights.name}")
    network = _built(description.builder, description.path.parent)
    taken = load_weights(weights, network, description.ema, description.state_dict)
    return ForeignModule(network.float().eval(), taken)


def _built(name: str, folder: Path) -> nn.Module:
    """Run the user's function, because the user names it, and return its module."""
    place, _, function = name.rpartition(":")
    own_file = folder / place if place.endswith(".py") else None
    if own_file is not None and not own_file.is_file():
        raise UsageError(f"builder {name!r}: {own_file} does not exist")
    try:
        module = importlib.import_module(place) if own_file is None else _from_file(own_file)
    except (
        Exception,
        SystemExit,
    ) as error:  # whatever the user's code raises; a script would end the export with its own code
        raise UsageError(
            f"builder {name!r} cannot be imported: {type(error).__name__}: {first_line(error)}"
        ) from error
    build = getattr(module, function, None)
    if build is None:
        raise UsageError(f"builder {name!r} cannot be found: {place} has no {function}")
    try:
        network = build()
    except (Exception, SystemExit) as error:
        raise UsageError(f"builder {name!r} failed: {type(error).__name__}: {first_line(error)}") from error
    if not isinstance(network, nn.Module):
        raise UsageError(f"builder {name!r} returned a {type(network).__name__}, expected a torch.nn.Module")
    return network.cpu()


def _from_file(path: Path) -> Any:
    name = f"edgeau_builder_{path.stem}"  # never in the way of an installed module
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # What it imports from beside itself is found as if it were run from there.
    sys.path.insert(0, str(path.parent))
    try:
        sys.modules[name] = module
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    return module


class _InEvaluation(nn.Module):
    """An exported program's module refuses to change its mode, even to the one it is in; the ONNX exporter asks for it."""

    def __init__(self, program: nn.Module) -> None:
        super().__init__()
        self.program = program
        self.training = False

    def forward(self, batch: torch.Tensor) -> Any:
        return self.program(batch)

    def train(self, mode: bool = True) -> _InEvaluation:  # noqa: ARG002 - as nn.Module
        return self


def graph_of_program(path: Path, opset: int) -> onnx.ModelProto:
    """The graph of an ExportedProgram, for pictures of the size that it was exported with.

    Raises:
        CheckpointError: the file cannot be read, does not take one picture, or cannot be written as ONNX.
    """
    program = load_program(path)
    network = _InEvaluation(module_of(program))
    names = program.graph_signature.user_inputs
    shapes = [tuple(node.meta["val"].shape) for node in program.graph.nodes if node.name in names]
    if len(shapes) != 1 or len(shapes[0]) != 4:
        raise CheckpointError(f"{path} takes {shapes}, not one batch of pictures")
    try:
        return onnx_from_module(network, tuple(int(length) for length in shapes[0][1:]), opset)
    except Exception as error:  # the exporter raises as many kinds as networks have operators
        raise CheckpointError(f"{path} cannot be written as ONNX by torch: {first_line(error)}") from error


def _torchscript(path: Path) -> nn.Module:
    if not path.is_file():
        raise CheckpointError(f"weights {path} do not exist")
    try:
        network: nn.Module = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
    except Exception as error:
        raise CheckpointError(
            f'{path} is not a TorchScript file; for weights alone, say builder = "file.py:function" that returns the module'
        ) from error
    return network.float().eval()
