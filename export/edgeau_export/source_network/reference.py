"""What the artifacts of an export are compared with: inputs, and the logits that they should give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Reference"]


@dataclass(frozen=True)
class Reference:
    """Answers of the float network.

    Attributes:
        name: who gave them, such as ``"torch"``.
        inputs: what the inputs are, for people.
        batch: normalised, float32 ``(n, 3, H, W)``.
        logits: float32 ``(n, C)``.
        tolerance: largest absolute difference of a logit that a float artifact may show, where logits reach 1 or more.
    """

    name: str
    inputs: str
    batch: NDArray[np.float32]
    logits: NDArray[np.float32]
    tolerance: float

    @property
    def allowed(self) -> float:
        """The gate on the largest absolute difference of a logit.

        A network of random weights answers with logits around 1e-6, which differ from anything by less than the
        tolerance: so where no logit reaches 1, the gate shrinks with the largest one.
        """
        return self.tolerance * min(1.0, float(np.abs(self.logits).max()))
