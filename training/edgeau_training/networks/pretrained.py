"""Pretrained weights from a file that the user names: what fits is loaded, and all that does not is told.

Nothing is ever downloaded. Files of timm, face.evoLVe and InsightFace fit the backbones of their networks; a checkpoint of
edgeau fits its own network, and with another label set all but the classifier.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from edgeau.errors import CheckpointError

__all__ = ["LoadReport", "load_pretrained"]

# Where training programs put the weights inside of what they save.
_WRAPPERS = ("state_dict", "model_state_dict", "model")
_SHOWN = 3


@dataclass(frozen=True)
class LoadReport:
    """Outcome of loading a file. Names are as in the network.

    Attributes:
        path: the file.
        part: the submodule that was filled; "" for the whole network.
        matched: tensors loaded.
        missing: tensors of that part that the file does not have; they keep their random start.
        unexpected: tensors of the file that the part does not have; they were not used.
        mismatched: tensors of both with different shapes, as ``name (file's shape, network's shape)``; not loaded.
    """

    path: Path
    part: str
    matched: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    mismatched: tuple[str, ...]

    def __str__(self) -> str:
        into = f"the network's {self.part}" if self.part else "the network"
        rest = [
            f"{len(names)} {what} ({_listed(names)})"
            for what, names in (
                ("missing", self.missing),
                ("unexpected", self.unexpected),
                ("of another shape", self.mismatched),
            )
            if names
        ]
        return "; ".join([f"{self.path.name}: {len(self.matched)} tensors loaded into {into}", *rest])


def load_pretrained(
    network: nn.Module,
    path: Path,
    backbone: str | None = None,
    matched: Callable[[str, Tensor, Tensor], Tensor | None] | None = None,
) -> LoadReport:
    """Loads what fits from a file into a network, or into its backbone, whichever fits more of it.

    Args:
        network: it is changed in place.
        path: a ``.safetensors`` file, or a ``.pt`` / ``.pth`` one, which is opened without running code from it.
        backbone: name of the submodule that pretrained files are for, see
            :class:`~edgeau_training.networks.catalogue.NetworkFacts`.
        matched: given a name of the whole network, the file's tensor and the network's, what to load; None for neither. Without
            it shapes decide.

    Raises:
        CheckpointError: the file is missing or cannot be read, or nothing in it fits.
    """
    tensors = _read(path)
    parts = [""] if backbone is None else [backbone, ""]
    fitted = {part: _fitted(part, network.get_submodule(part), tensors, matched) for part in parts}
    reports = [_compare(path, part, network.get_submodule(part), fitted[part]) for part in parts]
    best = max(reports, key=lambda report: len(report.matched))
    if not best.matched:
        expected = [name for name in network.get_submodule(parts[0]).state_dict() if _counts(name)]
        raise CheckpointError(
            f"nothing in {path} fits: it has {len(tensors)} tensors such as {_listed(tuple(tensors))}, the network's "
            f"{parts[0] or 'own'} ones are named such as {_listed(tuple(expected))}; use a file of this architecture"
        )
    network.get_submodule(best.part).load_state_dict(
        {name: fitted[best.part][name] for name in best.matched}, strict=False
    )
    return best


def _fitted(
    part: str,
    module: nn.Module,
    tensors: Mapping[str, Tensor],
    matched: Callable[[str, Tensor, Tensor], Tensor | None] | None,
) -> Mapping[str, Tensor]:
    """The file's tensors, those of labels put into the network's order; what cannot be matched is left out."""
    if matched is None:
        return tensors
    own = module.state_dict()
    chosen = {
        name: matched(f"{part}.{name}" if part else name, tensor, own[name]) if name in own else tensor
        for name, tensor in tensors.items()
    }
    return {name: tensor for name, tensor in chosen.items() if tensor is not None}


def _compare(path: Path, part: str, module: nn.Module, tensors: Mapping[str, Tensor]) -> LoadReport:
    own = module.state_dict()
    shared = [name for name in own if name in tensors]
    fitting = tuple(name for name in shared if tensors[name].shape == own[name].shape)
    return LoadReport(
        path,
        part,
        matched=fitting,
        missing=tuple(name for name in own if name not in tensors and _counts(name)),
        unexpected=tuple(name for name in tensors if name not in own),
        mismatched=tuple(
            f"{name} {tuple(tensors[name].shape)}, {tuple(own[name].shape)}"
            for name in shared
            if name not in set(fitting)
        ),
    )


def _counts(name: str) -> bool:
    """Batch norm's step counter is not a weight, and old files lack it."""
    return not name.endswith("num_batches_tracked")


def _read(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by name, without wrappers and without the prefix of a parallel training."""
    if not path.is_file():
        raise CheckpointError(
            f"pretrained file {path} {'is a folder' if path.is_dir() else 'does not exist'}; "
            "name a .safetensors, .pt or .pth file (nothing is downloaded)"
        )
    try:
        content = _opened(path)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path} is damaged, or holds more than tensors, which could run code and is not opened; save its state_dict alone"
        ) from error
    except (safetensors.SafetensorError, RuntimeError, EOFError, ValueError) as error:
        raise CheckpointError(f"{path} is truncated, damaged or of another kind; copy it again") from error
    for wrapper in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping):
        raise CheckpointError(
            f"{path} holds a {type(content).__name__}, not named tensors: save its state_dict"
        )
    tensors = {str(name): tensor for name, tensor in content.items() if isinstance(tensor, Tensor)}
    if tensors and all(name.startswith("module.") for name in tensors):
        tensors = {name.removeprefix("module."): tensor for name, tensor in tensors.items()}
    return tensors


def _opened(path: Path) -> Any:
    if path.suffix == ".safetensors":
        return safetensors.torch.load_file(os.fspath(path))
    return torch.load(path, map_location="cpu", weights_only=True)


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "") if names else "none"
