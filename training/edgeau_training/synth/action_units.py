"""Action units as mixtures of the rig's expression coefficients.

An AU's intensity in 0..1 multiplies its mixture; the first coefficient of a mixture defines the AU. No mixture
moves another AU's defining coefficient by more than 0.2, so a label is true by construction. The mixtures with
more than one part are ours.

What is labelled where muscles act together:

- A wrinkled nose (9) lowers the brow by no more than a trace of AU4. AU4 is labelled exactly when the brow itself is lowered
  and drawn in, which most strong AU9 come with.
- Lids lowered by a squint (7) or by a look down are no AU43; that is labelled when the lids meet or nearly do.
- AU1 with AU4 (oblique brows) is labelled when the inner brow's rise can be seen against the frown's pull.
- What a person's face looks like at rest, low brows or furrows included, is not an AU.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from edgeau_training.synth.rig import LIP_TIGHTENING

AUS = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 18, 20, 22, 23, 24, 25, 26, 27, 28, 43)
AU_NAMES = tuple(f"AU{number}" for number in AUS)
ACTIVE = 0.3  # an AU is labelled as occurring from this intensity on
TRACE = 0.12  # the most an AU that does not occur may show

# A name ending in "*" stands for its left and right coefficient.
MIXTURES: Mapping[int, Mapping[str, float]] = {
    1: {"browInnerUp*": 1.0},
    2: {"browOuterUp*": 1.0},
    4: {"browDown*": 1.0},
    5: {"eyeWide*": 1.0},
    6: {"cheekSquint*": 1.0, "eyeSquint*": 0.2},
    7: {"eyeSquint*": 1.0, "eyeBlink*": 0.16},
    9: {"noseSneer*": 1.0, "mouthUpperUp*": 0.2, "browDown*": 0.1},
    10: {"mouthUpperUp*": 1.0, "noseSneer*": 0.12},
    12: {"mouthSmile*": 1.0},
    14: {"mouthDimple*": 1.0},
    15: {"mouthFrown*": 1.0},
    17: {"mouthShrugLower*": 1.0, "mouthShrugUpper*": 0.4},
    18: {"mouthPucker": 1.0},
    20: {"mouthStretch*": 1.0},
    22: {"mouthFunnel": 1.0},
    23: {LIP_TIGHTENING: 1.0, "mouthPress*": 0.12, "mouthPucker": 0.12},
    24: {"mouthPress*": 1.0, "mouthRollUpper": 0.1, "mouthRollLower": 0.1},
    25: {"mouthLowerDown*": 0.6, "mouthUpperUp*": 0.15, "jawOpen": 0.06},
    26: {"jawOpen": 0.38},
    27: {"jawOpen": 0.52},  # on top of 26, which every stretched mouth (27) also shows
    28: {"mouthRollLower": 1.0, "mouthRollUpper": 1.0},
    43: {"eyeBlink*": 1.0},
}


def mixture_matrix(expression_names: NDArray[np.str_]) -> NDArray[np.float32]:
    """Return (2, len(AUS), E) float32: the coefficients of each AU's left and right half.

    A coefficient without sides is split evenly, so that the sum over both sides is the whole mixture.
    """
    position = {str(name): number for number, name in enumerate(expression_names)}
    matrix = np.zeros((2, len(AUS), len(position)), np.float32)
    for row, number in enumerate(AUS):
        for name, weight in MIXTURES[number].items():
            if name.endswith("*"):
                matrix[0, row, position[f"{name[:-1]}_L"]] = weight
                matrix[1, row, position[f"{name[:-1]}_R"]] = weight
            else:
                matrix[:, row, position[name]] = weight / 2
    return matrix
