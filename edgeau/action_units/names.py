"""Facial action units: names, and the label sets of the field.

Names follow the Facial Action Coding System (Ekman & Friesen 1978). A label is written ``AU12``; output order is always
ascending by number.
"""

from __future__ import annotations

from collections.abc import Iterable

from edgeau.errors import UsageError

__all__ = ["BP4D", "DEFAULT", "DISFA", "NAMES", "au_number", "facs_name", "labels"]

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


def labels(numbers: Iterable[int]) -> tuple[str, ...]:
    """AU numbers as labels in ascending order: ``(12, 4)`` gives ``("AU4", "AU12")``."""
    return tuple(f"AU{number}" for number in sorted(numbers))


def au_number(label: str) -> int:
    """The number of a label: ``"AU12"`` gives 12.

    Raises:
        UsageError: the text is not an AU label.
    """
    if not (label.startswith("AU") and label[2:].isdigit()):
        raise UsageError(f"{label!r} is not an action unit label; labels look like AU1, AU12")
    return int(label[2:])


def facs_name(label: str) -> str:
    """The FACS name of a label; an AU without a listed name keeps its label."""
    return NAMES.get(au_number(label), label)


BP4D = labels((1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24))
DISFA = labels((1, 2, 4, 6, 9, 12, 25, 26))

# The label set of the default model, ours: BP4D's 12 and the 12 that DISFA codes, plus closed eyes, which a camera
# application asks for first.
DEFAULT = labels((1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 24, 25, 26, 43))
