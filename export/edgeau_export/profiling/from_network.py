"""Profiles of the zoo's networks, by torch's own counter, without memory for their weights."""

from __future__ import annotations

import weakref
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode, flop_registry

from edgeau_export.profiling.model_profile import Layer, ModelProfile
from edgeau_training.checkpoint import read_info
from edgeau_training.networks.catalogue import network_facts
from edgeau_training.networks.counting import parameter_count, skeleton

__all__ = ["profile_of_checkpoint", "profile_of_network", "profile_of_zoo"]

_BOOKKEEPING = {"detach", "empty"}  # allocate or relabel, and compute nothing


def profile_of_zoo(name: str, **options: Any) -> ModelProfile:
    """The profile of a network of the zoo with its paper's label set.

    Args:
        name: name in the zoo.
        options: options of its builder.

    Raises:
        UsageError: the name or an option is not known.
    """
    facts = network_facts(name, **options)
    network = skeleton(name, facts.labels, **options)
    shape = (1, 3, *facts.input.size)
    shown = name + "".join(f":{key}={value}" for key, value in options.items())
    return profile_of_network(
        network, shape, name=shown, title=facts.title, notes=(facts.fidelity, f"{len(facts.labels)} AUs")
    )


def profile_of_network(
    network: nn.Module, shape: tuple[int, ...], *, name: str, title: str, notes: tuple[str, ...] = ()
) -> ModelProfile:
    """The profile of a torch module in evaluation mode.

    Args:
        network: with or without storage.
        shape: shape of its input, with a batch axis of 1.
        name: what was asked for.
        title: for people.
        notes: what a reader must know.
    """
    device = next(network.parameters()).device
    outputs = _Outputs(network)
    operators = _Operators(network)
    picture = torch.empty(shape, device=device)
    with outputs, FlopCounterMode(display=False) as counter:
        # With gradients on, torch takes no fused transformer kernel, which the counter cannot see into.
        network(picture)
    with operators, torch.no_grad():  # with gradients on, intermediate results would stay alive
        network(picture)
    macs = {path: sum(kinds.values()) // 2 for path, kinds in counter.get_flop_counts().items()}
    layers = tuple(outputs.layers(macs))
    total = int(counter.get_total_flops()) // 2
    counted = {packet.__name__ for packet in flop_registry}
    return ModelProfile(
        name=name,
        title=title,
        counted=f"torch.utils.flop_counter of torch {torch.__version__.partition('+')[0]}",
        input_shape=shape,
        parameters=parameter_count(network),
        macs=total,
        activations=sum(layer.activations for layer in layers),
        peak_bytes=operators.peak,
        file_bytes=None,
        layers=layers,
        without_macs={
            kind: n for kind, n in sorted(operators.kinds.items()) if kind not in counted | _BOOKKEEPING
        },
        notes=notes,
    )


def profile_of_checkpoint(path: Path) -> ModelProfile:
    """The profile of a checkpoint.

    Raises:
        CheckpointError: the file is missing, damaged or not of edgeau.
    """
    info = read_info(path)
    facts = network_facts(info.network, **info.options)
    profile = profile_of_network(
        skeleton(info.network, info.labels, **info.options),
        (1, 3, *facts.input.size),
        name=path.name,
        title=facts.title,
        notes=(facts.fidelity, f"{len(info.labels)} AUs", info.training or "untrained"),
    )
    return replace(profile, file_bytes=path.stat().st_size)


class _Outputs:
    """Notes, for each module that has parameters of its own or no children, what it put out, in order."""

    def __init__(self, network: nn.Module) -> None:
        self._root = type(network).__name__
        self._modules = [
            (path, module)
            for path, module in network.named_modules()
            if path and (not list(module.children()) or list(module.parameters(recurse=False)))
        ]
        self._numbers: dict[str, int] = {}
        self._handles: list[Any] = []

    def __enter__(self) -> None:
        for path, module in self._modules:
            self._handles.append(module.register_forward_hook(self._noting(path)))

    def __exit__(self, *_error: object) -> None:
        for handle in self._handles:
            handle.remove()

    def _noting(self, path: str) -> Any:
        def note(_module: nn.Module, _inputs: Any, output: Any) -> None:
            tensors = output if isinstance(output, tuple | list) else (output,)
            numbers = sum(one.numel() for one in tensors if isinstance(one, Tensor))
            self._numbers[path] = self._numbers.get(path, 0) + numbers

        return note

    def layers(self, macs: dict[str, int]) -> list[Layer]:
        """Layers in the order in which they ran; products outside of any leaf are a layer of their parent."""
        modules = dict(self._modules)
        inclusive = {path: macs.get(f"{self._root}.{path}", 0) for path in self._numbers}
        rows = [
            Layer(
                name=path,
                kind=type(modules[path]).__name__,
                parameters=sum(one.numel() for one in modules[path].parameters(recurse=False)),
                macs=inclusive[path]
                - sum(n for other, n in inclusive.items() if other.startswith(f"{path}.")),
                activations=numbers,
            )
            for path, numbers in self._numbers.items()
        ]
        rest = macs.get("Global", 0) - sum(row.macs for row in rows)
        if rest:
            rows.append(Layer("(outside of leaf modules)", "matrix products", 0, rest, 0))
        return rows


class _Operators(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts operators, and the bytes of intermediate tensors that are alive at once."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kinds: Counter[str] = Counter()
        self.peak = 0
        kept = (*network.parameters(), *network.buffers())
        self._weights = {tensor.untyped_storage()._cdata for tensor in kept}
        self._alive: dict[int, tuple[int, int]] = {}  # storage -> tensors that show it, bytes

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        self.kinds[func.overloadpacket.__name__] += 1
        for tensor in result if isinstance(result, tuple | list) else (result,):
            if isinstance(tensor, Tensor):
                self._follow(tensor)
        self.peak = max(self.peak, sum(size for _, size in self._alive.values()))
        return result

    def _follow(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self._weights:
            return
        seen, _ = self._alive.get(key, (0, 0))
        self._alive[key] = (seen + 1, storage.nbytes())
        weakref.finalize(tensor, self._forget, key)

    def _forget(self, key: int) -> None:
        seen, size = self._alive[key]
        if seen > 1:
            self._alive[key] = (seen - 1, size)
        else:
            del self._alive[key]
