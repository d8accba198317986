"""Savings and cost of not running the network on faces that did not change: a video, the packaged clip, and still scenes.

    python benchmarks/unchanged_faces.py VIDEO [--frames 250] [--out result.json] [--write docs/frame-cost.md]

Two pipelines see the same frames, one with skip="on". Given are the share of the network's runs that is saved, how far raw probabilities
of the same frame lie apart (mean over AUs and frames, 95th percentile and largest of those where the network was spared), and the AU events
that one of both has and the other has not, or not within 0.2 s. Beside it stands how far the network's own answers to one picture scatter when
it is shown again and again: its landmarks settle within a fraction of a pixel. A still scene is one frame of each film with a sensor's noise
(standard deviation in levels of 255).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from result_options import add_result_options, give_result
from this_machine import about, measured_here

from edgeau import Pipeline, open_source
from edgeau._system.command import DONE, CommandParser, run
from edgeau.results import FrameResult
from edgeau.temporal.events import Event, EventDetector

NAME = "unchanged_faces"
GATE = 3
_NOISES, _STILL, _FPS = (0.0, 1.0, 2.5), 75, 25.0
_APART_S = 0.2
_ERROR, _STILL_SAVED = 0.02, 0.9
Timed = Iterable[tuple[float, np.ndarray]]


def main(argv: Sequence[str] | None = None) -> int:
    return run(NAME, _measure, argv)


def _measure(argv: Sequence[str] | None) -> int:
    parser = CommandParser(NAME, __doc__ or "", f"python benchmarks/{NAME}.py film.mp4")
    parser.add_argument("video", type=Path, help="a film of a face")
    parser.add_argument("--frames", type=int, default=250, help="of it (%(default)s)")
    parser.add_argument("--artifact", default="litert/int8", help="(%(default)s)")
    add_result_options(parser)
    arguments = parser.parse_args(argv)
    films = {
        "video": list(_frames(str(arguments.video), arguments.frames)),
        "packaged clip": list(_frames("clip", None)),
    }
    scenes: dict[str, Timed] = dict(films)
    for name, frames in films.items():
        picture = frames[len(frames) // 2][1]
        scenes |= {f"{name}, still, noise {noise:g}": _still(picture, noise) for noise in _NOISES}
    measured = measured_here()
    found = {name: compared(frames, arguments.artifact) for name, frames in scenes.items()}
    document = {**measured, "scenes": found}
    give_result(arguments, NAME, document, table)
    return DONE if _held(found) else GATE


def _held(found: dict[str, dict[str, Any]]) -> bool:
    moving = [row for name, row in found.items() if "still" not in name]
    still = [row for name, row in found.items() if "still" in name]
    return (
        all(row["error_mean"] <= _ERROR for row in moving)
        and not found["packaged clip"]["events_missed"]
        and all(row["saved"] >= _STILL_SAVED for row in still)
    )


def _frames(source: str, count: int | None) -> Iterator[tuple[float, np.ndarray]]:
    with open_source(source) as opened:
        for frame in islice(opened, count):
            yield frame.time_s, frame.image


def _still(picture: np.ndarray, noise: float) -> list[tuple[float, np.ndarray]]:
    rng = np.random.default_rng(0)
    shown = [
        np.clip(picture + rng.normal(0, noise, picture.shape), 0, 255).astype(np.uint8) for _ in range(_STILL)
    ]
    return [(number / _FPS, frame) for number, frame in enumerate(shown)]


def compared(frames: Timed, artifact: str) -> dict[str, Any]:
    """Savings and cost of skipping on frames with their times in seconds."""
    options: dict[str, Any] = {"artifact": artifact, "threads": 1, "max_faces": 1}
    always, sparing = Pipeline.load(**options), Pipeline.load(**options, skip="on")
    results: tuple[list[FrameResult], list[FrameResult]] = ([], [])
    for time_s, image in frames:
        for pipeline, kept in zip((always, sparing), results, strict=True):
            kept.append(pipeline.track(image, time_s=time_s))
    always.close()
    sparing.close()
    errors, faces, spared = [], 0, 0
    for true, skipped in zip(*results, strict=True):
        for one, other in zip(true.faces, skipped.faces, strict=True):
            faces += 1
            if other.aus_held_s is not None:
                spared += 1
                errors.append(np.abs(_raw(one.aus.values()) - _raw(other.aus.values())))
    missed, moved = _events_apart(*(_events(each) for each in results))
    document: dict[str, Any] = {
        "frames": len(results[0]),
        "saved": round(spared / max(faces, 1), 3),
        "events_missed": missed,
        "largest_event_shift_s": round(moved, 3),
        "own_scatter": _scatter(results[0]),
    }
    every = np.array(errors) if errors else np.zeros((1, 1))
    return document | {
        "error_mean": round(float(np.nanmean(every)), 4),
        "error_p95": round(float(np.nanpercentile(every, 95)), 4),
        "error_largest": round(float(np.nanmax(every)), 4),
    }


def _raw(units: Iterable[Any]) -> np.ndarray:
    return np.array([np.nan if unit.raw_probability is None else unit.raw_probability for unit in units])


def _scatter(results: list[FrameResult]) -> float:
    """Median over frames of the largest change of a raw probability from one frame to the next."""
    rows = [_raw(result.faces[0].aus.values()) for result in results if result.faces]
    steps = [float(np.nanmax(np.abs(after - before))) for before, after in pairwise(rows)]
    return round(float(np.median(steps)), 4) if steps else 0.0


def _events(results: Iterable[FrameResult]) -> list[Event]:
    detector, found, last_s = EventDetector(), [], 0.0
    for result in results:
        found += detector.update(result)
        last_s = result.time_s
    return found + list(detector.finish(last_s))


def _events_apart(true: list[Event], skipped: list[Event]) -> tuple[int, float]:
    """Events that only one list has, and the farthest that a common one begins apart, seconds."""
    left, shifts = list(skipped), [0.0]
    missed = 0
    for event in true:
        same = [
            e
            for e in left
            if (e.label, e.kind) == (event.label, event.kind) and abs(e.time_s - event.time_s) <= _APART_S
        ]
        if not same:
            missed += 1
            continue
        nearest = min(same, key=lambda e: abs(e.time_s - event.time_s))
        left.remove(nearest)
        shifts.append(abs(nearest.time_s - event.time_s))
    return missed + len(left), max(shifts)


def table(document: dict[str, Any]) -> str:
    """Markdown."""
    lines = [
        f"{about(document, NAME)}. Errors of raw probabilities, for faces on which the network was not run.",
        "",
        "| scene | frames | runs saved | error: mean, 95 %, largest | events that differ | largest shift of an event, s | frame-to-frame noise |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in document["scenes"].items():
        lines.append(
            f"| {name} | {row['frames']} | {row['saved']:.1%} | {row['error_mean']}, {row['error_p95']}, {row['error_largest']} "
            f"| {row['events_missed']} | {row['largest_event_shift_s']} | {row['own_scatter']} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
