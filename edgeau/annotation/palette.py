"""Colours of the annotation, BGR.

One quiet dark ground, one accent for what is active, and one colour a face that ties its outline to its card.
"""

from __future__ import annotations

from typing import TypeAlias

__all__ = ["ACTIVE", "FACES", "FAINT", "GROUND", "INK", "MUTED", "TRACK", "WARNING", "Colour", "face_colour"]

Colour: TypeAlias = tuple[int, int, int]

GROUND: Colour = (38, 31, 27)
TRACK: Colour = (66, 56, 50)
FAINT: Colour = (140, 126, 116)
MUTED: Colour = (192, 180, 170)
INK: Colour = (245, 240, 236)
ACTIVE: Colour = (92, 184, 255)
WARNING: Colour = (66, 66, 214)

# Distinct also for people who see red and green alike: they differ in lightness and between blue and yellow.
FACES: tuple[Colour, ...] = (
    (219, 196, 86),
    (107, 200, 246),
    (214, 158, 222),
    (150, 214, 150),
    (128, 150, 246),
    (230, 216, 200),
)


def face_colour(face_id: int) -> Colour:
    """The colour of a face; the same number always has the same."""
    return FACES[face_id % len(FACES)]
