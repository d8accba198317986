"""A person's own neutral face: what the landmark model, and the network, measure differences from, once it is known.

Faces at rest differ: low brows read as a frown (AU4), narrow eyes as tightened lids (AU7). One second of the person at
rest tells the two apart.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau._system.atomic_file import write_whole
from edgeau._system.npz import SMALL, read_npz
from edgeau.action_units.face_shape import MESH_POINTS
from edgeau.errors import InputError, NpzError

__all__ = ["NeutralBaseline"]

# How far to go from the mean of many to the one second of this person, ours. One second has its own pose and its own
# errors. On renders, with a single frame of another pose as the baseline, AUC is best at 0.4 (+.004), as without one at
# 0.7, and worse at 1 (-.008); real people differ more than renders, and a second in front of one camera is better than
# one frame.
_TRUST = np.float32(0.7)
_NETWORK_TRUST = np.float32(0.7)


@dataclass(frozen=True)
class NeutralBaseline:
    """The neutral face of one person.

    Attributes:
        shape: float32 ``(468, 3)``, the face laid on the landmark model's template, template units.
        template_digest: digest of that template.
        frames: how many frames it is the median of.
        confidence: 0..1, how far to believe it; one that was collected at rest has 1.
        network_logits: float32 ``(C,)``, what the network alone says of this face, median of the frames, in the order of the
            bundle's labels; None where that is not known.
        network: name of that network, as in the bundle's manifest; empty where that is not known.
    """

    shape: NDArray[np.float32]
    template_digest: str
    frames: int
    confidence: float = 1.0
    network_logits: NDArray[np.float32] | None = None
    network: str = ""

    def neutral(self, average: NDArray[np.float32], template_digest: str) -> NDArray[np.float32]:
        """The shape to measure this person's differences from, float32 ``(468, 3)``.

        Args:
            average: neutral face of the model, the mean of many people.
            template_digest: digest of the model.

        Raises:
            InputError: the baseline was collected with another model.
        """
        if template_digest != self.template_digest:
            raise InputError(
                "this neutral baseline was collected with another landmark model, whose template differs; "
                "collect it again with this one"
            )
        return average + _TRUST * np.float32(self.confidence) * (self.shape - average)

    def excess(self, average: NDArray[np.float32], network: str) -> NDArray[np.float32]:
        """Compute how far this person's network logits at rest lie above those of many people, as far as it is believed: float32 ``(C,)``.

        Args:
            average: network logits at rest, the mean of many people ``(C,)``.
            network: name of the network that runs.

        Raises:
            InputError: the baseline was collected with another network.
        """
        if self.network_logits is None:
            return np.zeros_like(average)
        if network != self.network or self.network_logits.shape != average.shape:
            raise InputError(
                f"this neutral baseline was collected with the network {self.network} "
                f"({len(self.network_logits)} action units), and {network} ({len(average)}) runs; collect it again with this one"
            )
        return _NETWORK_TRUST * np.float32(self.confidence) * (self.network_logits - average)

    def save(self, path: Path) -> None:
        """Write a ``.npz`` file, whole or not at all.

        Raises:
            OutputError: the folder cannot be written to.
        """
        content = io.BytesIO()
        np.savez_compressed(
            content,
            shape=self.shape,
            template_digest=np.array(self.template_digest),
            frames=np.array(self.frames),
            confidence=np.array(self.confidence),
            network=np.array(self.network),
            **({} if self.network_logits is None else {"network_logits": self.network_logits}),
        )
        write_whole(path, content.getvalue())

    @classmethod
    def load(cls, path: Path) -> NeutralBaseline:
        """Read what :meth:`save` wrote (no pickles).

        Raises:
            InputError: the file is missing, damaged, or something else.
        """
        try:
            arrays = read_npz(path, ("shape", "template_digest", "frames"), SMALL)
            shape = arrays["shape"].astype(np.float32)
            digest, frames = str(arrays["template_digest"]), int(arrays["frames"])
            # Files of edgeau 0.1 have none: they were all collected at rest.
            confidence = float(arrays["confidence"]) if "confidence" in arrays else 1.0
            network = str(arrays["network"]) if "network" in arrays else ""
            logits = arrays["network_logits"].astype(np.float32) if "network_logits" in arrays else None
        except (NpzError, TypeError, ValueError) as error:  # the latter from arrays that hold something else
            raise InputError(f"{path} is not a neutral baseline ({error}); collect it again") from error
        if shape.shape != (MESH_POINTS, 3) or not np.isfinite(shape).all():
            raise InputError(
                f"{path} is not a neutral baseline: its shape is {shape.shape}; collect it again"
            )
        if not 0 <= confidence <= 1:
            raise InputError(
                f"{path} is not a neutral baseline: its confidence is {confidence}; collect it again"
            )
        if logits is not None and (logits.ndim != 1 or not np.isfinite(logits).all()):
            raise InputError(
                f"{path} is not a neutral baseline: its network logits are not a list of numbers; collect it again"
            )
        return cls(shape, digest, frames, confidence, logits, network)
