"""Crops to what a network wants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.bundle.manifest import InputSpec
from edgeau.errors import InputError
from edgeau.runtimes.session import QuantizedInput, Session

__all__ = ["Preprocessor", "input_of"]


class Preprocessor:
    """Normalises crops, ``(x / 255 - mean) / std`` per channel, into a batch that it keeps and reuses.

    Args:
        spec: what the network wants.
        color: order of the channels of the crops that will be given, ``"RGB"`` or ``"BGR"``.
        quantized: the integers that the batch is made of (:attr:`edgeau.runtimes.session.Session.quantized_input`); None makes
            float32.
    """

    def __init__(self, spec: InputSpec, color: str = "RGB", quantized: QuantizedInput | None = None) -> None:
        std = np.array(spec.std, np.float64).reshape(-1, 1, 1)
        mean = np.array(spec.mean, np.float64).reshape(-1, 1, 1)
        self._scale = (1 / (255 * std)).astype(np.float32)
        self._shift = (-mean / std).astype(np.float32)
        self._shape = (*spec.size, 3)
        self._grey = (cv2.COLOR_RGB2GRAY if color == "RGB" else cv2.COLOR_BGR2GRAY) if spec.grey else None
        self._planes = np.empty((spec.channels, *spec.size), np.uint8)
        order = (0, 1, 2) if color == spec.color else (2, 1, 0)
        # cv2.split writes into these, so that each channel lands where the network wants it.
        self._channels = [] if spec.grey else [self._planes[index] for index in order]
        self._tables: NDArray[Any] | None = None
        shape, dtype = self._planes.shape, "float32"
        if quantized is not None:
            # What becomes of each value of a pixel, by channel: the same arithmetic as for whole crops.
            levels = np.arange(256, dtype=np.float32)
            self._tables = quantized.integers((levels * self._scale + self._shift).reshape(-1, 256))
            self._integers = [np.empty(spec.size, quantized.dtype) for _ in self._planes]
            shape, dtype = (*spec.size, spec.channels), quantized.dtype
        self._batch = np.empty((1, *shape), dtype)

    def batch(self, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> NDArray[Any]:
        """Normalised crops.

        Args:
            crops: uint8 ``(height, width, 3)`` each, of the size that the network wants; one or more.

        Returns:
            float32 ``(N, channels, height, width)``, or integers ``(N, height, width, channels)``; channels in the network's order.
            Valid until the next call.

        Raises:
            InputError: there is no crop, or one has another type or size.
        """
        if len(crops) == 0:
            raise InputError("there are no crops to run")
        if len(self._batch) < len(crops):
            self._batch = np.empty((len(crops), *self._batch.shape[1:]), self._batch.dtype)
        batch = self._batch[: len(crops)]
        for crop, out in zip(crops, batch, strict=True):
            self._normalise(crop, out)
        return batch

    def _normalise(self, crop: NDArray[np.uint8], out: NDArray[Any]) -> None:
        if crop.shape != self._shape or crop.dtype != np.uint8:
            raise InputError(f"a crop must be uint8 {self._shape}, got {crop.dtype} {crop.shape}")
        # One plane after the other: numpy is twice as slow on interleaved channels.
        if self._grey is None:
            cv2.split(crop, self._channels)
        else:
            cv2.cvtColor(crop, self._grey, self._planes[0])
        if self._tables is not None:
            for plane, table, integers in zip(self._planes, self._tables, self._integers, strict=True):
                cv2.LUT(plane, table, integers)
            cv2.merge(self._integers, out)
            return
        # First to float32: numpy converts and multiplies at once in small pieces, at twice the time.
        np.copyto(out, self._planes)
        out *= self._scale
        out += self._shift


def input_of(session: Session, spec: InputSpec, crops: NDArray[np.uint8]) -> NDArray[Any]:
    """Normalised crops as a session takes them fastest, for whoever times it.

    Args:
        session: will run them.
        spec: what the network wants.
        crops: RGB, uint8 ``(N, height, width, 3)``.
    """
    return Preprocessor(spec, quantized=session.quantized_input).batch(crops)
