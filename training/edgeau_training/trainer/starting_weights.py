"""Weights that a run starts from: drawn from the seed, or loaded from a file that the user names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from edgeau._system.file_digest import file_digest
from edgeau.bundle.provenance import StartingWeights
from edgeau.errors import CheckpointError
from edgeau_training.augmentation import CropView
from edgeau_training.checkpoint import METADATA_KEY, read_header, read_info
from edgeau_training.datasets.crops import LabelledCrops
from edgeau_training.networks.catalogue import network_facts
from edgeau_training.networks.drml.layers import MeanImage
from edgeau_training.networks.label_rows import label_axes, matched_rows
from edgeau_training.networks.pretrained import load_pretrained
from edgeau_training.trainer.batches import plain_images
from edgeau_training.trainer.recipe import Recipe
from edgeau_training.trainer.validation import evenly

__all__ = ["set_mean_image", "start_from"]

_MEAN_OF = 4000  # faces: the mean of more differs by less than a grey level


def start_from(
    network: nn.Module, recipe: Recipe, labels: Sequence[str], path: Path
) -> tuple[StartingWeights, str]:
    """Loads a backbone's file, or a checkpoint of the same network, which may have other labels: rows are matched by name.

    Args:
        network: with random weights.
        recipe: recipe of the run.
        labels: labels of the network, in output order.
        path: the file.

    Returns:
        What was taken, and the same for people.

    Raises:
        CheckpointError: the file is missing, damaged, of another network, or nothing in it fits.
    """
    theirs: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    if path.suffix == ".safetensors" and METADATA_KEY in read_header(path):
        info = read_info(path)
        if info.network != recipe.network:
            raise CheckpointError(
                f"{path} holds network {info.network!r}, the recipe trains {recipe.network!r}; "
                "start from a checkpoint of that network or from a file of its backbone"
            )
        theirs, licences = info.labels, info.licences
    axes = label_axes(recipe.network, labels, recipe.options)

    def matched(name: str, tensor: Tensor, own: Tensor) -> Tensor | None:
        # A file that does not say its labels cannot give rows to ours, even where the shapes fit.
        return matched_rows(tensor, own, axes[name], theirs, labels) if name in axes else tensor

    backbone = network_facts(recipe.network, **recipe.options).backbone
    report = load_pretrained(network, path, backbone, matched)
    taken = tuple(label for label in labels if label in theirs) if not report.part else ()
    fresh = tuple(label for label in labels if label not in taken)
    started = StartingWeights(path.name, file_digest(path), theirs, taken, fresh, licences)
    said = f"; outputs of {' '.join(taken)} by name" if taken else ""
    said += f"; outputs of {' '.join(fresh)} begin at random" if fresh else ""
    return started, f"{report}{said}"


def set_mean_image(network: nn.Module, data: LabelledCrops, view: CropView) -> None:
    """Gives a network that subtracts a mean image that of its training crops; others are left alone."""
    part = getattr(network, "mean_image", None)
    if not isinstance(part, MeanImage):
        return
    whole = CropView(view.canvas, view.canvas, view.canvas)
    rows = evenly(len(data), _MEAN_OF)
    total = torch.zeros(view.canvas, view.canvas, 3, dtype=torch.float64)
    for images in plain_images(data, rows, whole, 64):
        total += images.double().sum(dim=0)
    bgr = (total / len(rows)).flip(-1).permute(2, 0, 1)  # DRML's networks take BGR
    if view.field != view.pixels:  # the stored crops are larger than the network's canvas
        side = round(view.canvas * view.pixels / view.field)
        bgr = nn.functional.interpolate(bgr[None], size=(side, side), mode="bilinear", align_corners=False)[0]
    part.set(bgr.float())
