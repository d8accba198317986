"""Everything that one input's results are written to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from edgeau import Pipeline
from edgeau._system.printable import printable
from edgeau.annotation import Annotator
from edgeau.results import FrameResult
from edgeau.sinks.tables import EventCsv, JsonLines, OpenFaceCsv
from edgeau.sources import Frame
from edgeau.temporal.events import EventDetector
from edgeau_apps.analyze.annotated import AnnotatedPicture, AnnotatedVideo, PictureWriter
from edgeau_apps.analyze.identity import Identity
from edgeau_apps.analyze.inputs import Input
from edgeau_apps.analyze.outputs import Outputs, refusing

__all__ = ["Options", "Sinks", "file_names"]

_JPEG = (".jpg", ".jpeg", ".jpe")


@dataclass(frozen=True)
class Options:
    """Choice of what to write.

    Attributes:
        out: folder for it; None writes nothing.
        landmarks: 68 or 478 landmark columns, or None.
        pose: whether to give head rotation columns.
        events: whether to write when AUs of videos came and went.
        annotator: draws the annotated picture or video; None for none.
        identity: what the tables are made with.
        fps: rate of a film that is made of pictures, frames a second.
        sequence: whether inputs are such films.
        cores: processors that may be used.
    """

    out: Path | None
    landmarks: Literal[68, 478] | None
    pose: bool
    events: bool
    annotator: Annotator | None
    identity: Identity
    fps: float | None = None
    sequence: bool = False
    cores: int = 1


class Sinks:
    """The tables of one input, and its annotated picture or video.

    Args:
        outputs: hold the files.
        given: the input.
        pipeline: whose results these are.
        options: what to write.
        measured: what the table is to say of the source: its size and rate.
    """

    def __init__(
        self,
        outputs: Outputs,
        given: Input,
        pipeline: Pipeline,
        options: Options,
        measured: Mapping[str, Any],
    ) -> None:
        self._outputs, self._folder = outputs, outputs.folder
        names = file_names(given, events=options.events, annotate=options.annotator is not None)
        source = options.identity.source(given, kind=given.kind, artifact=pipeline.artifact.file, **measured)
        self._csv = OpenFaceCsv(
            outputs.open_text(names["csv"]),
            pipeline.labels,
            intensities=pipeline.intensity_labels,
            sided=pipeline.sided_labels,
            landmarks=options.landmarks,
            pose=options.pose,
            complete=True,
            optional_outputs=pipeline.optional_outputs,
            source=printable(given.path),
        )
        self._count = 0
        self._events = EventDetector()
        self._event_table: EventCsv | None = None
        self._last_s = 0.0
        if "events" in names:
            self._event_table = EventCsv(outputs.open_text(names["events"]))
        self._annotator = options.annotator
        self._annotated: PictureWriter | None = None
        if "annotated" in names:
            path = outputs.place(names["annotated"])
            picture = given.kind == "picture"
            self._annotated = (
                AnnotatedPicture(path) if picture else AnnotatedVideo(path, given.path, measured.get("fps"))
            )
        # The last to get its place: --resume reads in it that the others are there.
        self._jsonl = JsonLines(
            outputs.open_text(names["jsonl"]),
            trained=pipeline.bundle.manifest.network.trained,
            landmarks=options.landmarks is not None,
            source=source,
        )
        self.files = {kind: str(outputs.folder / name) for kind, name in names.items()}

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Add one frame to all of them."""
        self._outputs.check()
        with refusing(self._folder):
            self._csv.write(result)
            self._jsonl.write(result)
            if self._event_table:
                self._event_table.write(self._events.update(result))
        self._last_s = result.time_s
        self._count += 1
        if self._annotator and self._annotated:
            self._annotated.write(self._annotator.draw(frame.image, result), result.time_s)

    def close(self, error: str | None = None) -> None:
        """Finish what is still open.

        Args:
            error: why the input broke off; None where it is whole.
        """
        with refusing(self._folder):
            self._jsonl.finish({"complete": error is None, "frames": self._count, "error": error})
            if self._event_table:
                self._event_table.write(self._events.finish(self._last_s))
        if self._annotated:
            self._annotated.close()


def file_names(given: Input, *, events: bool, annotate: bool) -> dict[str, str]:
    """Names of the files that an input gets, without folders, by their kind: ``csv``, ``jsonl``, ``events``, ``annotated``."""
    stem = Path(given.stem).name
    names = {"csv": f"{stem}.csv", "jsonl": f"{stem}.jsonl"}
    if events and given.kind == "video":
        names["events"] = f"{stem}.events.csv"
    if annotate:
        names["annotated"] = _annotated_name(given)
    return names


def _annotated_name(given: Input) -> str:
    stem = Path(given.stem).name
    if given.kind == "video":
        return f"{stem}.annotated.mp4"
    return f"{stem}.annotated{'.jpg' if given.path.suffix.lower() in _JPEG else '.png'}"
