"""Everything that one input's results are written to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from edgeau.sinks.tables import EventCsv, JsonLines, OpenFaceCsv
from edgeau.temporal.events import EventDetector
from edgeau_apps.analyze.annotated import AnnotatedPicture, AnnotatedVideo, PictureWriter
from edgeau_apps.analyze.outputs import refusing

if TYPE_CHECKING:
    from pathlib import Path

    from edgeau import Pipeline
    from edgeau.results import FrameResult
    from edgeau.sources import Frame
    from edgeau_apps.analyze.inputs import Input
    from edgeau_apps.analyze.outputs import Outputs
    from edgeau_apps.annotation import Annotator

__all__ = ["Options", "Sinks"]

_JPEG = (".jpg", ".jpeg", ".jpe")
# Rate of an annotated video whose source does not say its own, frames a second. Ours.
_FPS = 25.0


@dataclass(frozen=True)
class Options:
    """What to write.

    Attributes:
        out: folder for it.
        landmarks: 68 or 478 landmark columns, or None.
        pose: whether to give head rotation columns.
        events: whether to write when AUs of videos came and went.
        annotator: draws the annotated picture or video; None for none.
    """

    out: Path
    landmarks: Literal[68, 478] | None
    pose: bool
    events: bool
    annotator: Annotator | None


class Sinks:
    """The tables of one input, and its annotated picture or video.

    Args:
        outputs: hold the files.
        given: the input.
        fps: of the source, None when unknown.
        pipeline: whose results these are.
        options: what to write.
    """

    def __init__(
        self, outputs: Outputs, given: Input, fps: float | None, pipeline: Pipeline, options: Options
    ) -> None:
        self._folder = options.out
        names = {"csv": f"{given.stem}.csv", "jsonl": f"{given.stem}.jsonl"}
        self._csv = OpenFaceCsv(
            outputs.open_text(names["csv"]),
            pipeline.labels,
            intensities=pipeline.intensity_labels,
            sided=pipeline.sided_labels,
            landmarks=options.landmarks,
            pose=options.pose,
        )
        self._jsonl = JsonLines(
            outputs.open_text(names["jsonl"]),
            trained=pipeline.bundle.manifest.network.trained,
            landmarks=options.landmarks is not None,
        )
        self._events = EventDetector()
        self._event_table: EventCsv | None = None
        self._last_s = 0.0
        if options.events and given.kind == "video":
            names["events"] = f"{given.stem}.events.csv"
            self._event_table = EventCsv(outputs.open_text(names["events"]))
        self._annotator = options.annotator
        self._annotated: PictureWriter | None = None
        if options.annotator:
            names["annotated"] = _annotated_name(given)
            path = outputs.place(names["annotated"])
            picture = given.kind == "picture"
            self._annotated = AnnotatedPicture(path) if picture else AnnotatedVideo(path, fps or _FPS)
        self.files = {kind: str(options.out / name) for kind, name in names.items()}

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Add one frame to all of them."""
        with refusing(self._folder):
            self._csv.write(result)
            self._jsonl.write(result)
            if self._event_table:
                self._event_table.write(self._events.update(result))
        self._last_s = result.time_s
        if self._annotator and self._annotated:
            self._annotated.write(self._annotator.draw(frame.image, result))

    def close(self) -> None:
        """Finish what is still open."""
        if self._event_table:
            with refusing(self._folder):
                self._event_table.write(self._events.finish(self._last_s))
        if self._annotated:
            self._annotated.close()


def _annotated_name(given: Input) -> str:
    if given.kind == "video":
        return f"{given.stem}.annotated.mp4"
    return f"{given.stem}.annotated{'.jpg' if given.path.suffix.lower() in _JPEG else '.png'}"
