"""Outputs that a result has only where they are asked for: blendshapes, and the direction of the eyes.

Both are made of the landmarks of each frame alone, after action units and filters, and are no part of either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

from edgeau._system.closing import Closing
from edgeau.errors import UsageError
from edgeau.faces.eye_direction import eye_direction
from edgeau.faces.landmarks.litert.blendshapes import Blendshapes
from edgeau.results import Face, FrameResult

__all__ = ["OPTIONAL_OUTPUTS", "OptionalOutput", "OptionalOutputs"]

OptionalOutput = Literal["blendshapes", "eyes"]
"""``"blendshapes"``: MediaPipe's weights of 51 shapes (:attr:`edgeau.Face.blendshapes`); ``"eyes"``: the direction of the eyes from the head,
uncalibrated (:attr:`edgeau.Face.eyes`)."""

OPTIONAL_OUTPUTS: tuple[OptionalOutput, ...] = get_args(OptionalOutput)


class OptionalOutputs(Closing):
    """Adds optional outputs to results.

    Args:
        names: which.
        place: a ``face_landmarker.task`` that carries the network of blendshapes; None takes the landmark networks of this machine.

    Raises:
        UsageError: a name is none of :data:`OPTIONAL_OUTPUTS`, or they are no list.
        InputError: blendshapes were asked for, and there is no network for them.
        DependencyError: LiteRT is missing.
    """

    def __init__(self, names: Sequence[str], place: Path | None = None) -> None:
        if isinstance(names, str):
            raise UsageError(f"optional outputs are given as a list, such as [{names!r}]; got {names!r}")
        unknown = [name for name in names if name not in OPTIONAL_OUTPUTS]
        if unknown:
            raise UsageError(
                f"there is no optional output {unknown[0]!r}; there are {', '.join(OPTIONAL_OUTPUTS)}"
            )
        self.names: tuple[OptionalOutput, ...] = tuple(name for name in OPTIONAL_OUTPUTS if name in names)
        self._blendshapes = Blendshapes(place) if "blendshapes" in names else None

    def add(self, result: FrameResult) -> FrameResult:
        """Return the result with the outputs of each of its faces.

        Raises:
            InputError: the landmarks have no irises.
        """
        if not self.names:
            return result
        return replace(result, faces=tuple(self._of(face) for face in result.faces))

    def close(self) -> None:
        """Give the network's memory back; a second call does nothing."""
        if self._blendshapes is not None:
            self._blendshapes.close()

    def _of(self, face: Face) -> Face:
        return replace(
            face,
            blendshapes=None if self._blendshapes is None else self._blendshapes.of(face.landmarks),
            eyes=eye_direction(face.landmarks) if "eyes" in self.names else None,
        )
