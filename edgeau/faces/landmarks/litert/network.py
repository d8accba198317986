"""One of MediaPipe's networks, or a part of one, in LiteRT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError
from edgeau.faces.landmarks.litert.part import ADVICE, cut_part
from edgeau.faces.landmarks.mediapipe_models import ModelFile
from edgeau.runtimes.litert_interpreter import interpreter

__all__ = ["LandmarkNetwork"]


class LandmarkNetwork:
    """Runs what lies between some tensors of a file.

    Args:
        file: the network.
        threads: that one inference may use.
        inputs: shape of each tensor that is given, by its name in the file; float32.
        outputs: number of values of each tensor that is wanted, by its name in the file; float32.
        levels: factor and shift that make what the network wants of a picture's values: ``value / factor - shift``.

    Raises:
        DependencyError: no LiteRT is installed.
        EngineError: LiteRT refuses the model.
        InputError: the model has no such tensors, or is damaged.
    """

    def __init__(
        self,
        file: ModelFile,
        threads: int,
        inputs: Mapping[str, tuple[int, ...]],
        outputs: Mapping[str, int],
        levels: tuple[float, float] = (255.0, 0.0),
    ) -> None:
        part = cut_part(file, inputs, outputs)
        opened = interpreter(part.content, threads)
        self.runtime = f"{opened.package} {opened.version}"
        self._interpreter: Any = opened.interpreter
        # Of the ends alone: describing all of some thousand tensors takes longer than all else here.
        details = (*self._interpreter.get_input_details(), *self._interpreter.get_output_details())
        shapes = {end["index"]: tuple(end["shape"]) for end in details}
        for (tensor, wanted), number in zip(inputs.items(), part.inputs, strict=True):
            if shapes[number] != wanted:
                raise InputError(
                    f"{file.name} is another network: its {tensor} is {shapes[number]}, not {wanted}; {ADVICE}"
                )
        for (tensor, size), number in zip(outputs.items(), part.outputs, strict=True):
            if int(np.prod(shapes[number])) != size:
                raise InputError(
                    f"{file.name} is another network: its {tensor} is {shapes[number]}; {ADVICE}"
                )
        self._inputs, self._outputs = part.inputs, part.outputs
        self._factor, self._shift = (np.float32(level) for level in levels)

    def look(self, picture: NDArray[np.uint8]) -> None:
        """Run on a picture; :meth:`values` gives what it found.

        Args:
            picture: BGR, uint8 ``(height, width, 3)``.
        """
        memory = self._memory(self._inputs[0])[0]
        # First to float32, then divided where it lies: numpy converts and divides at once in small pieces, at twice the time.
        np.copyto(memory, cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
        np.divide(memory, self._factor, out=memory)
        if self._shift:
            np.subtract(memory, self._shift, out=memory)
        del memory  # no view of the engine's memory may live while it runs
        self._interpreter.invoke()

    def run(self, *given: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """The wanted tensors, flat, in the order asked for.

        Args:
            given: float32, one for each input, without the first axis, which is 1.
        """
        for number, values in zip(self._inputs, given, strict=True):
            np.copyto(self._memory(number)[0], values)
        self._interpreter.invoke()
        return [self.values(place) for place in range(len(self._outputs))]

    def values(self, place: int) -> NDArray[np.float32]:
        """The wanted tensor at a place of those that were asked for, flat; a copy."""
        copy: NDArray[np.float32] = self._memory(self._outputs[place]).ravel().copy()
        return copy

    def view(self, place: int) -> NDArray[np.float32]:
        """The wanted tensor at a place, flat, without a copy: it must be gone before the network runs again."""
        view: NDArray[np.float32] = self._memory(self._outputs[place]).reshape(-1)
        return view

    def _memory(self, number: int) -> NDArray[np.float32]:
        if self._interpreter is None:
            raise ValueError("this landmarker is closed")
        memory: NDArray[np.float32] = self._interpreter.tensor(number)()
        return memory

    def close(self) -> None:
        """Give the network's memory back; a second call does nothing."""
        self._interpreter = None
