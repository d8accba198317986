"""Pictures that continue the one before: frames of a film against different pictures, and what it does to the answers.

    python benchmarks/cuts.py FILM FOLDER [--out result.json] [--write docs/finding-faces-measured.md]

FOLDER holds photos of one face each. "Difference" is the mean difference at the place of the face, in levels of 255, that Pipeline.process
compares with its bound. Photos are cut to their faces first: different pictures are rarely as alike. "Answers" are probabilities of Pipeline.process
over the film, frame after frame, against those of each frame by itself. "Cost" is the processor time of Pipeline.process with its default options
and one thread, on the film's first frames in two sizes, frame after frame and each by itself.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from result_options import add_result_options, give_result
from this_machine import about, measured_here

from edgeau import Pipeline, open_source
from edgeau._system.command import DONE, CommandParser, run
from edgeau.faces.landmarks.litert.picture_sequence import CUT, difference, face_cells
from edgeau.faces.landmarks.litert.region import Region

NAME = "cuts"
_STEPS = (1, 2, 5)
_SIZES = ((640, 360), (1920, 1080))
_WARM_UP, _TIMED = 10, 60


def main(argv: Sequence[str] | None = None) -> int:
    return run(NAME, _measure, argv)


def _measure(argv: Sequence[str] | None) -> int:
    parser = CommandParser(NAME, __doc__ or "", f"python benchmarks/{NAME}.py film.mp4 photos/")
    parser.add_argument("film", type=Path, help="a film of one face")
    parser.add_argument("photos", type=Path, help="a folder of photos of different people")
    add_result_options(parser)
    arguments = parser.parse_args(argv)
    document = measured_here() | {"bound": CUT}
    with Pipeline.load(max_faces=1, threads=1, artifact="litert/int8") as pipeline:
        with open_source(str(arguments.film)) as source:
            frames = [frame.image for frame in source]
        document["film"] = _film(pipeline, frames)
        document["photos"] = _photos(pipeline, arguments.photos)
        document["answers"] = _answers(pipeline, frames)
    document["cost_ms"] = {f"{size[0]}x{size[1]}": _cost(frames, size) for size in _SIZES}
    give_result(arguments, NAME, document, table)
    return DONE


def _film(pipeline: Pipeline, frames: list[np.ndarray]) -> dict[str, Any]:
    places = [_place(pipeline.track(frame).faces) for frame in frames]
    return {
        str(step): _spread(
            [
                difference(_cells(frames[number], place), _cells(frames[number + step], place))
                for number, place in enumerate(places[:-step])
                if place is not None
            ]
        )
        for step in _STEPS
    }


def _photos(pipeline: Pipeline, folder: Path) -> dict[str, Any]:
    cells, mirrored = [], []
    with open_source(str(folder)) as source:
        for frame, result in zip(source, pipeline.stream(source), strict=False):
            place = _place(result.faces)
            if place is not None:
                cells.append(_cells(frame.image, place))
                mirror = np.ascontiguousarray(frame.image[:, ::-1])
                mirrored.append(difference(cells[-1], _cells(mirror, place)))
    pairs = [difference(one, other) for number, one in enumerate(cells) for other in cells[:number]]
    return {
        "photos": len(cells),
        "lowest": [round(value, 1) for value in sorted(pairs)[:6]],
        "mirrored": _spread(mirrored),
    } | _spread(pairs)


def _answers(pipeline: Pipeline, frames: list[np.ndarray]) -> dict[str, Any]:
    alone = []
    for frame in frames:
        pipeline.reset()
        alone.append(_probabilities(pipeline, frame))
    pipeline.reset()
    loop = [_probabilities(pipeline, frame) for frame in frames]
    apart = np.abs(np.array(alone) - np.array(loop))
    return {
        "mean": round(float(np.nanmean(apart)), 3),
        "p99": round(float(np.nanpercentile(apart, 99)), 2),
        "steps_alone": _steps(alone),
        "steps_in_a_loop": _steps(loop),
    }


def _steps(probabilities: list[list[float]]) -> float:
    """Mean change of a probability from one frame to the next."""
    return round(float(np.nanmean(np.abs(np.diff(np.array(probabilities), axis=0)))), 4)


def _cost(frames: list[np.ndarray], size: tuple[int, int]) -> dict[str, float]:
    """Mean processor milliseconds of a picture."""
    resized = [np.asarray(cv2.resize(frame, size), np.uint8) for frame in frames[: _WARM_UP + _TIMED]]
    cost: dict[str, float] = {}
    with Pipeline.load(threads=1, artifact="litert/int8") as pipeline:
        for way in ("by itself", "in a loop"):
            times = []
            for frame in resized:
                if way == "by itself":
                    pipeline.reset()
                began = time.process_time()
                pipeline.process(frame)
                times.append(time.process_time() - began)
            cost[way] = round(1000 * float(np.mean(times[_WARM_UP:])), 1)
    return cost


def _probabilities(pipeline: Pipeline, frame: np.ndarray) -> list[float]:
    faces = pipeline.process(frame).faces
    if not faces:
        return [np.nan] * len(pipeline.labels)
    known = [au.probability for au in faces[0].aus.values()]
    return [np.nan if value is None else value for value in known]


def _place(faces: Sequence[Any]) -> Region | None:
    return Region.of_landmarks(faces[0].landmarks) if faces else None


def _cells(frame: np.ndarray, place: Region) -> np.ndarray:
    cells = face_cells(frame, place)
    assert cells is not None
    return cells


def _spread(values: list[float]) -> dict[str, float]:
    share = sum(value < CUT for value in values) / len(values)
    return {
        "count": len(values),
        "median": round(float(np.median(values)), 1),
        "p1": round(float(np.percentile(values, 1)), 1),
        "p99": round(float(np.percentile(values, 99)), 1),
        "below": round(share, 4),
    }


def table(document: dict[str, Any]) -> str:
    film, photos, answers = document["film"], document["photos"], document["answers"]
    rows = [_row(f"film, {step} frame{'s' if step != '1' else ''} apart", one) for step, one in film.items()]
    rows.append(_row(f"{photos['photos']} photos, each with each, cut to their faces", photos))
    rows.append(_row("each photo with its mirror image", photos["mirrored"]))
    lowest = ", ".join(f"{value:g}" for value in photos["lowest"])
    return "\n".join(
        [
            f"{about(document, NAME)}.",
            "",
            f"| | pairs | difference, median | 1st percentile | 99th percentile | below the bound of {document['bound']:g} |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
            f"The photos that differ least: {lowest}. Probabilities of the film's frames in a loop differ from those of each frame by itself by",
            f"{answers['mean']} on average, and by less than {answers['p99']} in 99 of 100. From one frame to the next they change by",
            f"{answers['steps_in_a_loop']} in a loop, and by {answers['steps_alone']} if each frame stands by itself.",
            "",
            "| `Pipeline.process`, default options, one thread: mean CPU ms of a picture | by itself | in a loop |",
            "|---|---|---|",
            *(
                f"| {size} | {ms['by itself']} | {ms['in a loop']} |"
                for size, ms in document["cost_ms"].items()
            ),
        ]
    )


def _row(name: str, one: dict[str, float]) -> str:
    return f"| {name} | {one['count']} | {one['median']} | {one['p1']} | {one['p99']} | {one['below']:.2%} |"


if __name__ == "__main__":
    sys.exit(main())
