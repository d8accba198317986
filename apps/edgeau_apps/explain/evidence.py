"""Evidence maps: how much each place of a crop counts for each answer of a network.

A bundle is asked by hiding places (occlusion), which needs its engine and nothing else; a checkpoint by the gradient of its
answers, which needs torch. A map is drawn over its crop in grey: warm where a place speaks for the AU, cold where it speaks against.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau._system.install_lines import extra_line
from edgeau.action_units.network import AUDetector
from edgeau.errors import DependencyError
from edgeau.faces.alignment import Alignment
from edgeau.metrics import sigmoid
from edgeau_training.evaluation.inner_answers import InnerMap, InnerTable

__all__ = [
    "BundleEvidence",
    "CheckpointEvidence",
    "Evidence",
    "EvidenceSource",
    "occlusion_maps",
    "overlay",
]

# Places hidden along a side, and the standard deviation of the soft window that hides one, as a share of the side.
CELLS = 14
WINDOW = 0.07
# The hidden place shows the crop blurred by this share of its side: no edge and no colour that was not there before.
_BLUR = 0.06

# Of a drawn map.
_SIDE = 320  # pixels of the longer side of the picture
_WARM, _COLD = (40, 90, 255), (230, 140, 40)  # BGR
_STRONGEST = 0.8  # opacity of the largest value
_OUTLINE = (255, 255, 255)


@dataclass(frozen=True)
class Evidence:
    """A network's answers to one crop, and the places they come from.

    Attributes:
        logits: float32 ``(C,)``, of the network alone.
        probabilities: float32 ``(C,)``, 0..1.
        maps: float32 ``(C, H, W)``, H and W the cells or pixels of the map. For occlusion how much a logit falls when that
            place is hidden (negative where it rises); for gradients the size of the gradient, never negative.
    """

    logits: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    maps: NDArray[np.float32]


class EvidenceSource(Protocol):
    """A network that can be asked where it reads from."""

    labels: tuple[str, ...]
    alignment: Alignment
    method: str

    def explain(self, crop: NDArray[np.uint8]) -> Evidence:
        """Evidence of one aligned crop, uint8 ``(H, W, 3)`` BGR."""

    def inner(self, crop: NDArray[np.uint8]) -> tuple[list[InnerMap], list[InnerTable]]:
        """Attention, edges and shares on the way to the answers, where they can be read; crop as for :meth:`explain`."""


def occlusion_maps(
    answer: Callable[[NDArray[np.uint8]], NDArray[np.float32]], crop: NDArray[np.uint8], cells: int = CELLS
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Hide one place of a crop after the other and see how the answers fall.

    What is hidden shows the blurred crop through a soft round window, as in Fong and Vedaldi, "Interpretable Explanations of
    Black Boxes by Meaningful Perturbation" (ICCV 2017), but on a fixed grid as in Zeiler and Fergus, "Visualizing and
    Understanding Convolutional Networks" (ECCV 2014).

    Args:
        answer: the logits, float32 ``(C,)``, of a crop.
        crop: uint8 ``(H, W, 3)``.
        cells: places along each side.

    Returns:
        The logits of the whole crop, ``(C,)``, and what they lose by place, ``(C, cells, cells)``.
    """
    height, width = crop.shape[:2]
    blurred = cv2.GaussianBlur(crop, (0, 0), _BLUR * max(height, width)).astype(np.float32)
    plain = crop.astype(np.float32)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    sigma = WINDOW * max(height, width)
    whole = answer(crop)
    maps = np.empty((len(whole), cells, cells), np.float32)
    for row in range(cells):
        for column in range(cells):
            y, x = (row + 0.5) * height / cells, (column + 0.5) * width / cells
            hidden = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * sigma**2))[..., None]
            mixed = np.rint(plain + hidden * (blurred - plain)).astype(np.uint8)
            maps[:, row, column] = whole - answer(mixed)
    return whole, maps


