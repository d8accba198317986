"""One of MediaPipe's networks in LiteRT."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError
from edgeau.litert_runtime import interpreter

__all__ = ["Network"]


class Network:
    """Runs one picture at a time.

    Args:
        model: content of the ``.tflite``.
        name: for messages.
        threads: that one inference may use.
        picture: shape that its input must have.
        outputs: number of values that each of its outputs must have; they are told apart by it.

    Raises:
        DependencyError: no LiteRT is installed.
        EngineError: LiteRT refuses the model.
        InputError: the model has another input or other outputs.
    """

    def __init__(
        self, model: bytes, name: str, threads: int, picture: tuple[int, ...], outputs: tuple[int, ...]
    ) -> None:
        opened = interpreter(model, threads)
        self.runtime = f"{opened.package} {opened.version}"
        self._interpreter: Any = opened.interpreter
        (given,) = self._interpreter.get_input_details()[:1]
        sizes = {int(np.prod(d["shape"])): d["index"] for d in self._interpreter.get_output_details()}
        if tuple(given["shape"]) != picture or given["dtype"] != np.float32 or not set(outputs) <= set(sizes):
            raise InputError(
                f"{name} is another network: it takes {tuple(given['shape'])} and gives {sorted(sizes)} values, "
                f"not {picture} and {sorted(outputs)}; take the file of that name from mediapipe up to 0.10.21"
            )
        self._input: int = given["index"]
        self._outputs = [sizes[size] for size in outputs]

    def run(self, picture: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Its outputs, flat, in the order asked for.

        Args:
            picture: float32 ``(height, width, 3)``.
        """
        if self._interpreter is None:
            raise ValueError("this landmarker is closed")
        self._interpreter.set_tensor(self._input, picture[None])
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index).ravel() for index in self._outputs]

    def close(self) -> None:
        """Give the network's memory back; a second call does nothing."""
        self._interpreter = None
