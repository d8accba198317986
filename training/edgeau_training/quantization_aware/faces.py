"""Faces to fine-tune on: random ones of the rendered training split, as the device crops them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edgeau.bundle.manifest import InputSpec
from edgeau.errors import InputError
from edgeau.faces.alignment import Alignment
from edgeau_training.augmentation import CropView
from edgeau_training.datasets.synthetic import SyntheticFaces, list_shards
from edgeau_training.datasets.synthetic_crops import SyntheticCrops
from edgeau_training.trainer.batches import plain_images
from edgeau_training.trainer.student import Normaliser

__all__ = ["DeviceFaces", "read_faces"]


class DeviceFaces:
    """Crops of one split, cut and normalised as on the device.

    Args:
        faces: the split.
        spec: what the network wants.
        alignment: how the device cuts a face.

    Raises:
        InputError: the device cuts otherwise than by a five-point template with a canvas, which is how rendered crops are stored.
    """

    def __init__(self, faces: SyntheticFaces, spec: InputSpec, alignment: Alignment) -> None:
        size, canvas = alignment.size, alignment.canvas
        if alignment != Alignment(size=size, canvas=canvas) or spec.size != (size, size):
            raise InputError(
                f"the rendered crops do not fit the alignment {alignment.to_dict()} of this network; fine-tune one that is cut by "
                "edgeau's five points"
            )
        self.faces = faces
        self._crops = SyntheticCrops(faces)
        self._normalise = Normaliser(spec)
        self._view = CropView(size, size, canvas)

    def batch(self, rows: NDArray[np.int64]) -> Tensor:
        """Normalised images, float32 ``(n, 3, H, W)``."""
        return self._normalise(torch.cat(list(plain_images(self._crops, rows, self._view, len(rows)))))

    def endless(self, size: int, seed: int) -> Iterator[Tensor]:
        """Batches in random order, every other one mirrored, without end.

        Raises:
            InputError: there are fewer faces than a batch takes.
        """
        if size > len(self.faces):
            raise InputError(
                f"a batch of {size} faces cannot be drawn from {len(self.faces)}; take a smaller --batch"
            )
        return self._endless(size, seed)

    def _endless(self, size: int, seed: int) -> Iterator[Tensor]:
        random = np.random.default_rng(seed)
        while True:
            order = random.permutation(len(self.faces))
            for start in range(0, len(order) - size + 1, size):
                images = self.batch(order[start : start + size])
                yield images.flip(3) if random.random() < 0.5 else images

    def in_order(self, count: int, size: int) -> Iterator[Tensor]:
        """Batches of the first ``count`` faces; the last may be smaller."""
        for start in range(0, min(count, len(self.faces)), size):
            yield self.batch(np.arange(start, min(start + size, count, len(self.faces))))


def read_faces(
    data: Path, split: str, labels: tuple[str, ...], spec: InputSpec, alignment: Alignment, shards: int
) -> DeviceFaces:
    """Faces of evenly chosen shards of a split.

    Args:
        data: what edgeau-synth wrote.
        split: ``"train"`` or ``"val"``.
        labels: labels of the network.
        spec: what the network wants.
        alignment: how the device cuts a face.
        shards: to read at most.

    Raises:
        InputError: no such data, without a label, or cut otherwise than the network wants.
    """
    names = list_shards(data, split)
    chosen = [
        names[i] for i in np.unique(np.linspace(0, len(names) - 1, min(shards, len(names))).astype(int))
    ]
    return DeviceFaces(SyntheticFaces.read(data, split, labels, chosen), spec, alignment)
