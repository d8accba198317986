"""Weights from files of other programs: found under their wrappers and prefixes, never by running what a pickle says."""

from __future__ import annotations

import argparse
import pathlib
import pickle
import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from edgeau._system.first_line import first_line
from edgeau.errors import CheckpointError
from edgeau_export.source_network.weight_files import INDEX, shard_places

__all__ = ["StateDict", "load_weights", "put_into", "state_dicts"]

# Plain records that training programs put beside the weights; making them runs nothing of theirs.
_HARMLESS: list[Any] = [
    pathlib.Path,
    pathlib.PosixPath,
    pathlib.PurePosixPath,
    argparse.Namespace,
    OrderedDict,
    np.dtype,
    np.dtypes.Float64DType,
    np.dtypes.Float32DType,
    np.dtypes.Int64DType,
    (np.float64(0).__reduce__()[0], "numpy.core.multiarray.scalar"),
    np.float64(0).__reduce__()[0],
]
_DEPTH = 3
_SHOWN = 3
_LONGEST = 120  # characters of an error
# What wrappers of submodules put between the names, anywhere.
_INFIXES = ("_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")
_AVERAGED = re.compile(r"(?<![a-z])(ema|swa|averaged)(?![a-z])")
_ONE_SHARD = re.compile(r"-\d+-of-\d+\.")
_STARTS = {
    b"version https://git-lfs": "is a pointer of Git LFS, not the file itself: run git lfs pull where it comes from",
    b"<!doctype html": "is a web page: the download went wrong, get the file itself",
    b"<html": "is a web page: the download went wrong, get the file itself",
    b"\x89HDF": "is an HDF5 file, as Keras writes; convert the network to ONNX and name that",
    b"\x1f\x8b": "is compressed (gzip); unpack it first",
}
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
        return _AVERAGED.search(self.place.lower()) is not None


def state_dicts(path: Path) -> list[StateDict]:
    """Every set of weights in a file, the largest first.

    Raises:
        CheckpointError: missing, damaged, of another kind, or a pickle that names code; with the way out.
    """
    if not path.is_file():
        raise CheckpointError(f"weights {path} {'is a folder' if path.is_dir() else 'does not exist'}")
    _refuse_what_was_never_weights(path)
    found = _of_shards(path) if path.name.endswith(INDEX) else _opened(path)
    sets = [StateDict(place, tensors) for place, tensors in _searched(found, "", 0)]
    if not sets:
        raise CheckpointError(f"{path} holds no tensors by name; save the network's state_dict()")
    return sorted(sets, key=lambda item: -len(item.tensors))


def load_weights(path: Path, network: nn.Module, ema: bool | None = None, place: str | None = None) -> str:
    """Put the weights of a file into a network.

    Args:
        path: ``.safetensors``, or what ``torch.save`` wrote of tensors.
        network: as the builder returned it; in float32 afterwards.
        ema: which set where there are two, see :class:`~edgeau_export.source_network.model_file.DescribedModel`.
        place: keys that lead to the set, such as ``"teacher"``, where the file holds several of one kind.

    Returns:
        What was taken, one line.

    Raises:
        CheckpointError: as :func:`state_dicts`; nothing in it fits the network, with the nearest misfit; or several sets fit and
            nothing says which.
    """
    if not network.state_dict():
        raise CheckpointError(f"what the builder returns has no weights, so that {path} cannot fill it")
    sets = [part for item in state_dicts(path) for part in _by_prefix(item, network)]
    wanted = _wanted(path, sets, ema, place)
    fitting: list[tuple[StateDict, str]] = []
    misfits = []
    for candidate in wanted:
        try:
            fitting.append((candidate, put_into(network, candidate.tensors)))
        except CheckpointError as error:  # noqa: PERF203 - loading takes longer
            misfits.append(str(error))
    if not fitting:
        part = (
            "; it is one of several shards, name their index (.index.json)"
            if _ONE_SHARD.search(path.name)
            else ""
        )
        raise CheckpointError(f"{path} does not fit what the builder returns: {misfits[0]}{part}")
    (taken, prefix), *alike = fitting
    others = [item for item, other in alike if not _equal(taken, prefix, item, other)]
    if others:
        raise CheckpointError(
            f"{path} holds {len(others) + 1} sets of weights that fit: {', '.join(_shown(item) for item in (taken, *others))}; "
            f'say which, such as state_dict = "{others[0].place or taken.place}" in the model.toml'
        )
    put_into(network, taken.tensors)
    said = f"weights: {_shown(taken)}" + (f", without the prefix {prefix!r}" if prefix else "")
    left = [item.place for item in sets if item.ema != taken.ema and item not in wanted]
    left_alike = [
        item.place for item in sets if place is not None and item.ema == taken.ema and item not in wanted
    ]
    said += f"; {', '.join(left_alike)} was left" if left_alike else ""
    return said + (f"; {', '.join(left)} was left (ema)" if left else "")


def _wanted(path: Path, sets: list[StateDict], ema: bool | None, place: str | None) -> list[StateDict]:
    """The sets that may be meant, by what the model.toml says of them."""
    known = ", ".join(map(_shown, sets))
    if place is not None:
        exact = [item for item in sets if item.place == place]
        sets = exact or [item for item in sets if item.place.startswith(f"{place}.")]
        if not sets:
            raise CheckpointError(f"{path} has no weights under {place!r}; there are {known}")
        if ema is None:
            return sets
    averaged, plain = [item for item in sets if item.ema], [item for item in sets if not item.ema]
    if ema is True and not averaged:
        raise CheckpointError(f"{path} has no averaged (EMA) weights; there are {known}")
    wanted = averaged if ema or (ema is None and not plain) else plain
    if not wanted:
        raise CheckpointError(f"{path} has averaged (EMA) weights only; say ema = true")
    return wanted


