"""An artifact in an inference engine: what the device runs, on the same crops."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.bundle.manifest import InputSpec
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.bundle.provenance import Provenance
from edgeau.errors import InputError
from edgeau.faces.alignment import Alignment
from edgeau.runtimes.session import Session
from edgeau_training.evaluation.faces.batch import FaceBatch

__all__ = ["SessionScorer", "network_input"]


def network_input(batch: FaceBatch, alignment: Alignment, spec: InputSpec) -> NDArray[np.float32]:
    """Float32 ``(N, 3, S, S)``, ``(x / 255 - mean) / std``: what the device computes from the same pictures.

    Raises:
        InputError: the data has no pictures.
    """
    if batch.pictures is None:
        raise InputError(
            "this data has landmarks but no pictures, which a network needs; "
            "evaluate the landmark model alone (--part landmark) or give data with pictures"
        )
    if batch.landmarks is None:
        crops = [_seen_of_aligned(picture, alignment) for picture in batch.pictures]
    else:
        faces = zip(batch.pictures, batch.landmarks, strict=True)
        crops = [alignment.crop(picture, landmarks) for picture, landmarks in faces]
    return Preprocessor(spec, color="BGR").batch(crops)


def _seen_of_aligned(crop: NDArray[np.uint8], alignment: Alignment) -> NDArray[np.uint8]:
    """Resize to what a device would see of a face whose stored crop is the alignment's canvas in another number of pixels."""
    height, width = alignment.shape
    if crop.shape[:2] == (height, width):
        return crop
    canvas = (alignment.canvas, alignment.canvas) if height == width else (width, height)
    method = cv2.INTER_AREA if crop.shape[0] > canvas[1] else cv2.INTER_LINEAR
    whole = cv2.resize(crop, canvas, interpolation=method)
    top, left = (whole.shape[0] - height) // 2, (whole.shape[1] - width) // 2
    return np.asarray(whole[top : top + height, left : left + width], np.uint8)


class SessionScorer:
    """A session with what its input needs.

    Args:
        name: for reports.
        session: closed with the scorer.
        labels: in output order.
        spec: specification of the input.
        alignment: alignment of the crops.
        thresholds: float64 ``(C,)``.
        provenance: provenance of the weights, where it is recorded.
        licences: licences of the weights, where they are recorded.
    """

    needs_pictures = True

    def __init__(
        self,
        name: str,
        session: Session,
        labels: tuple[str, ...],
        *,
        spec: InputSpec,
        alignment: Alignment,
        thresholds: NDArray[np.float64],
        provenance: Provenance | None = None,
        licences: tuple[str, ...] = (),
    ) -> None:
        self.name, self.labels, self.thresholds = name, labels, thresholds
        self.alignment, self.provenance, self.licences = alignment, provenance, licences
        self._session, self._spec = session, spec

    def logits(self, batch: FaceBatch) -> NDArray[np.float32]:
        """See :class:`~edgeau_training.evaluation.scorers.scorer.Scorer`."""
        return self._session.run(network_input(batch, self.alignment, self._spec))

    def close(self) -> None:
        """Close the session."""
        self._session.close()
