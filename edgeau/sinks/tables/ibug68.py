"""The 68 points of the iBUG 300-W scheme, taken from MediaPipe's mesh.

OpenFace and most landmark tools number faces this way (Sagonas et al., "300 Faces in-the-Wild Challenge", ICCV-W 2013).
The mesh has no such points of its own; ours are the mesh points that lie nearest: along the jaw, nose bridge and lips
those that divide the contour as evenly as the scheme does, measured on real faces. They follow the mesh: the jaw points
stay on the face's outline as MediaPipe sees it.
"""

from __future__ import annotations

__all__ = ["IBUG_68"]

# In the scheme's order, "left" and "right" being those of the picture.
_JAW = (127, 234, 93, 132, 58, 136, 149, 148, 152, 377, 378, 365, 288, 361, 323, 454, 356)
_BROW_LEFT = (70, 63, 105, 66, 107)
_BROW_RIGHT = (336, 296, 334, 293, 300)
_NOSE_BRIDGE = (168, 197, 5, 4)
_NOSE_BASE = (98, 97, 2, 326, 327)
_EYE_LEFT = (33, 160, 158, 133, 153, 144)
_EYE_RIGHT = (362, 385, 387, 263, 373, 380)
_LIPS_OUTER = (61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91)
_LIPS_INNER = (78, 81, 13, 311, 308, 402, 14, 178)

IBUG_68: tuple[int, ...] = (
    *_JAW,
    *_BROW_LEFT,
    *_BROW_RIGHT,
    *_NOSE_BRIDGE,
    *_NOSE_BASE,
    *_EYE_LEFT,
    *_EYE_RIGHT,
    *_LIPS_OUTER,
    *_LIPS_INNER,
)
"""MediaPipe mesh index of each of the 68 points, all below 468."""
