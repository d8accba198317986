"""Parts of the face, as points of MediaPipe's mesh, and which of them an action unit shows in."""

from __future__ import annotations

from edgeau.results import Region

__all__ = ["AU_REGIONS", "REGIONS"]

# Mesh indices, both sides of the face alike. "brows" reaches up over the forehead, where AU1 and AU4 draw lines;
# "mouth" down to the chin, which AU17 bunches.
REGIONS: dict[Region, tuple[int, ...]] = {
    "brows": (70, 63, 105, 66, 107, 9, 336, 296, 334, 293, 300, 69, 108, 151, 337, 299),
    "eyes": (33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),
    "cheeks": (117, 118, 101, 50, 205, 346, 347, 330, 280, 425),
    "nose": (168, 6, 197, 195, 5, 4, 98, 327, 49, 279),
    "mouth": (61, 291, 40, 270, 0, 13, 14, 17, 91, 321, 18, 200, 199, 175, 152, 57, 287),
}

# Where the Facial Action Coding System has a coder look (Ekman & Friesen 1978), by AU number. AU6 raises the cheeks and
# wrinkles the skin beside the eyes; AU9 wrinkles the nose; AU10 lifts the upper lip beside it.
AU_REGIONS: dict[int, tuple[Region, ...]] = {
    1: ("brows",),
    2: ("brows",),
    4: ("brows",),
    5: ("eyes",),
    6: ("eyes", "cheeks"),
    7: ("eyes",),
    9: ("nose",),
    43: ("eyes",),
    45: ("eyes",),
    10: ("nose", "mouth"),
    **dict.fromkeys((12, 14, 15, 16, 17, 18, 20, 22, 23, 24, 25, 26, 27, 28), ("mouth",)),
}
"""AU number to the regions that it shows in; an AU that is not listed (head turns) shows in the face as a whole."""
