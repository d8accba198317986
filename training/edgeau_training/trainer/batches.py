"""Batches in a seeded order: which faces, how they are cut, and what is asked about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edgeau_training.augmentation import Augmentation, CropView, centre_cut, random_cut, vary
from edgeau_training.datasets.crops import LabelledCrops
from edgeau_training.datasets.mirroring import mirrored_columns
from edgeau_training.sampling.draw import Draw
from edgeau_training.trainer.geometry_targets import GeometryTargets

__all__ = ["Batch", "Batches", "plain_images"]

_Item = TypeVar("_Item")
_SECOND_VIEW = 1  # in the seed of a face's second view
_BORDER = (128, 128, 128)  # outside the crop, as the alignment has it


@dataclass(frozen=True)
class Batch:
    """``images`` uint8 RGB ``(N, H, W, 3)``; ``occurrence`` and ``mask`` float32 ``(N, C)``.

    ``intensity`` and a teacher's logits ``teacher``, float32 ``(N, C)``, and standardised ``points`` ``(N, 2P)`` are None where they
    are not asked for.
    """

    images: Tensor
    occurrence: Tensor
    mask: Tensor
    intensity: Tensor | None = None
    points: Tensor | None = None
    teacher: Tensor | None = None

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device) -> Batch:
        """The same batch on another device."""

        def moved(value: Tensor | None) -> Tensor | None:
            return None if value is None else value.to(device, non_blocking=True)

        return Batch(
            self.images.to(device, non_blocking=True),
            self.occurrence.to(device, non_blocking=True),
            self.mask.to(device, non_blocking=True),
            moved(self.intensity),
            moved(self.points),
            moved(self.teacher),
        )


@dataclass(frozen=True)
class _Taken:
    """One face as it was cut."""

    image: NDArray[np.uint8]
    matrix: NDArray[np.float64]
    mirrored: bool


class Batches:
    """Makes training batches of a data set.

    Args:
        data: the training side.
        seed: seed of cuts and variations; with the epoch and the place in it, it decides each picture.
        intensity: float32 ``(N, C)``, or None.
        points: landmarks in pixels of the view's canvas, ``(N, P, 2)``, or None.
        targets: standardises the points.
        threads: that make the pictures of a batch.
        teacher: logits of a teacher, float32 ``(N, C)``, or None.
        twice: every face is shown in two cuts and variations, the second one mirrored if the first is not, where pictures may
            be mirrored; a batch then holds the first views of all its faces and after them the second ones.
    """

    def __init__(
        self,
        data: LabelledCrops,
        seed: int,
        intensity: NDArray[np.float32] | None = None,
        points: NDArray[np.float32] | None = None,
        targets: GeometryTargets | None = None,
        threads: int = 1,
        twice: bool = False,
        teacher: NDArray[np.float32] | None = None,
    ) -> None:
        self._data, self._seed, self._intensity, self._teacher = data, seed, intensity, teacher
        self._twice = twice
        self._points, self._targets = points, targets
        self._pool = ThreadPoolExecutor(threads, "picture") if threads > 1 else None

    def epoch(
        self,
        draws: Iterable[Draw],
        view: CropView,
        augmentation: Augmentation,
        epoch: int,
        start: int,
        part: slice,
    ) -> Iterator[Batch]:
        """Batches of draws.

        Args:
            draws: draws of one epoch, in their order.
            view: view of the pictures.
            augmentation: how they vary.
            epoch: its number.
            start: place of the first draw's first row in the epoch.
            part: part of each draw's rows that is made, by its places.

        Raises:
            UsageError: pictures may be mirrored, and the labels have one side of a pair only.
        """
        columns = mirrored_columns(self._data.labels) if augmentation.flip else None
        for draw in draws:
            places = range(start, start + len(draw))[part]
            rows, mask = draw.order[part], draw.mask[part]
            faces = list(zip(rows, places, strict=True))
            taken = list(self._map(lambda at: self._take(*at, view, augmentation, epoch), faces))
            if self._twice:
                pairs = list(zip(faces, taken, strict=True))
                taken += self._map(lambda pair: self._again(*pair, view, augmentation, epoch), pairs)
                rows, mask = np.tile(rows, 2), np.tile(mask, (2, 1))
            yield self._batch(rows, mask, taken, view, columns)
            start += len(draw)

    def close(self) -> None:
        """Ends the threads; no batch can be made afterwards where there are several."""
        if self._pool is not None:
            self._pool.shutdown()

    def _map(self, make: Callable[[_Item], _Taken], items: Iterable[_Item]) -> Iterable[_Taken]:
        return map(make, items) if self._pool is None else self._pool.map(make, items)

    def _take(self, row: int, place: int, view: CropView, augmentation: Augmentation, epoch: int) -> _Taken:
        return self._cut_and_varied(
            np.random.default_rng((self._seed, epoch, place)), row, view, augmentation
        )

    def _again(
        self, at: tuple[int, int], first: _Taken, view: CropView, augmentation: Augmentation, epoch: int
    ) -> _Taken:
        """The second view of a face."""
        row, place = at
        rng = np.random.default_rng((self._seed, epoch, place, _SECOND_VIEW))
        mirrored = not first.mirrored if augmentation.flip else False
        return self._cut_and_varied(rng, row, view, augmentation, mirrored)

    def _cut_and_varied(
        self,
        rng: np.random.Generator,
        row: int,
        view: CropView,
        augmentation: Augmentation,
        mirrored: bool | None = None,
    ) -> _Taken:
        matrix, mirrored = random_cut(rng, augmentation, view, mirrored)
        image = _cut(self._data.crops([row], view.canvas)[0], matrix, view.pixels)
        return _Taken(vary(rng, augmentation, image), matrix, mirrored)

    def _batch(
        self,
        rows: NDArray[np.int64],
        mask: NDArray[np.uint8],
        taken: list[_Taken],
        view: CropView,
        columns: NDArray[np.int64] | None,
    ) -> Batch:
        mirrored = np.array([one.mirrored for one in taken])
        # Of a picture that turned out to be damaged nothing is known any more.
        mask = np.minimum(mask, self._data.mask[rows])

        def labels(table: NDArray[np.generic]) -> Tensor:
            table = table.astype(np.float32)
            if columns is not None:
                table[mirrored] = table[mirrored][:, columns]
            return torch.from_numpy(table)

        points = None
        if self._points is not None and self._targets is not None:
            matrices = np.stack([one.matrix for one in taken])
            points = torch.from_numpy(self._targets.standardise(self._points[rows], matrices, mirrored, view))
        return Batch(
            torch.from_numpy(np.stack([one.image for one in taken])),
            labels(self._data.occurrence[rows]),
            labels(mask),
            None if self._intensity is None else labels(self._intensity[rows]),
            points,
            None if self._teacher is None else labels(self._teacher[rows]),
        )


def plain_images(data: LabelledCrops, rows: NDArray[np.int64], view: CropView, size: int) -> Iterator[Tensor]:
    """Centrally cut pictures without augmentation, uint8 RGB ``(n, H, W, 3)``; the last ones may be fewer."""
    matrix = centre_cut(view)
    for place in range(0, len(rows), size):
        crops = data.crops(rows[place : place + size], view.canvas)
        yield torch.from_numpy(np.stack([_cut(crop, matrix, view.pixels) for crop in crops]))


def _cut(image: NDArray[np.uint8], matrix: NDArray[np.float64], pixels: int) -> NDArray[np.uint8]:
    return cv2.warpAffine(  # type: ignore[return-value]
        image,
        matrix,
        (pixels, pixels),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=_BORDER,
    )