def _shown(item: StateDict) -> str:
    return item.place or "the whole file"


def _equal(one: StateDict, prefix: str, other: StateDict, other_prefix: str) -> bool:
    """Tell whether two sets that fit are the same numbers, saved twice."""
    mine = {name[len(prefix) :]: value for name, value in one.tensors.items() if name.startswith(prefix)}
    return all(
        torch.equal(value, mine[name[len(other_prefix) :]])
        for name, value in other.tensors.items()
        if name.startswith(other_prefix) and name[len(other_prefix) :] in mine
    )


def _by_prefix(found: StateDict, network: nn.Module) -> list[StateDict]:
    """The sets of which one state dict is made: a module that held a student and its teacher saves them side by side.

    Each is what stands under one prefix and is the whole network by names and shapes.
    """
    needed = {name: value.shape for name, value in network.state_dict().items() if not name.endswith(_BUFFER)}
    tensors = found.tensors
    first = max(needed, key=lambda name: (len(name), name))
    starts = {name[: -len(first)] for name in tensors if name.endswith(first)}
    whole = [
        start
        for start in sorted(starts)
        if (not start or start.endswith("."))
        and all(
            start + name in tensors and tensors[start + name].shape == shape for name, shape in needed.items()
        )
    ]
    if len(whole) < 2:
        return [found]

    def own(start: str) -> dict[str, Tensor]:
        inner = tuple(other for other in whole if other != start and other.startswith(start))
        return {
            name: value
            for name, value in tensors.items()
            if name.startswith(start) and not (inner and name.startswith(inner))
        }

    return [
        StateDict(".".join(filter(None, (found.place, start.rstrip(".")))), own(start)) for start in whole
    ]


def put_into(network: nn.Module, tensors: Mapping[str, Tensor]) -> str:
    """Load tensors by name, in float32; returns the prefix that they carry.

    Raises:
        CheckpointError: a name is missing, left over beside the others, or has another shape; a value is not a number.
    """
    expected = network.state_dict()
    needed = {name for name in expected if not name.endswith(_BUFFER)}
    prefix, own = _named_as(needed, tensors)
    if not needed <= own.keys():
        prefix, own = _named_as(needed, _without_infixes(tensors, needed))
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


def _refuse_what_was_never_weights(path: Path) -> None:
    """Refuse what a wrong download or a wrong tool leaves under the name of weights."""
    with path.open("rb") as file:
        start = file.read(32)
    if not start:
        raise CheckpointError(f"{path} is empty; copy it again")
    for mark, what in _STARTS.items():
        if start.lower().startswith(mark.lower()):
            raise CheckpointError(f"{path} {what}")


def _of_shards(index: Path) -> dict[str, Tensor]:
    """The tensors of all files that an index names."""
    places = shard_places(index)
    tensors: dict[str, Tensor] = {}
    for name in sorted(set(places.values())):
        tensors |= _opened(index.parent / name)
    missing = sorted(places.keys() - tensors.keys())
    if missing:
        raise CheckpointError(f"the shards of {index} lack {_listed('tensors', missing)}copy them again")
    return tensors


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
        raise CheckpointError(
            f"{path} cannot be read as weights ({first_line(error)[:_LONGEST]}); copy it again"
        ) from error


def _refusal(path: Path, said: str) -> str:
    name = said.partition("GLOBAL ")[2].partition(" ")[0]
    what = f"needs {name} to be unpickled" if name else "is a pickle of more than tensors"
    return (
        f"{path} {what}, which can run code, so it is not opened; where it was made, save the weights alone: "
        "torch.save(model.state_dict(), 'weights.pth')"
    )


def _searched(value: Any, place: str, depth: int) -> Iterator[tuple[str, dict[str, Tensor]]]:
    if isinstance(value, list | tuple):  # such as (state of the network, state of the optimiser)
        value = {f"[{number}]": item for number, item in enumerate(value) if isinstance(item, Mapping)}
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


def _named_as(needed: set[str], tensors: Mapping[str, Tensor]) -> tuple[str, dict[str, Tensor]]:
    """The prefix that a file's names carry, and its tensors without it."""
    prefix = _prefix(needed, tensors)
    return prefix, {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}


def _prefix(needed: set[str], tensors: Mapping[str, Tensor]) -> str:
    """Find what stands before the network's names in a file; the one that covers most."""
    first = min(needed, key=lambda name: (-len(name), name))
    found = {name[: -len(first)] for name in tensors if name.endswith(first)} | {""}
    return max(found, key=lambda prefix: (sum(prefix + name in tensors for name in needed), -len(prefix)))


def _without_infixes(tensors: Mapping[str, Tensor], needed: set[str]) -> Mapping[str, Tensor]:
    """Names without what wrappers of submodules put into them, where the network itself does not have such names."""
    words = [word for word in _INFIXES if not any(word in name.split(".") for name in needed)]

    def plain(name: str) -> str:
        return ".".join(part for part in name.split(".") if part not in words)

    shorter = {plain(name): value for name, value in tensors.items()}
    return shorter if len(shorter) == len(tensors) else tensors


def _float32(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value


def _listed(word: str, names: list[str]) -> str:
    if not names:
        return ""
    return f"{len(names)} {word} ({', '.join(names[:_SHOWN])}{', ...' if len(names) > _SHOWN else ''}); "
