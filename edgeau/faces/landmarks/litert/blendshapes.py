"""MediaPipe's blendshape network in LiteRT: 52 weights of a face from its landmarks.

The network lies in ``face_landmarker.task`` beside detector and mesh (``face_blendshapes.tflite``, a mixer of 146 points, Apache-2.0). Its
names are Apple's, apart from the first, ``_neutral``; left and right are the person's own. Weights are those of the network and nothing
else: edgeau did not measure how true they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau._system.closing import Closing
from edgeau.errors import InputError, UsageError
from edgeau.faces.landmarks.landmarker import check_irises
from edgeau.faces.landmarks.mediapipe_models import ADVICE, models_place, read_archive
from edgeau.runtimes.litert_interpreter import interpreter

__all__ = ["NAMES", "Blendshapes"]

_FILE = "face_blendshapes.tflite"
_BOTH = "Left", "Right"


def _sides(*names: str) -> tuple[str, ...]:
    return tuple(f"{name}{side}" for name in names for side in _BOTH)


NAMES: tuple[str, ...] = (
    "_neutral", *_sides("browDown"), "browInnerUp", *_sides("browOuterUp"), "cheekPuff",
    *_sides("cheekSquint", "eyeBlink", "eyeLookDown", "eyeLookIn", "eyeLookOut", "eyeLookUp", "eyeSquint", "eyeWide"),
    "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose", *_sides("mouthDimple", "mouthFrown"), "mouthFunnel", "mouthLeft",
    *_sides("mouthLowerDown", "mouthPress"), "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower",
    "mouthShrugUpper", *_sides("mouthSmile", "mouthStretch", "mouthUpperUp", "noseSneer"),
)  # fmt: skip
"""What the network's 52 outputs are, in their order."""

# The points of the mesh that it reads, as MediaPipe's graph picks them.
_POINTS = np.array(
    [0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78, 80, 81, 82, 84, 87, 88,
     91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150, 152, 153, 154, 155, 157, 158, 159, 160, 161, 162,
     163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251, 263, 267, 269, 270, 276, 282, 283, 284, 285, 288, 291,
     293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317, 318, 321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375,
     377, 378, 379, 380, 381, 382, 384, 385, 386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471,
     472, 473, 474, 475, 476, 477]
)  # fmt: skip


class Blendshapes(Closing):
    """The network, ready to run. It belongs to one thread at a time.

    Args:
        place: a ``face_landmarker.task``; None takes the landmark networks of this machine.

    Raises:
        InputError: there is no such file, or it holds no blendshapes or another network.
        DependencyError: LiteRT is missing.
        EngineError: LiteRT refuses the network.
    """

    def __init__(self, place: Path | None = None) -> None:
        where = models_place(place)
        if where is None:
            raise InputError(f"blendshapes need a face_landmarker.task, and this machine has none; {ADVICE}")
        content = {} if where.is_dir() else read_archive(where, (_FILE,))
        if _FILE not in content:
            raise InputError(f"{where} holds no blendshapes; give Google's face_landmarker.task ({ADVICE})")
        network: Any = interpreter(content[_FILE], 1).interpreter
        given, answer = network.get_input_details()[0], network.get_output_details()[0]
        shapes = tuple(given["shape"]), int(np.prod(answer["shape"]))
        if shapes != ((1, len(_POINTS), 2), len(NAMES)):
            raise InputError(
                f"{_FILE} of {where} is another network: it takes {shapes[0]} and gives {shapes[1]} values; "
                f"give Google's face_landmarker.task ({ADVICE})"
            )
        self._network, self._input, self._output = network, given["index"], answer["index"]

    def of(self, landmarks: NDArray[np.float32]) -> dict[str, float]:
        """Weights of one face, 0..1, by their names without ``_neutral``.

        Args:
            landmarks: ``(478, 3)``, pixels, as :attr:`edgeau.results.Face.landmarks`.

        Raises:
            InputError: the mesh has no irises.
            UsageError: the network is closed.
        """
        if self._network is None:
            raise UsageError("this network of blendshapes is closed; open another one")
        check_irises(landmarks, "blendshapes")
        self._network.set_tensor(self._input, landmarks[_POINTS, :2][None].astype(np.float32))
        self._network.invoke()
        weights = np.asarray(self._network.get_tensor(self._output)).ravel()
        return {
            name: float(np.clip(weight, 0, 1)) for name, weight in zip(NAMES[1:], weights[1:], strict=True)
        }

    def close(self) -> None:
        """Give the network's memory back; a second call does nothing."""
        self._network = None
