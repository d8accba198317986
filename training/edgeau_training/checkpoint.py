"""Checkpoints: one safetensors file with the weights, and everything that is needed to use them, in its metadata.

The metadata key ``edgeau`` holds a JSON document (:class:`CheckpointInfo`): network and its options, label set, input
normalisation, alignment template, and whether and on what it was trained.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from edgeau._system.atomic_file import write_whole
from edgeau._system.file_digest import file_digest
from edgeau._system.json_text import parse_json
from edgeau._system.records import from_dict, to_dict
from edgeau.action_units.names import DEFAULT
from edgeau.bundle.manifest import InputSpec
from edgeau.bundle.provenance import Provenance
from edgeau.errors import CheckpointError, RecordError
from edgeau.faces.alignment import Alignment
from edgeau_training.networks import build_network
from edgeau_training.networks.catalogue import network_facts

__all__ = [
    "FORMAT",
    "IMAGENET_INPUT",
    "METADATA_KEY",
    "CheckpointInfo",
    "load_checkpoint",
    "make_seeded_checkpoint",
    "provenance_of_members",
    "read_header",
    "read_info",
    "save_checkpoint",
]

FORMAT = 1
METADATA_KEY = "edgeau"

# What the networks see: RGB in 0..1, normalised with the ImageNet statistics. The very words of a manifest.
IMAGENET_INPUT: dict[str, Any] = to_dict(InputSpec())


@dataclass(frozen=True)
class CheckpointInfo:
    """Description that a checkpoint carries of itself.

    Attributes:
        network: a name of the zoo.
        labels: AU labels in output order.
        options: the builder's options, e.g. ``{"mrp_variant": "R"}``.
        input: size, colour order, layout, mean and std of the network input.
        alignment: the template, as :meth:`edgeau.faces.alignment.Alignment.to_dict` gives it.
        trained: False for seeded random weights; all that shows their output must say "untrained".
        training: one sentence on what it was trained on.
        dataset_digest: digest of the training set, or None.
        licences: licences of what went into the weights.
        step: optimiser steps done.
        thresholds: decision threshold of each label on the probability, or empty for 0.5.
        metrics: measured figures with the split they were measured on.
        provenance: what the weights started from, data and recipe; None in files of before it was recorded.
    """

    network: str
    labels: tuple[str, ...]
    options: dict[str, Any] = field(default_factory=dict)
    input: dict[str, Any] = field(default_factory=lambda: dict(IMAGENET_INPUT))
    alignment: dict[str, Any] = field(default_factory=lambda: Alignment().to_dict())
    trained: bool = False
    training: str = "untrained"
    dataset_digest: str | None = None
    licences: tuple[str, ...] = ()
    step: int = 0
    thresholds: dict[str, float] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    provenance: Provenance | None = None

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain JSON values, with the format number."""
        return {
            "format": FORMAT,
            **asdict(self),
            "labels": list(self.labels),
            "licences": list(self.licences),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> CheckpointInfo:
        """The inverse of :meth:`to_dict`; keys that this version does not know are ignored.

        Raises:
            CheckpointError: a newer format, missing network or labels, or a value of another kind.
        """
        if not isinstance(values, dict):
            raise CheckpointError("the checkpoint's metadata is not a JSON object; save it again")
        found = values.get("format")
        if not isinstance(found, int) or found > FORMAT:
            raise CheckpointError(
                f"checkpoint format {found!r} is not known; this version reads up to {FORMAT}: update edgeau"
            )
        if not values.get("network") or not values.get("labels"):
            raise CheckpointError(
                "the checkpoint's metadata lacks its network name or its labels; save it again"
            )
        known = {key: values[key] for key in cls.__dataclass_fields__ if key in values}
        try:
            return from_dict(cls, known, "")
        except RecordError as error:
            raise CheckpointError(f"the checkpoint's metadata is damaged: {error}") from error


def provenance_of_members(paths: Sequence[Path], infos: Sequence[CheckpointInfo]) -> Provenance:
    """Provenance of weights that are put together from checkpoints.

    Args:
        paths: the checkpoints.
        infos: description of each.
    """
    return Provenance(
        members=tuple(
            replace(info.provenance or Provenance(), weights=file_digest(path))
            for path, info in zip(paths, infos, strict=True)
        )
    )


def save_checkpoint(path: Path, network: nn.Module, info: CheckpointInfo) -> None:
    """Writes weights and metadata; the file appears complete or not at all.

    Raises:
        OutputError: the folder cannot be written to.
    """
    tensors = {name: tensor.detach().contiguous().cpu() for name, tensor in network.state_dict().items()}
    metadata = {METADATA_KEY: json.dumps(info.to_dict())}
    write_whole(path, safetensors.torch.save(tensors, metadata))


def read_info(path: Path) -> CheckpointInfo:
    """Read a checkpoint's description of itself, without its weights.

    Raises:
        CheckpointError: missing, damaged, not a checkpoint of edgeau, or of a newer format.
    """
    return _info_of(path, read_header(path))


def load_checkpoint(
    path: Path, network: str | None = None, labels: int | None = None
) -> tuple[nn.Module, CheckpointInfo]:
    """Builds the network that a checkpoint names, with its weights, in evaluation mode.

    Args:
        path: the safetensors file.
        network: refuse a checkpoint of another network.
        labels: refuse a checkpoint with another number of labels.

    Raises:
        CheckpointError: whatever is wrong with the file, with what to do next.
    """
    metadata = read_header(path)
    info = _info_of(path, metadata)
    if network is not None and info.network != network:
        raise CheckpointError(f"{path} holds network {info.network!r}, but {network!r} was asked for")
    if labels is not None and len(info.labels) != labels:
        raise CheckpointError(
            f"{path} holds {len(info.labels)} labels ({' '.join(info.labels)}), but {labels} were asked for"
        )
    model = build_network(info.network, info.labels, **info.options)
    _load_tensors(path, model, safetensors.torch.load_file(os.fspath(path)))
    return model.eval(), info


def make_seeded_checkpoint(
    path: Path,
    network: str = "mrpnet",
    labels: tuple[str, ...] = DEFAULT,
    seed: int = 0,
    **options: Any,
) -> CheckpointInfo:
    """Writes a checkpoint with seeded random weights: a stand-in that is marked untrained.

    Returns:
        What was written about it (``trained`` is False).
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = build_network(network, labels, **options)
    facts = network_facts(network, **options)
    info = CheckpointInfo(
        network,
        tuple(labels),
        options,
        input=to_dict(facts.input),
        alignment=facts.alignment.to_dict(),
        training=f"untrained: random weights of seed {seed}",
    )
    save_checkpoint(path, model, info)
    return info


def _info_of(path: Path, metadata: dict[str, str]) -> CheckpointInfo:
    if METADATA_KEY not in metadata:
        raise CheckpointError(
            f"{path} is a safetensors file without edgeau's metadata, so its labels and preprocessing are unknown; "
            f"use a checkpoint written by edgeau-train, or describe it in a model.toml (edgeau-export --describe {path} prints one)"
        )
    try:
        values = parse_json(metadata[METADATA_KEY])
    except ValueError as error:
        raise CheckpointError(
            f"{path}: the metadata is not JSON ({error}); the file is damaged, copy it again"
        ) from error
    return CheckpointInfo.from_dict(values)


def _load_tensors(path: Path, model: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Puts tensors into the model; every one of both sides must fit."""
    expected = model.state_dict()
    missing = sorted(expected.keys() - tensors.keys())
    unexpected = sorted(tensors.keys() - expected.keys())
    if missing or unexpected:
        raise CheckpointError(
            f"{path} does not fit its network: {_listed('missing', missing)}{_listed('unexpected', unexpected)}"
            "it belongs to another network or version; train or export it again"
        )
    for name, tensor in tensors.items():
        if tensor.shape != expected[name].shape:
            raise CheckpointError(
                f"{path}: tensor {name} has shape {tuple(tensor.shape)}, the network has {tuple(expected[name].shape)}; "
                "the label count or another option does not fit the weights"
            )
    model.load_state_dict(tensors)


def _listed(word: str, names: list[str]) -> str:
    if not names:
        return ""
    shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    return f"{len(names)} {word} ({shown}); "


def read_header(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file, after checking that the file is whole.

    Raises:
        CheckpointError: missing, a folder, a pickle, truncated, or otherwise not safetensors.
    """
    if not path.is_file():
        raise CheckpointError(
            f"checkpoint {path} {'is a folder' if path.is_dir() else 'does not exist'}; name a .safetensors file"
        )
    if _is_pickle(path):
        raise CheckpointError(
            f"{path} is a pickle (a torch .pt/.pth file), which can run code when opened, so it is not; "
            "save its weights with edgeau_training.checkpoint.save_checkpoint first"
        )
    try:
        with safetensors.safe_open(os.fspath(path), framework="numpy") as file:
            return dict(file.metadata() or {})
    except safetensors.SafetensorError as error:
        raise CheckpointError(
            f"{path} is not a whole safetensors file ({error}); it is truncated, damaged or of another kind: copy it again"
        ) from error


def _is_pickle(path: Path) -> bool:
    """torch.save writes a zip, older versions and plain pickle start with the protocol opcode."""
    with path.open("rb") as file:
        start = file.read(2)
    return zipfile.is_zipfile(path) or (len(start) == 2 and start[0] == 0x80 and start[1] <= 5)
