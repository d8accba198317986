"""Faces to fine-tune on: random ones of the rendered training split, as the device crops them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edgeau.bundle.manifest import InputSpec
from edgeau_training.augmentation import CANVAS
from edgeau_training.datasets.synthetic import SyntheticFaces, list_shards
from edgeau_training.datasets.synthetic_crops import SyntheticCrops
from edgeau_training.trainer.student import Normaliser

__all__ = ["DeviceFaces", "read_faces"]


class DeviceFaces:
    """Crops of one split, cut and normalised as on the device.

    Args:
        faces: the split.
        spec: what the network wants.
    """

    def __init__(self, faces: SyntheticFaces, spec: InputSpec) -> None:
        self.faces = faces
        self._crops = SyntheticCrops(faces)
        self._normalise = Normaliser(spec)
        self._size = spec.size[0]

    def batch(self, rows: NDArray[np.int64]) -> Tensor:
        """Normalised images, float32 ``(n, 3, H, W)``."""
        inset = (CANVAS - self._size) // 2
        canvas = self._crops.crops(rows, CANVAS)
        return self._normalise(
            torch.from_numpy(
                np.ascontiguousarray(canvas[:, inset : inset + self._size, inset : inset + self._size])
            )
        )

    def endless(self, size: int, seed: int) -> Iterator[Tensor]:
        """Batches in random order, every other one mirrored, without end."""
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


def read_faces(data: Path, split: str, labels: tuple[str, ...], spec: InputSpec, shards: int) -> DeviceFaces:
    """Faces of evenly chosen shards of a split.

    Args:
        data: what edgeau-synth wrote.
        split: ``"train"`` or ``"val"``.
        labels: labels of the network.
        spec: what the network wants.
        shards: to read at most.

    Raises:
        InputError: no such data, or without a label.
    """
    names = list_shards(data, split)
    chosen = [
        names[i] for i in np.unique(np.linspace(0, len(names) - 1, min(shards, len(names))).astype(int))
    ]
    return DeviceFaces(SyntheticFaces.read(data, split, labels, chosen), spec)
