"""AU curves over a video: for looking at what no label says.

``python -m edgeau_training.evaluation.timeline MODEL VIDEO --out timeline.png [--spans 0-130,240-460]
[--artifact FILE]``
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from edgeau._system.command import DONE, CommandParser, print_json, run
from edgeau._system.progress import progress_bar
from edgeau.errors import InputError, UsageError
from edgeau.faces.landmarks import open_landmarker
from edgeau.metrics import sigmoid
from edgeau.sources import open_source
from edgeau_training.evaluation.faces.batch import FaceBatch
from edgeau_training.evaluation.plots import save_figure
from edgeau_training.evaluation.scorers import PARTS, Scorer, open_scorer

__all__ = ["Timeline", "draw_timeline", "main", "record"]

Span = tuple[int, int]


@dataclass(frozen=True)
class Timeline:
    """Probabilities over a video.

    Attributes:
        labels: C AU labels.
        probabilities: float32 ``(frames, C)``; NaN in frames without a face.
    """

    labels: tuple[str, ...]
    probabilities: NDArray[np.float32]

    def leading(self, span: Span) -> list[tuple[str, float]]:
        """Labels by their mean probability over the frames of a span (last frame included), highest first."""
        part = self.probabilities[span[0] : span[1] + 1]
        part = part[~np.isnan(part).any(axis=1)]
        if not len(part):
            raise InputError(f"no face was found in frames {span[0]} to {span[1]}")
        means = part.mean(axis=0)
        return [(self.labels[i], float(means[i])) for i in np.argsort(-means)]


def record(scorer: Scorer, video: str) -> Timeline:
    """Run a model over every frame of a video, one face, landmarks tracked from frame to frame.

    Raises:
        InputError: the video cannot be read, or no frame shows a face.
    """
    rows: list[NDArray[np.float32]] = []
    nothing = np.full(len(scorer.labels), np.nan, np.float32)
    with open_source(video) as source, open_landmarker() as landmarker:
        for frame in progress_bar(source, total=source.length, unit="frame", desc=source.name):
            faces = landmarker.detect(frame.image)
            rows.append(_probabilities(scorer, faces[0], frame.image) if faces else nothing)
    probabilities = np.array(rows, np.float32)
    if not rows or np.isnan(probabilities).all():
        raise InputError(f"{video}: no face was found in any of {len(rows)} frames")
    return Timeline(scorer.labels, probabilities)


def draw_timeline(timeline: Timeline, title: str, spans: Sequence[Span] = ()) -> Figure:
    """One strip per AU, 0..1 over frame numbers; spans are shaded."""
    count = len(timeline.labels)
    figure = Figure(figsize=(11, 0.55 * count + 1), layout="constrained")
    FigureCanvasAgg(figure)
    strips = figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0]
    for strip, label, values in zip(strips, timeline.labels, timeline.probabilities.T, strict=True):
        strip.fill_between(np.arange(len(values)), np.nan_to_num(values), alpha=0.5)
        strip.set(ylim=(0, 1), yticks=(0, 1))
        strip.tick_params(labelsize="x-small")
        strip.set_ylabel(label, rotation=0, ha="right", va="center", fontsize="small")
        for start, end in spans:
            strip.axvspan(start, end, color="grey", alpha=0.15)
    strips[0].set_title(title, fontsize="medium")
    strips[-1].set_xlabel("frame")
    return figure


def main(argv: Sequence[str] | None = None) -> int:
    """The command; see ``--help``."""
    return run("edgeau_training.evaluation.timeline", _timeline, argv)


def _timeline(argv: Sequence[str] | None) -> int:
    parser = CommandParser(
        "python -m edgeau_training.evaluation.timeline",
        "Plot AU probabilities of one face over a video.",
        "python -m edgeau_training.evaluation.timeline landmark.npz talk.mp4 --out talk.png --spans 0-130,240-460",
    )
    parser.add_argument(
        "model", help="bundle (default, light or a folder), checkpoint .safetensors, .onnx or landmark .npz"
    )
    parser.add_argument("video")
    parser.add_argument("--out", type=Path, required=True, metavar="PNG")
    parser.add_argument(
        "--spans", default="", help="frames to shade and to list the leading AUs of: 0-130,240-460"
    )
    parser.add_argument("--part", choices=PARTS, help="of a bundle")
    parser.add_argument(
        "--artifact", metavar="FILE", help="of a bundle: the file to run (default: its first)"
    )
    parser.add_json()
    options = parser.parse_args(argv)
    spans = _spans(options.spans)
    with closing(open_scorer(options.model, options.artifact, options.part)) as scorer:
        timeline, name = record(scorer, options.video), scorer.name
    save_figure(draw_timeline(timeline, f"{name} on {Path(options.video).name}", spans), options.out)
    leading = [{"first": a, "last": b, "mean_probability": dict(timeline.leading((a, b)))} for a, b in spans]
    _print(leading, options.out, as_json=options.json)
    return DONE


def _print(leading: list[dict[str, Any]], out: Path, *, as_json: bool) -> None:
    if as_json:
        print_json({"plot": str(out), "spans": leading})
        return
    for span in leading:
        means = list(span["mean_probability"].items())[:8]
        print(
            f"frames {span['first']}-{span['last']}: "
            + ", ".join(f"{label} {mean:.2f}" for label, mean in means)
        )
    print(f"wrote {out}")


def _probabilities(
    scorer: Scorer, landmarks: NDArray[np.float32], picture: NDArray[np.uint8]
) -> NDArray[np.float32]:
    batch = FaceBatch(landmarks[None], np.full((1, len(scorer.labels)), -1, np.int8), [picture])
    return sigmoid(scorer.logits(batch)[0])


def _spans(text: str) -> list[Span]:
    try:
        pairs = [part.split("-") for part in text.split(",") if part]
        return [(int(first), int(last)) for first, last in pairs]
    except ValueError as error:
        raise UsageError(f"--spans {text!r} is not like 0-130,240-460") from error


if __name__ == "__main__":
    sys.exit(main())
