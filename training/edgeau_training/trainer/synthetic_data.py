"""The rendered faces of edgeau-synth as training data; shards that appear while a run goes on are taken in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau._system.file_digest import file_digest
from edgeau.action_units.names import DEFAULT
from edgeau_training.datasets.crops import LabelledCrops
from edgeau_training.datasets.synthetic import SyntheticFaces, list_shards
from edgeau_training.datasets.synthetic_crops import SyntheticCrops
from edgeau_training.trainer.framing import Framing

__all__ = ["SyntheticData"]


class SyntheticData:
    """See :class:`~edgeau_training.trainer.training_data.TrainingData`.

    Args:
        root: what edgeau-synth wrote.
        labels: AUs; none for the default network's.
        framing: framing of the network.
        parts: shards of the training split to read; None for all there are.
    """

    fold = ""
    division = ""
    test: LabelledCrops | None = None
    problems: tuple[str, ...] = ()

    def __init__(
        self, root: Path, labels: Sequence[str], framing: Framing, parts: Sequence[str] | None = None
    ) -> None:
        self._root, self._framing = root, framing
        self.labels = tuple(labels) or DEFAULT
        self.parts = list(parts) if parts is not None else list_shards(root, "train")
        self._faces = SyntheticFaces.read(root, "train", self.labels, self.parts)
        self.train: LabelledCrops = self._crops(self._faces)
        self.validation: LabelledCrops | None = self._crops(SyntheticFaces.read(root, "val", self.labels))
        # The description names rig, generator, seed and counts.
        self.digest = "sha256:" + file_digest(root / "dataset.json")

    def grow(self) -> bool:
        """Reads the split again when shards have appeared."""
        parts = list_shards(self._root, "train")
        if parts == self.parts:
            return False
        self.parts = parts
        self._faces = SyntheticFaces.read(self._root, "train", self.labels, parts)
        self.train = self._crops(self._faces)
        return True

    def intensity(self) -> NDArray[np.float32]:
        """Intensity of the rig, float32 ``(N, C)``, 0..1."""
        return self._faces.intensity

    def points(self) -> NDArray[np.float32]:
        """float32 ``(N, 468, 2)``, pixels of the canvas."""
        return self._crops(self._faces).points(self._framing.canvas)

    def _crops(self, faces: SyntheticFaces) -> SyntheticCrops:
        return SyntheticCrops(faces, arcface=self._framing.arcface)
