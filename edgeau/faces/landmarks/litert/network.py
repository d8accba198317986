"""One of MediaPipe's networks in LiteRT, or the part of one that lies between operators which LiteRT does not have."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError
from edgeau.faces.landmarks.mediapipe_models import ModelFile
from edgeau.runtimes import tflite_file
from edgeau.runtimes.litert_interpreter import interpreter
from edgeau.runtimes.tflite_file import TENSORS, check_tflite
from edgeau.runtimes.tflite_part import main_graph, part_of

__all__ = ["ADVICE", "LandmarkNetwork", "Part", "cut_part"]

ADVICE = "take the file of that name from mediapipe up to 0.10.21 or from Google's face_landmarker.task"
"""What to do about a file that is another network than its name says."""

# Field of Tensor by its number in TensorFlow Lite's schema.
_NAME = 3


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
        opened = interpreter(part.content, threads, checked=True)  # by cut_part
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

    def run(self, given: Iterable[NDArray[np.float32]]) -> None:
        """Run on some tensors; :meth:`values` and :meth:`view` give what it found.

        Args:
            given: float32, one for each input, without the first axis, which is 1.
        """
        for number, values in zip(self._inputs, given, strict=True):
            np.copyto(self._memory(number)[0], values)
        self._interpreter.invoke()

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


class Part(NamedTuple):
    """A part of a network: content of its ``.tflite``, and the numbers of the tensors that are given and wanted."""

    content: bytes
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def cut_part(file: ModelFile, inputs: Iterable[str], outputs: Iterable[str]) -> Part:
    """The part of a network that computes some tensors from others, with nothing that they do not need.

    Args:
        file: the network.
        inputs: names of the tensors that will be given.
        outputs: names of the tensors that are wanted.

    Raises:
        EngineError: it is no ``.tflite``, or was cut short.
        InputError: the network has no such tensors, or is damaged.
    """
    given, wanted = tuple(inputs), tuple(outputs)
    try:
        numbers = _tensors_named(file.content, file.name)
        missing = sorted({*given, *wanted} - set(numbers))
        if missing:
            raise InputError(f"{file.name} is another network: it has no {', '.join(missing)}; {ADVICE}")
        ends = [tuple(numbers[tensor] for tensor in side) for side in (given, wanted)]
        return Part(part_of(file.content, *ends), *ends)
    except (struct.error, IndexError) as error:
        raise InputError(f"{file.name} is damaged ({error}); {ADVICE}") from error


def _tensors_named(model: bytes, name: str) -> dict[str, int]:
    """Number of every tensor of a network by its name; ``name`` is for messages."""
    check_tflite(model, name)
    graph = main_graph(model)
    names = {}
    for number, tensor in enumerate(tflite_file.tables(model, graph, TENSORS)):
        start, size = tflite_file.vector(model, tensor, _NAME)
        names[model[start : start + size].decode("utf-8", "replace")] = number
    return names