class BundleEvidence:
    """Evidence of a bundle's network, by occlusion.

    Args:
        detector: of BGR crops; whoever opened it closes it.
    """

    method = "occlusion"

    def __init__(self, detector: AUDetector) -> None:
        self._detector = detector
        self.labels = detector.labels
        self.alignment = detector.bundle.manifest.alignment

    def explain(self, crop: NDArray[np.uint8]) -> Evidence:
        """Evidence of one aligned crop, uint8 ``(H, W, 3)`` BGR; some 200 runs of the network."""
        logits, maps = occlusion_maps(lambda one: self._detector.logits([one])[0], crop)
        return Evidence(logits, sigmoid(logits), maps)

    def inner(self, crop: NDArray[np.uint8]) -> tuple[list[InnerMap], list[InnerTable]]:  # noqa: ARG002  (of any source)
        """Nothing: a file gives its answers alone."""
        return [], []


class CheckpointEvidence:
    """Evidence of a checkpoint's network, by gradients.

    Args:
        path: a checkpoint of edgeau.

    Raises:
        CheckpointError: it cannot be read.
        DependencyError: torch is missing.
    """

    method = "gradient"

    def __init__(self, path: Path) -> None:
        try:
            from edgeau_training.evaluation.saliency import Saliency
        except ImportError as error:
            raise DependencyError(
                f"{path}: the gradients of a checkpoint need torch ({error}); {extra_line('train')}; a bundle needs none"
            ) from error
        self._saliency = Saliency(path)
        self.labels = self._saliency.labels
        self.alignment = self._saliency.alignment

    def explain(self, crop: NDArray[np.uint8]) -> Evidence:
        """Evidence of one aligned crop, uint8 ``(H, W, 3)`` BGR; some 200 backward passes."""
        logits, maps = self._saliency.of(crop)
        return Evidence(logits, sigmoid(logits), maps)

    def inner(self, crop: NDArray[np.uint8]) -> tuple[list[InnerMap], list[InnerTable]]:
        """Attention, patches, edges and shares of a network that has them."""
        return self._saliency.inner(crop)


def overlay(
    crop: NDArray[np.uint8], values: NDArray[np.float32], region: NDArray[np.bool_] | None
) -> NDArray[np.uint8]:
    """Draw a map over a crop.

    Args:
        crop: uint8 ``(H, W, 3)`` BGR.
        values: ``(h, w)``; the largest absolute value is drawn strongest.
        region: bool ``(H, W)``, outlined; None outlines nothing.

    Returns:
        uint8, BGR, 320 pixels along the longer side.
    """
    scale = _SIDE / max(crop.shape[:2])
    size = (round(crop.shape[1] * scale), round(crop.shape[0] * scale))
    grey = cv2.cvtColor(cv2.resize(crop, size, interpolation=cv2.INTER_CUBIC), cv2.COLOR_BGR2GRAY)
    picture = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR).astype(np.float32)
    smooth = values if max(values.shape) <= max(crop.shape[:2]) // 4 else _smoothed(values)
    large = cv2.resize(smooth, size, interpolation=cv2.INTER_CUBIC)
    strength = np.clip(np.abs(large) / (float(np.abs(smooth).max()) or 1.0), 0, 1)
    opacity = (_STRONGEST * strength)[..., None]
    colour = np.where((large >= 0)[..., None], np.array(_WARM, np.float32), np.array(_COLD, np.float32))
    drawn: NDArray[np.uint8] = np.rint(picture + opacity * (colour - picture)).astype(np.uint8)
    if region is not None:
        mask = cv2.resize(region.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
        outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        cv2.drawContours(drawn, outlines, -1, _OUTLINE, 1, cv2.LINE_AA)
    return drawn


def _smoothed(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """A map of single pixels, blurred so that an eye sees where it is dense."""
    return cv2.GaussianBlur(values, (0, 0), max(values.shape) / 64).astype(np.float32)
