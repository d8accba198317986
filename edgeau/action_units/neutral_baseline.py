"""A person's own neutral face: what the landmark model, and the network, measure differences from, once it is known.

Faces at rest differ: low brows read as a frown (AU4), narrow eyes as tightened lids (AU7). One second of the person at
rest tells the two apart.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau._system.atomic_file import write_whole
from edgeau._system.npz import SMALL, read_npz
from edgeau.action_units.face_shape import MESH_POINTS
from edgeau.bundle.network_identity import NetworkIdentity
from edgeau.errors import InputError, NpzError, UsageError

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
        network: the network that gave them, with its weights (:attr:`edgeau.Bundle.network_identity`); None without them.

    Raises:
        UsageError: there are network logits and no network that gave them, or the other way round.
    """

    shape: NDArray[np.float32]
    template_digest: str
    frames: int
    confidence: float = 1.0
    network_logits: NDArray[np.float32] | None = None
    network: NetworkIdentity | None = None

    def __post_init__(self) -> None:
        if (self.network_logits is None) != (self.network is None):
            raise UsageError(
                "a neutral baseline has network logits and the network that gave them (bundle.network_identity), or neither"
            )

    def check_template(self, template_digest: str) -> None:
        """Check that the shape was laid on the template of a landmark model.

        Args:
            template_digest: digest of that template.

        Raises:
            InputError: the baseline was collected with another model.
        """
        if template_digest != self.template_digest:
            raise InputError(
                "this neutral baseline was collected with another landmark model, whose template differs; "
                "collect it again with this one"
            )

    def neutral(self, average: NDArray[np.float32], template_digest: str) -> NDArray[np.float32]:
        """The shape to measure this person's differences from, float32 ``(468, 3)``.

        Args:
            average: neutral face of the model, the mean of many people.
            template_digest: digest of the model.

        Raises:
            InputError: the baseline was collected with another model.
        """
        self.check_template(template_digest)
        return average + _TRUST * np.float32(self.confidence) * (self.shape - average)

    def check_network(self, network: NetworkIdentity) -> None:
        """Check that the network logits, where it has some, are of a network.

        Args:
            network: the network that runs.

        Raises:
            InputError: the baseline was collected with another network, or with other weights of it.
        """
        if self.network is None or self.network == network:
            return
        other = (
            f"other weights of the network {network.name}"
            if self.network.name == network.name
            else f"the network {self.network.name}, and {network.name} runs"
        )
        raise InputError(
            f"this neutral baseline was collected with {other}; collect it again with this bundle"
        )

    def excess(self, average: NDArray[np.float32], network: NetworkIdentity) -> NDArray[np.float32]:
        """Compute how far this person's network logits at rest lie above those of many people, as far as it is believed: float32 ``(C,)``.

        Args:
            average: network logits at rest, the mean of many people ``(C,)``.
            network: the network that runs.

        Raises:
            InputError: the baseline was collected with another network, or with other weights of it, or does not fit its labels.
        """
        if self.network_logits is None:
            return np.zeros_like(average)
        self.check_network(network)
        if self.network_logits.shape != average.shape:
            raise InputError(
                f"this neutral baseline has network logits of {len(self.network_logits)} action units, and {network.name} has "
                f"{len(average)}; collect it again with this bundle"
            )
        return _NETWORK_TRUST * np.float32(self.confidence) * (self.network_logits - average)

    def save(self, path: Path) -> None:
        """Write a ``.npz`` file, whole or not at all.

        Raises:
            OutputError: the folder cannot be written to.
        """
        content = io.BytesIO()
        network: dict[str, NDArray[Any]] = {}
        if self.network_logits is not None and self.network is not None:
            network = {
                "network_logits": self.network_logits,
                "network": np.array(self.network.name),
                "network_digest": np.array(self.network.digest),
            }
        np.savez_compressed(
            content,
            shape=self.shape,
            template_digest=np.array(self.template_digest),
            frames=np.array(self.frames),
            confidence=np.array(self.confidence),
            **network,
        )
        write_whole(path, content.getvalue())

    @classmethod
    def load(cls, path: Path) -> NeutralBaseline:
        """Read what :meth:`save` wrote (no pickles).

        Raises:
            InputError: the file is missing, damaged, or something else; or it has network logits and does not say of which weights, as
                files of earlier versions do.
        """
        try:
            arrays = read_npz(path, ("shape", "template_digest", "frames"), SMALL)
            shape = arrays["shape"].astype(np.float32)
            digest, frames = str(arrays["template_digest"]), int(arrays["frames"])
            # Files of edgeau 0.1 have none: they were all collected at rest.
            confidence = float(arrays["confidence"]) if "confidence" in arrays else 1.0
            name, weights = (str(arrays.get(key, "")) for key in ("network", "network_digest"))
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
        if logits is None:
            return cls(shape, digest, frames, confidence)
        if not weights:
            raise InputError(
                f"{path} does not say which weights its network had, as files of earlier versions do not: collect it again"
            )
        return cls(shape, digest, frames, confidence, logits, NetworkIdentity(name, weights))
