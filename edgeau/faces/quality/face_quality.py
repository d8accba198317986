"""What was found about one face's picture, and the AUs that are refused for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from edgeau.faces.quality.regions import Region
from edgeau.results import ActionUnit

__all__ = ["REASONS", "FaceQuality", "Reason", "refused_unit"]

Reason = Literal["too soon", "out of frame", "size", "pose", "dark", "bright", "occluded", "blur"]

REASONS: dict[Reason, str] = {
    "too soon": "the face has only just appeared, and the network has not looked at it yet",
    "out of frame": "the part of the face that the AU shows in lies outside the picture",
    "size": "the face has too few pixels",
    "pose": "the head is turned too far",
    "dark": "the face is too dark",
    "bright": "the face is overexposed",
    "occluded": "something lies over the part of the face that the AU shows in",
    "blur": "the face is out of focus or moved",
}
"""What each reason means, for people; in the order in which they are looked for."""


@dataclass(frozen=True, slots=True)
class FaceQuality:
    """Measures of one face's picture.

    Attributes:
        size: longer side of the box around eye centres, nose tip and mouth corners, in level position; pixels of the
            frame.
        sharpness: 0.12 blurred .. 0.2 sharp .. 1 nothing but noise (:func:`edgeau.faces.quality.picture.sharpness`).
        light: mean brightness of the face, 0..255.
        clipped: share of the face's pixels in which a colour is overexposed, 0..1.
        visible: face region to the share of its landmarks inside the frame, 0..1.
        covered: face regions that something lies over.
        refused: AU label to the reason why it is not judged; an AU that is not in here is.
    """

    size: float
    sharpness: float
    light: float
    clipped: float
    visible: Mapping[Region, float]
    covered: frozenset[Region]
    refused: Mapping[str, Reason] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "visible", MappingProxyType(dict(self.visible)))
        object.__setattr__(self, "refused", MappingProxyType(dict(self.refused)))

    def refuse(self, aus: Mapping[str, ActionUnit]) -> dict[str, ActionUnit]:
        """The AUs of this face, those refused without numbers and with the reason."""
        refused = self.refused
        if not refused:
            return dict(aus)
        return {
            label: refused_unit(unit, refused[label]) if label in refused else unit
            for label, unit in aus.items()
        }


def refused_unit(unit: ActionUnit, reason: str) -> ActionUnit:
    """An AU without its numbers: absent, which is not the same as 0."""
    return ActionUnit(unit.name, None, None, None, reason, unit.experimental)
