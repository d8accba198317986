"""Weights from files of other programs: found under their wrappers and prefixes, never by running what a pickle says."""

from __future__ import annotations

import argparse
import pathlib
import pickle
from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from edgeau.errors import CheckpointError

__all__ = ["StateDict", "load_weights", "put_into", "state_dicts"]

# Plain records that training programs put beside the weights; making them runs nothing of theirs.
_HARMLESS: list[Any] = [
    pathlib.Path,
    pathlib.PosixPath,
    pathlib.PurePosixPath,
    argparse.Namespace,
    OrderedDict,
    defaultdict,
    dict,
    list,
    int,
    np.dtype,
    np.dtypes.Float64DType,
    np.dtypes.Float32DType,
    np.dtypes.Int64DType,
    (np.float64(0).__reduce__()[0], "numpy.core.multiarray.scalar"),
    np.float64(0).__reduce__()[0],
]
_DEPTH = 3
_SHOWN = 3
_BUFFER = "num_batches_tracked"  # absent from files of old torch; only training reads it


@dataclass(frozen=True)
class StateDict:
    """Weights found in a file.

    Attributes:
        place: keys that lead to them, such as ``"state_dict"``; empty for the whole file.
        tensors: by name, as they stand in the file.
    """

    place: str
    tensors: dict[str, Tensor]

    @property
    def ema(self) -> bool:
        """True where the place says that they are averaged."""
        return "ema" in self.place.lower()


def state_dicts(path: Path) -> list[StateDict]:
    """Every set of weights in a file, the largest first.

    Raises:
        CheckpointError: missing, damaged, of another kind, or a pickle that names code; with the way out.
    """
    if not path.is_file():
        raise CheckpointError(f"weights {path} {'is a folder' if path.is_dir() else 'does not exist'}")
    found = _opened(path)
    sets = [StateDict(place, tensors) for place, tensors in _searched(found, "", 0)]
    if not sets:
        raise CheckpointError(f"{path} holds no tensors by name; save the network's state_dict()")
    return sorted(sets, key=lambda item: -len(item.tensors))


def load_weights(path: Path, network: nn.Module, ema: bool | None) -> str:
    """Put the weights of a file into a network.

    Args:
        path: ``.safetensors``, or what ``torch.save`` wrote of tensors.
        network: as the builder returned it; in float32 afterwards.
        ema: which set where there are two, see :class:`~edgeau_export.source_network.model_file.DescribedModel`.

    Returns:
        What was taken, one line.

    Raises:
        CheckpointError: as :func:`state_dicts`, or nothing in it fits the network; with the nearest misfit.
    """
    sets = state_dicts(path)
    averaged, plain = [item for item in sets if item.ema], [item for item in sets if not item.ema]
    if ema is True and not averaged:
        raise CheckpointError(
            f"{path} has no averaged (EMA) weights; there are {', '.join(item.place or 'its own' for item in sets)}"
        )
    wanted = averaged if ema or (ema is None and not plain) else plain
    if not wanted:
        raise CheckpointError(f"{path} has averaged (EMA) weights only; say ema = true")
    misfits = []
    for candidate in wanted:
        try:
            prefix = put_into(network, candidate.tensors)
        except CheckpointError as error:
            misfits.append(str(error))
            continue
        said = f"weights: {candidate.place or 'the whole file'}"
        said += f", without the prefix {prefix!r}" if prefix else ""
        other = plain if candidate.ema else averaged
        return said + (f"; {', '.join(item.place for item in other)} was left (ema)" if other else "")
    raise CheckpointError(f"{path} does not fit what the builder returns: {misfits[0]}")


def put_into(network: nn.Module, tensors: Mapping[str, Tensor]) -> str:
    """Load tensors by name, in float32; returns the prefix that they carry.

    Raises:
        CheckpointError: a name is missing, left over beside the others, or has another shape; a value is not a number.
    """
    expected = network.state_dict()
    needed = {name for name in expected if not name.endswith(_BUFFER)}
    prefix = _prefix(needed, tensors)
    own = {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}
    missing, over = sorted(needed - own.keys()), sorted(own.keys() - expected.keys())
    if missing or over:
        raise CheckpointError(f"{_listed('missing', missing)}{_listed('left over', over)}")
    for name, tensor in own.items():
        if tensor.shape != expected[name].shape:
            raise CheckpointError(
                f"{name} is {tuple(tensor.shape)} in the file and {tuple(expected[name].shape)} in the network"
            )
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor.float()).all()):
            raise CheckpointError(
                f"{name} holds values that are not finite (NaN or infinite): training diverged"
            )
    network.load_state_dict({name: _float32(value) for name, value in own.items()}, strict=False)
    return prefix


def _opened(path: Path) -> Any:
    if path.suffix == ".safetensors":
        try:
            return safetensors.torch.load_file(str(path))
        except safetensors.SafetensorError as error:
            raise CheckpointError(f"{path} is not a whole safetensors file ({error})") from error
    try:
        with torch.serialization.safe_globals(_HARMLESS):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(_refusal(path, str(error))) from error
    except Exception as error:  # a damaged file can raise anything
        raise CheckpointError(f"{path} cannot be read as weights ({_line(error)}); copy it again") from error


def _refusal(path: Path, said: str) -> str:
    name = said.partition("GLOBAL ")[2].partition(" ")[0]
    what = f"needs {name} to be unpickled" if name else "is a pickle of more than tensors"
    return (
        f"{path} {what}, which can run code, so it is not opened; where it was made, save the weights alone: "
        "torch.save(model.state_dict(), 'weights.pth')"
    )


def _searched(value: Any, place: str, depth: int) -> Iterator[tuple[str, dict[str, Tensor]]]:
    if not isinstance(value, Mapping) or depth > _DEPTH:
        return
    tensors = {
        name: item for name, item in value.items() if isinstance(name, str) and isinstance(item, Tensor)
    }
    if tensors and not all(item.ndim == 0 for item in tensors.values()):
        yield place, tensors
    for name, item in value.items():
        # The state of an optimiser has tensors as well; no network is made of them.
        if isinstance(name, str) and "optim" not in name.lower():
            yield from _searched(item, f"{place}.{name}" if place else name, depth + 1)


def _prefix(needed: set[str], tensors: Mapping[str, Tensor]) -> str:
    """Find what stands before the network's names in a file; the one that covers most."""
    first = min(needed, key=lambda name: (-len(name), name))
    found = {name[: -len(first)] for name in tensors if name.endswith(first)} | {""}
    return max(found, key=lambda prefix: (sum(prefix + name in tensors for name in needed), -len(prefix)))


def _float32(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value


def _listed(word: str, names: list[str]) -> str:
    if not names:
        return ""
    return f"{len(names)} {word} ({', '.join(names[:_SHOWN])}{', ...' if len(names) > _SHOWN else ''}); "


def _line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:120] if str(error).strip() else type(error).__name__
