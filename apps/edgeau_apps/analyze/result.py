"""The outcome of one input."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from edgeau._system.command import DONE, PARTLY
from edgeau.errors import EdgeauError
from edgeau.results import FrameResult
from edgeau_apps.analyze.summary import FaceSummaries

__all__ = ["Outcome", "exit_code"]


@dataclass
class Outcome:
    """The outcome of one input.

    Attributes:
        input: as the user named it, or the file's path.
        files: what was written: ``"csv"``, ``"jsonl"``, ``"annotated"`` to path.
        frames: frames analyzed.
        frames_with_face: those in which a face was found.
        most_faces: most faces in one frame.
        error: what went wrong, or None.
        smallest: width of the smallest face that could have been found, pixels.
        limit: number of faces beyond which no more were looked for.
        faces: the faces in words, where no tables are written; else None.
    """

    input: str
    files: dict[str, str] = field(default_factory=dict)
    frames: int = 0
    frames_with_face: int = 0
    most_faces: int = 0
    error: str | None = None
    smallest: int = 0
    limit: int = 0
    faces: FaceSummaries | None = None

    @property
    def status(self) -> Literal["done", "partly", "failed"]:
        """``partly``: the input broke off, and what came before is written or shown."""
        if self.error is None:
            return "done"
        return "partly" if self.has_output else "failed"

    @property
    def has_output(self) -> bool:
        """True when anything of it was written, or can be printed."""
        return bool(self.files or (self.faces is not None and self.frames))

    def count(self, result: FrameResult) -> None:
        """One more frame was analyzed."""
        self.frames += 1
        self.frames_with_face += bool(result.faces)
        self.most_faces = max(self.most_faces, len(result.faces))
        if self.faces is not None:
            self.faces.add(result)

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        counts = {
            "frames": self.frames,
            "frames_with_face": self.frames_with_face,
            "most_faces": self.most_faces,
            "smallest_face_pixels": self.smallest,
            "max_faces": self.limit,
        }
        return {
            "input": self.input,
            "status": self.status,
            **counts,
            **({} if self.faces is None else {"faces": self.faces.to_dict()}),
            "files": self.files,
            "error": self.error,
        }

    def text(self) -> str:
        """For people: one line, and the faces where no tables are written."""
        if self.frames == 1:
            found = f"{self.most_faces} face{'s' * (self.most_faces != 1)}" if self.most_faces else "no face"
        else:
            found = f"{self.frames} frames, {self.frames_with_face} with a face"
        if not self.frames_with_face and self.smallest:
            found += f" (from {self.smallest} pixels of width on one would have been found)"
        if 1 < self.limit <= self.most_faces:
            found += f" (no more than {self.limit} at a time were looked for: --max-faces)"
        if self.faces is not None:
            return "\n".join([f"{self.input}: {found}", *self.faces.lines(self.frames)])
        return f"{self.input}: {found} -> {', '.join(self.files.values())}"


def exit_code(outcomes: list[Outcome], before: int = 0) -> int:
    """0 all done, 1 some of it, 2 nothing.

    Args:
        outcomes: of this run.
        before: inputs that were done already.
    """
    if all(outcome.status == "done" for outcome in outcomes):
        return DONE
    failed = not before and all(outcome.status == "failed" for outcome in outcomes)
    return EdgeauError.exit_code if failed else PARTLY
