"""One of MediaPipe's networks, or a part of one, in LiteRT."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError
from edgeau.faces.landmarks.litert.part import part_of, tensors_named
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
    ) -> None:
        try:
            numbers = tensors_named(file.content, file.name)
            missing = sorted({*inputs, *outputs} - set(numbers))
            if missing:
                raise InputError(f"{file.name} is another network: it has no {', '.join(missing)}; {_ADVICE}")
            ends = [[numbers[tensor] for tensor in side] for side in (inputs, outputs)]
            part = part_of(file.content, *ends)
        except (struct.error, IndexError) as error:
            raise InputError(f"{file.name} is damaged ({error}); {_ADVICE}") from error
        opened = interpreter(part, threads)
        self.runtime = f"{opened.package} {opened.version}"
        self._interpreter: Any = opened.interpreter
        shapes = {d["index"]: tuple(d["shape"]) for d in self._interpreter.get_tensor_details()}
        for tensor, shape in inputs.items():
            if shapes[numbers[tensor]] != shape:
                raise InputError(
                    f"{file.name} is another network: its {tensor} is {shapes[numbers[tensor]]}, not {shape}; {_ADVICE}"
                )
        for tensor, size in outputs.items():
            if int(np.prod(shapes[numbers[tensor]])) != size:
                raise InputError(
                    f"{file.name} is another network: its {tensor} is {shapes[numbers[tensor]]}; {_ADVICE}"
                )
        self._inputs, self._outputs = ends

    def run(self, *given: NDArray[np.float32]) -> Sequence[NDArray[np.float32]]:
        """The wanted tensors, flat, in the order asked for.

        Args:
            given: float32, one for each input, without the first axis, which is 1.
        """
        if self._interpreter is None:
            raise ValueError("this landmarker is closed")
        for number, values in zip(self._inputs, given, strict=True):
            self._interpreter.set_tensor(number, values[None])
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(number).ravel() for number in self._outputs]

    def close(self) -> None:
        """Give the network's memory back; a second call does nothing."""
        self._interpreter = None


_ADVICE = "take the file of that name from mediapipe up to 0.10.21 or from Google's face_landmarker.task"
