"""Weights that a run starts from: drawn from the seed, or loaded from a file that the user names."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from edgeau.errors import CheckpointError
from edgeau_training.augmentation import CropView
from edgeau_training.checkpoint import METADATA_KEY, read_header, read_info
from edgeau_training.datasets.crops import LabelledCrops
from edgeau_training.networks.catalogue import network_facts
from edgeau_training.networks.drml.layers import MeanImage
from edgeau_training.networks.pretrained import LoadReport, load_pretrained
from edgeau_training.trainer.batches import plain_images
from edgeau_training.trainer.recipe import Recipe
from edgeau_training.trainer.validation import evenly

__all__ = ["set_mean_image", "start_from"]

_MEAN_OF = 4000  # faces: the mean of more differs by less than a grey level


def start_from(network: nn.Module, recipe: Recipe, path: Path) -> LoadReport:
    """Loads a backbone's file, or a checkpoint of the same network, which may have other labels.

    Raises:
        CheckpointError: the file is missing, damaged, of another network, or nothing in it fits.
    """
    if path.suffix == ".safetensors" and METADATA_KEY in read_header(path):
        info = read_info(path)
        if info.network != recipe.network:
            raise CheckpointError(
                f"{path} holds network {info.network!r}, the recipe trains {recipe.network!r}; "
                "start from a checkpoint of that network or from a file of its backbone"
            )
    return load_pretrained(network, path, network_facts(recipe.network, **recipe.options).backbone)


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
