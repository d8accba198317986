"""The interface of every way to find face landmarks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from edgeau._system.closing import Closing
from edgeau.errors import InputError

if TYPE_CHECKING:  # edgeau-doctor looks for landmark networks where numpy cannot be imported
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["FaceLandmarks", "Landmarker", "check_irises"]

_WITH_IRISES = 478


@dataclass(frozen=True)
class FaceLandmarks:
    """The landmarks of one face.

    Attributes:
        points: float32 ``(468 or 478, 3)``, as from :meth:`Landmarker.detect`.
        is_reliable: whether they were checked and lie on a face, or cannot be checked by this landmarker; False where they
            may be garbage.
    """

    points: NDArray[np.float32]
    is_reliable: bool = True


class Landmarker(Closing, Protocol):
    """Finds faces and their landmarks.

    One landmarker belongs to one thread, the one that made it: MediaPipe fails every call when two threads share one. It
    does not survive a fork either; start processes with ``spawn`` and open one in each.
    """

    def detect(self, frame: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """The landmarks of every face, in no particular order.

        Args:
            frame: BGR, uint8 ``(height, width, 3)``.

        Returns:
            One float32 ``(468 or 478, 3)`` a face: x y in pixels of the frame, z in the same unit, smaller is closer to
            the camera. The last ten of 478 are the irises. Empty without a face.

        Raises:
            InputError: the frame is not a BGR picture.
        """
        ...

    def find(
        self,
        frame: NDArray[np.uint8],
        *,
        far: bool = False,  # noqa: ARG002
        most: int | None = None,
        follow: bool = False,  # noqa: ARG002
        search_every: int = 1,  # noqa: ARG002
    ) -> list[FaceLandmarks]:
        """Find faces like :meth:`detect`, and say what a check of the landmarks said.

        Args:
            frame: BGR, uint8 ``(height, width, 3)``.
            far: whether to look for small faces too, which takes longer; not every landmarker can (see :meth:`smallest`).
            most: no more faces than this; None takes as many as the landmarker was opened for.
            follow: of a landmarker for pictures: where this picture continues the one before, faces may be looked at where they were
                there, which takes less time. Not every landmarker can.
            search_every: of a landmarker for films: so many frames lie between two searches for further faces, at least, while the known ones
                are in view. Not every landmarker can.
        """
        return [FaceLandmarks(points) for points in self.detect(frame)][:most]

    def smallest(self, *, far: bool) -> float:  # noqa: ARG002
        """Width of the smallest face that is found reliably, as a share of the frame's long side.

        Args:
            far: as for :meth:`find`.
        """
        return 0.115

    def sibling(self, *, static: bool) -> Landmarker | None:  # noqa: ARG002
        """Another landmarker with the same networks in memory, to be used in turns with this one and closed as well; None where it must be opened.

        Args:
            static: every frame stands for itself (pictures); else faces are tracked.
        """
        return None

    def describe(self) -> str:
        """Name the models and their package: one line for logs and reports."""
        ...

    def reset(self) -> None:
        """Forget the frames so far: what comes next is another video."""
        ...

    def close(self) -> None:
        """Give the models back; a second call does nothing."""
        ...


def check_irises(landmarks: NDArray[np.float32], what: str) -> None:
    """Refuse landmarks without irises, which the plain mesh network gives.

    Args:
        landmarks: of one face, as from :meth:`Landmarker.detect`.
        what: what needs irises, in the plural, for the message.

    Raises:
        InputError: there are 468 of them.
    """
    if len(landmarks) < _WITH_IRISES:
        raise InputError(
            f"{what} need the {_WITH_IRISES} points of a mesh with irises; this one has {len(landmarks)}"
        )
