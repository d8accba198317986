"""Limits beyond which the AUs of a face are refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from numbers import Integral
from typing import Any

from edgeau.errors import UsageError

__all__ = ["Limits"]

_NONE: Mapping[int, Mapping[str, Any]] = {}


@dataclass(frozen=True)
class Limits:
    """Limits of a face's picture.

    Attributes:
        min_size: pixels; see :class:`~edgeau.faces.quality.FaceQuality`.
        max_yaw: degrees to either side.
        max_pitch: degrees up or down.
        min_sharpness: 0 or more.
        min_light: 0..255; below it every face is too dark.
        min_light_in_noise: 0..255; below it a face is too dark whose picture is noisy. Dark skin in good light is not.
        max_grain: sharpness above which a picture counts as noisy.
        max_clipped: 0..1.
        min_visible: share of a region's landmarks inside the frame, 0..1.
        occlusion: whether AUs under something that lies over the face are refused.
        of_au: AU number to limits of its own, by attribute name.

    Raises:
        UsageError: a limit is not a number, or ``of_au`` names something else than AU numbers and attributes.
    """

    min_size: float = 17.0
    max_yaw: float = 50.0
    max_pitch: float = 40.0
    min_sharpness: float = 0.141
    min_light: float = 12.0
    min_light_in_noise: float = 28.0
    max_grain: float = 0.35
    max_clipped: float = 0.75
    min_visible: float = 0.7
    occlusion: bool = True
    of_au: Mapping[int, Mapping[str, Any]] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for field_ in fields(self):
            value = getattr(self, field_.name)
            if field_.name != "of_au" and value != value:  # noqa: PLR0124 - not a number is what differs from itself
                raise UsageError(f"the limit {field_.name} is not a number: {value}")
        known = [field_.name for field_ in fields(self) if field_.name != "of_au"]
        for au, limits in self.of_au.items():
            if not isinstance(au, Integral):
                raise UsageError(f"limits of single AUs go by number, such as 12; got {au!r}")
            unknown = [name for name in limits if name not in known]
            if unknown:
                raise UsageError(
                    f"there is no limit {unknown[0]!r} (of AU{au}); there are {', '.join(known)}"
                )
            self.for_au(int(au))

    def for_au(self, number: int) -> Limits:
        """The limits that hold for one AU."""
        return replace(self, of_au=_NONE, **self.of_au.get(number, {}))

    @classmethod
    def none(cls) -> Limits:
        """Measure, and refuse nothing by these measures; landmarks that failed their check are refused all the same."""
        return cls(
            min_size=0,
            max_yaw=180,
            max_pitch=180,
            min_sharpness=0,
            min_light=0,
            min_light_in_noise=0,
            max_clipped=1,
            min_visible=0,
            occlusion=False,
        )
