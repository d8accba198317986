"""Action units as the 52 face shapes that avatars are moved by (Apple's ``ARFaceAnchor.BlendShapeLocation``).

An AU and a shape are not the same thing: an AU is what a coder sees, a shape is a movement of a mesh. The table is ours; it is the
one that the rig of edgeau's rendered faces was moved by, read backwards, without its side effects. Shapes without an AU (tongue,
eye direction, jaw to the side, puffed cheeks) get nothing, and AUs without a shape (AU23, AU25) move nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from edgeau.action_units.names import au_number_or_none
from edgeau.results import ActionUnit, Face

__all__ = ["SHAPES_OF", "face_shapes"]

# A name that ends in "*" stands for its Left and Right shape.
SHAPES_OF: Mapping[int, tuple[str, ...]] = {
    1: ("browInnerUp",),
    2: ("browOuterUp*",),
    4: ("browDown*",),
    5: ("eyeWide*",),
    6: ("cheekSquint*",),
    7: ("eyeSquint*",),
    9: ("noseSneer*",),
    10: ("mouthUpperUp*",),
    12: ("mouthSmile*",),
    14: ("mouthDimple*",),
    15: ("mouthFrown*",),
    16: ("mouthLowerDown*",),
    17: ("mouthShrugLower",),
    18: ("mouthPucker",),
    20: ("mouthStretch*",),
    22: ("mouthFunnel",),
    24: ("mouthPress*",),
    26: ("jawOpen",),
    27: ("jawOpen",),
    28: ("mouthRollLower", "mouthRollUpper"),
    43: ("eyeBlink*",),
    45: ("eyeBlink*",),
}
"""AU to the shapes that it moves."""


def face_shapes(face: Face) -> dict[str, float]:
    """Shape to its weight, 0..1, for the AUs of a face.

    The weight is the AU's intensity where the model gives one, else its probability; a side has the probability of that side as its
    share of the stronger one. Of two AUs that move one shape the larger counts. An AU that was refused moves nothing: its shapes are
    left out, so that a receiver keeps what it has.
    """
    weights: dict[str, float] = {}
    for label, unit in face.aus.items():
        number = au_number_or_none(label)
        if unit.probability is None or number is None:
            continue
        left, right = _sides(label, unit)
        for shape in SHAPES_OF.get(number, ()):
            moved = {shape: max(left, right)}
            if shape.endswith("*"):
                moved = {f"{shape[:-1]}Left": left, f"{shape[:-1]}Right": right}
                if label[-1] in "LR":  # a network from elsewhere that knows one side of the AU
                    moved = {
                        name: weight
                        for name, weight in moved.items()
                        if name.endswith("Left") is (label[-1] == "L")
                    }
            for name, weight in moved.items():
                weights[name] = max(weights.get(name, 0.0), weight)
    return weights


def _sides(label: str, unit: ActionUnit) -> tuple[float, float]:
    """Weights of the person's own left and right side."""
    assert unit.probability is not None, label
    whole = unit.probability if unit.intensity is None else unit.intensity
    if unit.left is None or unit.right is None:
        return float(whole), float(whole)
    strongest = max(unit.left, unit.right, 1e-6)
    return float(whole * unit.left / strongest), float(whole * unit.right / strongest)
