"""Collecting one second of a person at rest."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau.action_units.landmark_model import LandmarkModel
from edgeau.action_units.neutral_baseline import NeutralBaseline
from edgeau.bundle.network_identity import NetworkIdentity
from edgeau.errors import InputError, UsageError

__all__ = ["NeutralCollector"]

# Ours. Landmark jitter of a face at rest moves an intensity by some hundredths; an expression that comes or goes within
# the second moves it by far more.
_STEADY = 0.15
_FEWEST_FRAMES = 5


class NeutralCollector:
    """Collects one second of a person at rest.

    Used frame by frame until it is done::

        collector = NeutralCollector(model, network=pipeline.bundle.network_identity)
        while not collector.done:
            collector.add(face.landmarks, result.time_s, face.network_logits)
        baseline = collector.baseline()

    Args:
        model: the landmark model that the baseline is for.
        seconds: how long to collect, more than 0.
        network: the bundle's network and its weights (:attr:`edgeau.Bundle.network_identity`), whose logits are collected too
            where they are given; without it they are not.

    Raises:
        UsageError: the time is not above 0, or not finite; or the network is something else, such as its name alone.
    """

    def __init__(
        self, model: LandmarkModel, seconds: float = 1.0, network: NetworkIdentity | None = None
    ) -> None:
        if network is not None and not isinstance(network, NetworkIdentity):
            raise UsageError(
                f"network must be bundle.network_identity, which also says which weights the network has; got {network!r}"
            )
        if not 0 < seconds < math.inf:
            raise UsageError(f"seconds must be above 0, and finite, got {seconds}")
        self._model, self._seconds, self._network = model, seconds, network
        self._network_logits: list[NDArray[np.float32]] = []
        self._shapes: list[NDArray[np.float32]] = []
        self._evidence: list[NDArray[np.float32]] = []
        self._times: list[float] = []

    @property
    def progress(self) -> float:
        """Share of the time that is collected, 0..1; 1 also needs five frames."""
        if len(self._times) < 2:
            return 0.0
        by_time = (self._times[-1] - self._times[0]) / self._seconds
        return float(min(by_time, len(self._times) / _FEWEST_FRAMES, 1.0))

    @property
    def done(self) -> bool:
        """True when enough was collected."""
        return self.progress >= 1

    def add(
        self,
        landmarks: NDArray[np.floating[Any]],
        time_s: float,
        network_logits: NDArray[np.float32] | None = None,
    ) -> None:
        """One more frame of the same person.

        Args:
            landmarks: ``(468 or 478, 3)``.
            time_s: time of the frame, seconds; must not go back.
            network_logits: ``(C,)``, :attr:`edgeau.Face.network_logits` of this frame; None where the network did not look. With
                them the baseline moves every AU, without them those that the landmarks move.

        Raises:
            InputError: the landmarks have another shape, or the time goes back or is not finite.
        """
        if not math.isfinite(time_s):
            raise InputError(f"the time of a frame must be a finite number of seconds, got {time_s}")
        if self._times and time_s < self._times[-1]:
            raise InputError(
                f"frame time {time_s:.3f} s comes after {self._times[-1]:.3f} s; collect from the start again"
            )
        self._shapes.append(self._model.shape(landmarks))
        # Intensities before they are cut to 0..1: at rest they lie around 0, where a cut would hide half of any motion.
        self._evidence.append((self._model.logits(landmarks) - self._model.shift) / self._model.slope)
        self._times.append(time_s)
        if network_logits is not None:
            self._network_logits.append(network_logits)

    def baseline(self) -> NeutralBaseline:
        """The median face, point by point: a blink within the second does not move it.

        Raises:
            InputError: too little was collected, or the face moved; collect again with a new collector.
        """
        if not self.done:
            raise InputError(
                f"a neutral baseline needs {self._seconds:g} s and {_FEWEST_FRAMES} frames of one face; "
                f"{len(self._times)} frames were collected"
            )
        low, high = np.percentile(np.stack(self._evidence), (25, 75), axis=0)
        moved = int(np.argmax(high - low))
        if high[moved] - low[moved] > _STEADY:
            raise InputError(
                f"the face did not keep still ({self._model.labels[moved]} changed by {high[moved] - low[moved]:.2f}); "
                "look into the camera with a resting face and collect again"
            )
        median: NDArray[np.float32] = np.median(np.stack(self._shapes), axis=0).astype(np.float32)
        digest, frames = self._model.template_digest, len(self._shapes)
        if len(self._network_logits) < _FEWEST_FRAMES or self._network is None:
            return NeutralBaseline(median, digest, frames)
        logits = np.median(np.stack(self._network_logits), axis=0).astype(np.float32)
        return NeutralBaseline(median, digest, frames, network_logits=logits, network=self._network)
