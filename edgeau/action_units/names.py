"""Facial action units: names, and the label sets of the field.

Names follow the Facial Action Coding System (Ekman & Friesen 1978). A label is written ``AU12``; output order of edgeau's own
networks is ascending by number. Networks from elsewhere may have one side of an AU (``AU12L``) and free labels (``smile``).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from edgeau.errors import UsageError

__all__ = [
    "BP4D",
    "DEFAULT",
    "DISFA",
    "MOVES",
    "NAMES",
    "au_number",
    "au_number_or_none",
    "facs_name",
    "in_facs_order",
    "labels",
    "written_label",
]

NAMES: dict[int, str] = {
    1: "Inner brow raiser",
    2: "Outer brow raiser",
    4: "Brow lowerer",
    5: "Upper lid raiser",
    6: "Cheek raiser",
    7: "Lid tightener",
    9: "Nose wrinkler",
    10: "Upper lip raiser",
    12: "Lip corner puller",
    14: "Dimpler",
    15: "Lip corner depressor",
    16: "Lower lip depressor",
    17: "Chin raiser",
    18: "Lip pucker",
    20: "Lip stretcher",
    22: "Lip funneler",
    23: "Lip tightener",
    24: "Lip pressor",
    25: "Lips part",
    26: "Jaw drop",
    27: "Mouth stretch",
    28: "Lip suck",
    43: "Eyes closed",
    45: "Blink",
    51: "Head turn left",
    52: "Head turn right",
    53: "Head up",
    54: "Head down",
    55: "Head tilt left",
    56: "Head tilt right",
}


MOVES: dict[int, str] = {
    1: "Inner ends of the brows go up; wrinkles across the middle of the forehead.",
    2: "Outer ends of the brows go up; wrinkles over them.",
    4: "Brows go down and together; upright lines between them.",
    5: "Upper lids go up; more of the white above the iris shows.",
    6: "Cheeks go up; skin under the eyes gathers, lines beside the eyes.",
    7: "Lids tighten; the eyes narrow, the lower lid more straight.",
    9: "Nose wrinkles along its root; its wings go up.",
    10: "Upper lip goes up in the middle; the fold beside the nose deepens.",
    12: "Corners of the lips go up and outward, as in a smile.",
    14: "Corners of the lips tighten inward and dimple.",
    15: "Corners of the lips go down.",
    17: "Chin goes up, pushes the lower lip up; the skin of the chin wrinkles.",
    20: "Lips stretch sideways, flat.",
    23: "Lips tighten and narrow; fine lines around them.",
    24: "Lips press together.",
    25: "Lips part; the jaw may stay.",
    26: "Jaw drops by itself, relaxed.",
    43: "Eyes close and stay closed.",
}
"""What is seen of the AUs of the default model when they occur, for people; in our words."""

_WRITTEN = re.compile(r"AU0*([1-9]\d*)([LR]?)", re.IGNORECASE)
_SIDED = re.compile(r"AU(\d+)[LR]?")


def labels(numbers: Iterable[int]) -> tuple[str, ...]:
    """AU numbers as labels in ascending order: ``(12, 4)`` gives ``("AU4", "AU12")``."""
    return tuple(f"AU{number}" for number in sorted(numbers))


def au_number(label: str) -> int:
    """The number of a label: ``"AU12"`` gives 12.

    Raises:
        UsageError: the text is not an AU label.
    """
    if not (label.startswith("AU") and label[2:].isdecimal()):
        raise UsageError(f"{label!r} is not an action unit label; labels look like AU1, AU12")
    return int(label[2:])


def au_number_or_none(label: str) -> int | None:
    """The number of an AU label, also of one side (``"AU12L"``, ``"AU12R"`` give 12); None for a free label such as ``"smile"``."""
    found = _SIDED.fullmatch(label)
    return int(found[1]) if found else None


def written_label(text: str) -> str:
    """A label in its one form: ``"AU012l"`` is ``"AU12L"``; words that are no AU stay as they are."""
    found = _WRITTEN.fullmatch(text)
    return f"AU{found[1]}{found[2].upper()}" if found else text


def in_facs_order(labels: Iterable[str]) -> list[str]:
    """AU labels ascending by number, then free labels in the order they were given in."""
    return sorted(labels, key=_facs_place)


def _facs_place(label: str) -> float:
    number = au_number_or_none(label)
    return math.inf if number is None else number


def facs_name(label: str) -> str:
    """The FACS name of a label; an AU without a listed name, and a free label, keep their label."""
    number = au_number_or_none(label)
    if number is None or number not in NAMES:
        return label
    side = {"L": ", left", "R": ", right"}.get(label[-1], "")
    return NAMES[number] + side


BP4D = labels((1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24))
DISFA = labels((1, 2, 4, 6, 9, 12, 25, 26))

# The label set of the default model, ours: BP4D's 12 and the 12 that DISFA codes, plus closed eyes, which a camera
# application asks for first.
DEFAULT = labels((1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 24, 25, 26, 43))
