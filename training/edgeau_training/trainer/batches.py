"""Batches in a seeded order: which faces, how they are cut, and what is asked about them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edgeau.errors import InputError
from edgeau_training.augmentation import Augmentation, View, centre_cut, random_cut, vary
from edgeau_training.datasets.synthetic import SyntheticFaces
from edgeau_training.trainer.geometry_targets import GeometryTargets

__all__ = ["Batch", "View", "epoch_batches", "plain_batches", "prefetched"]

_BORDER = (128, 128, 128)  # outside the crop, as the alignment has it


@dataclass(frozen=True)
class Batch:
    """``images`` uint8 RGB ``(N, H, W, 3)``; ``occurrence``, ``mask``, ``intensity`` float32 ``(N, C)``; ``points`` ``(N, 2P)``."""

    images: Tensor
    occurrence: Tensor
    mask: Tensor
    intensity: Tensor
    points: Tensor

    def __len__(self) -> int:
        return len(self.images)


def epoch_batches(
    faces: SyntheticFaces,
    targets: GeometryTargets,
    view: View,
    augmentation: Augmentation,
    *,
    size: int,
    seed: int,
    epoch: int,
    start: int = 0,
) -> Iterator[Batch]:
    """The whole batches of one epoch, from sample ``start`` of its order on. Seed, epoch and face decide each picture."""
    order = np.random.default_rng((seed, epoch)).permutation(len(faces))
    for place in range(start, len(order) - size + 1, size):
        chosen = order[place : place + size]
        generators = [np.random.default_rng((seed, epoch, int(face))) for face in chosen]
        taken = [
            _augmented(faces.crops[face], view, augmentation, rng)
            for face, rng in zip(chosen, generators, strict=True)
        ]
        images, matrices, mirrored = zip(*taken, strict=True)
        points = targets.standardise(faces.points[chosen], np.stack(matrices), np.array(mirrored), view)
        yield _batch(faces, chosen, list(images), points)


def plain_batches(faces: SyntheticFaces, targets: GeometryTargets, view: View, size: int) -> Iterator[Batch]:
    """All faces in their order, centrally cut, without augmentation; the last batch may be smaller."""
    matrix = centre_cut(view.pixels, view.field)
    for place in range(0, len(faces), size):
        chosen = np.arange(place, min(place + size, len(faces)))
        images = [_cut(decode(faces.crops[face]), matrix, view.pixels) for face in chosen]
        central = np.broadcast_to(matrix, (len(chosen), 2, 3))
        points = targets.standardise(faces.points[chosen], central, np.zeros(len(chosen), bool), view)
        yield _batch(faces, chosen, images, points)


def prefetched(batches: Iterator[Batch], depth: int = 4) -> Iterator[Batch]:
    """The same batches, made ahead by one thread; an error there is raised here."""
    made: queue.Queue[Batch | BaseException | None] = queue.Queue(depth)
    stopped = threading.Event()

    def produce() -> None:
        try:
            for batch in batches:
                if not _put(made, batch, stopped):
                    return
            _put(made, None, stopped)
        except BaseException as error:  # noqa: BLE001  (raised again by the consumer)
            _put(made, error, stopped)

    threading.Thread(target=produce, name="batches", daemon=True).start()
    try:
        while (item := made.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stopped.set()


def decode(jpeg: bytes) -> NDArray[np.uint8]:
    """A crop as uint8 RGB ``(256, 256, 3)``.

    Raises:
        InputError: the bytes are no picture.
    """
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise InputError(
            "a crop in the data set is not a readable JPEG; the shard is damaged, render it again"
        )
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)  # type: ignore[return-value]


def _put(
    made: queue.Queue[Batch | BaseException | None],
    item: Batch | BaseException | None,
    stopped: threading.Event,
) -> bool:
    """False when nobody wants more."""
    while not stopped.is_set():
        try:
            made.put(item, timeout=0.5)
        except queue.Full:
            continue
        return True
    return False


def _augmented(
    jpeg: bytes, view: View, augmentation: Augmentation, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float64], bool]:
    """A picture, the matrix that cut it, and whether it is mirrored."""
    matrix, mirrored = random_cut(rng, augmentation, view.pixels, view.field)
    return vary(rng, augmentation, _cut(decode(jpeg), matrix, view.pixels)), matrix, mirrored


def _cut(image: NDArray[np.uint8], matrix: NDArray[np.float64], pixels: int) -> NDArray[np.uint8]:
    return cv2.warpAffine(  # type: ignore[return-value]
        image,
        matrix,
        (pixels, pixels),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=_BORDER,
    )


def _batch(
    faces: SyntheticFaces,
    chosen: NDArray[np.int64],
    images: list[NDArray[np.uint8]],
    points: NDArray[np.float32],
) -> Batch:
    occurrence = torch.from_numpy(faces.occurrence[chosen].astype(np.float32))
    return Batch(
        torch.from_numpy(np.stack(images)),
        occurrence,
        torch.ones_like(occurrence),
        torch.from_numpy(faces.intensity[chosen]),
        torch.from_numpy(points),
    )
