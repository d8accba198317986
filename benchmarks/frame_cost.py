"""Cost of a frame beside the networks that it runs: MediaPipe's FaceMesh alone, the AU network alone, and edgeau around both, in one run.

    python benchmarks/frame_cost.py VIDEO [--frames 150] [--against CHECKOUT] [--out result.json] [--write docs/frame-cost.md]

One thread, 640 x 480, INT8 in LiteRT; processor time of the process, since other programs disturb it less than the clock. Interleaved: every frame is given to all subjects before the next one. Alone: each subject gets all frames
by itself, so that its weights stay in the caches. "Video" is Pipeline.track, "loop" is Pipeline.process, frame after frame, and
"single picture" is the same after Pipeline.reset, so that the face is searched for again.
Pictures whose face is doubtful are scikit-image's astronaut, stretched until the mesh network doubts it: likely (its presence lies between both limits of
docs/decisions/finding-faces.md) or below them. Own work is the processor time of a frame of a film without the time inside the engines and the landmark model, 10th percentile. More faces and pixels are the packaged clip's, side by side.
Ratios are of medians, with 95 % bootstrap intervals over blocks of ten frames. --against names a checkout of an earlier release, of which the own
work and the films are measured too, in turns with this one's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pipeline_overhead import TimedInterpreter, landmark_networks
from result_options import add_result_options, give_result
from suite.frames import frame_of
from suite.turns import ratio
from this_machine import about, measured_here

from edgeau import AUDetector, Pipeline, open_source
from edgeau._system.command import DONE, CommandParser, print_json, run

NAME = "frame_cost"
GATE = 3
ARTIFACT = "litert/int8"
SIZE, LARGE, LARGEST = (640, 480), (1920, 1080), (3840, 2160)
_WARM_UP, _BLOCK = 20, 10
# How tall the portrait is made of its height, and what the mesh network says of its face then.
_STRETCHED = {"certain": 1.0, "likely": 1.7, "doubtful": 1.8}
_LOOKS = 10
_ROUNDS = 3
_TURNS, _ALONE = 1.04, 1.12
Subject = Callable[[np.ndarray], Any]


def main(argv: Sequence[str] | None = None) -> int:
    return run(NAME, _measure, argv)


def _measure(argv: Sequence[str] | None) -> int:
    parser = CommandParser(NAME, __doc__ or "", f"python benchmarks/{NAME}.py film.mp4")
    parser.add_argument("video", type=Path, help="a film of one face")
    parser.add_argument("--frames", type=int, default=150, help="of it (%(default)s)")
    parser.add_argument("--against", type=Path, metavar="CHECKOUT", help="of an earlier release")
    parser.add_argument(
        "--own-only", action="store_true", help="own work and films alone, as JSON, as of an earlier release"
    )
    add_result_options(parser)
    arguments = parser.parse_args(argv)
    cv2.setNumThreads(1)
    frames = _frames(str(arguments.video), arguments.frames)
    document = measured_here()
    if not arguments.own_only:
        document |= _beside_networks(frames)
        document["pictures_ms"] = _pictures()
        document["quality_ms"] = _quality(frames)
    if arguments.against is not None:
        document |= _in_turns(arguments.against.resolve(), arguments)
    else:
        document["own_cpu_ms"] = _own_work(frames)
        document["films_ms"] = _films(max(40, arguments.frames // 2))
    if arguments.own_only:
        print_json(document)
        return DONE
    give_result(arguments, NAME, document, table)
    held = document["turns"]["ratio"] <= _TURNS and document["alone"]["ratio"] <= _ALONE
    return DONE if held else GATE


def _frames(video: str, count: int) -> list[np.ndarray]:
    with open_source(video) as source:
        return [frame_of(frame.image, 1, *SIZE) for frame in islice(source, count)]


def _beside_networks(frames: list[np.ndarray]) -> dict[str, Any]:
    import mediapipe as mp

    mesh = mp.solutions.face_mesh.FaceMesh(max_num_faces=1, refine_landmarks=True)
    options: dict[str, Any] = {"artifact": ARTIFACT, "threads": 1}
    network = AUDetector.load(**options)
    video, loop, picture = (Pipeline.load(max_faces=1, **options) for _ in range(3))
    light = Pipeline.load("light", max_faces=1, **options)
    crop = np.ascontiguousarray(cv2.resize(frames[0][100:400, 200:500], (224, 224)))
    subjects: dict[str, Subject] = {
        "FaceMesh": lambda frame: mesh.process(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)),
        "network": lambda _: network.logits([crop]),
        "video": video.track,
        "`light`, video": light.track,  # between pipelines of the same bundle, whose weights would be in the caches
        "loop": loop.process,
        "single picture": lambda frame: (picture.reset(), picture.process(frame)),
    }
    turns: dict[str, list[float]] = {name: [] for name in subjects}
    for frame in frames:
        for name, subject in subjects.items():
            turns[name].append(_seconds(subject, frame))
    alone = {name: [_seconds(subject, frame) for frame in frames] for name, subject in subjects.items()}
    for opened in (video, loop, picture, light, network, mesh):
        opened.close()
    return {"turns": _compared(turns), "alone": _compared(alone)}


def _seconds(subject: Subject, frame: np.ndarray) -> float:
    """Processor seconds of all threads: what other programs take of a core counts little."""
    began = time.process_time()
    subject(frame)
    return time.process_time() - began


def _compared(times: dict[str, list[float]]) -> dict[str, Any]:
    blocks = {name: _blocks(values) for name, values in times.items()}
    networks = blocks["FaceMesh"] + blocks["network"]
    found: dict[str, Any] = {
        "ms": {name: round(1000 * float(np.median(v[_WARM_UP:])), 3) for name, v in times.items()}
    }
    found |= ratio(blocks["video"], networks)
    found["loop"] = ratio(blocks["loop"], networks)
    found["one_picture"] = ratio(blocks["single picture"], networks)
    found["light_speedup"] = ratio(blocks["video"], blocks["`light`, video"])
    return found


def _blocks(values: list[float]) -> np.ndarray:
    """Medians of some frames in a row each, which a ratio's interval is drawn from."""
    kept = np.array(values[_WARM_UP:])
    return np.array(np.median(kept[: len(kept) // _BLOCK * _BLOCK].reshape(-1, _BLOCK), axis=1))


def _own_work(frames: list[np.ndarray]) -> dict[str, float]:
    """Processor time of this thread in a frame of a film, and in the engines, milliseconds: the 10th percentile.

    A core that other programs share gives a thread less for its time; the fast tenth is what the work needs.
    """
    with Pipeline.load(max_faces=1, artifact=ARTIFACT, threads=1) as pipeline:
        for frame in frames[:_WARM_UP]:
            pipeline.track(frame)
        inside: list[int] = [0]

        def timed(invoke: Callable[..., Any]) -> Callable[..., Any]:
            def runs(*given: Any) -> Any:
                began = time.thread_time_ns()
                answer = invoke(*given)
                inside[0] += time.thread_time_ns() - began
                return answer

            return runs

        engines = landmark_networks(pipeline.stages._landmarkers[False])
        for part in (*engines, pipeline.stages.detector._session):
            part._interpreter = TimedInterpreter(part._interpreter, timed)
        model = getattr(pipeline.stages.predictor, "_landmarks", None)
        if model is not None:  # a model too, in numpy
            model.estimate = timed(model.estimate)  # type: ignore[method-assign]
        own, engine = [], []
        for frame in frames:
            inside[0], began = 0, time.thread_time_ns()
            pipeline.track(frame)
            own.append(time.thread_time_ns() - began - inside[0])
            engine.append(inside[0])
    return {
        name: round(float(np.percentile(values, 10)) / 1e6, 3)
        for name, values in (("own", own), ("engines", engine))
    }


def _pictures() -> dict[str, float]:
    """Processor milliseconds of a picture by itself, one face asked for, by how sure the mesh network is of it: medians."""
    from skimage import data

    portrait = np.ascontiguousarray(data.astronaut()[:, :, ::-1])
    found = {}
    with Pipeline.load(max_faces=1, artifact=ARTIFACT, threads=1) as pipeline:
        for kind, stretch in _STRETCHED.items():
            picture = np.asarray(cv2.resize(portrait, None, fx=1, fy=stretch), np.uint8)
            times = [_seconds(pipeline.process, picture) for _ in range(_LOOKS)]
            found[kind] = round(1000 * float(np.median(times)), 1)
    return found


def _quality(frames: list[np.ndarray]) -> dict[str, float]:
    """Processor milliseconds, right after a network, of a face's quality, and of telling whether its pixels changed: medians."""
    quality, change = [], []
    with Pipeline.load(max_faces=1, artifact=ARTIFACT, threads=1, skip="on") as pipeline:
        stages = pipeline.stages
        for frame in frames:
            result = pipeline.track(frame)
            for face in result.faces:
                crop = stages._alignment.crop(frame, face.landmarks)
                stages.detector.logits([crop])
                began = time.thread_time_ns()
                stages._assessor.assess(frame, face.landmarks, face.box, crop, face.pose)
                quality.append(time.thread_time_ns() - began)
                stages.detector.logits([crop])
                began = time.thread_time_ns()
                stages._unchanged.last_look(
                    face.track_id or 0, frame, face.landmarks, face.box, result.time_s
                )
                change.append(time.thread_time_ns() - began)
    return {
        name: round(float(np.median(values)) / 1e6, 3)
        for name, values in (("quality", quality), ("change", change))
    }


def _films(count: int) -> dict[str, float]:
    """Processor milliseconds of a frame by faces and by pixels, in turns, medians."""
    with open_source("clip") as source:
        clip = [frame.image for frame in islice(source, count)]
    kinds = {f"{faces} faces": (faces, SIZE) for faces in (1, 2, 4)} | {
        f"{width}x{height}": (1, (width, height)) for width, height in (LARGE, LARGEST)
    }
    pipelines = {
        kind: Pipeline.load(max_faces=faces, artifact=ARTIFACT, threads=1)
        for kind, (faces, _) in kinds.items()
    }
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    for frame in clip:
        for kind, (faces, size) in kinds.items():
            times[kind].append(_seconds(pipelines[kind].track, frame_of(frame, faces, *size)))
    for pipeline in pipelines.values():
        pipeline.close()
    return {kind: round(1000 * float(np.median(values[_WARM_UP:])), 3) for kind, values in times.items()}


def _in_turns(place: Path, arguments: Any) -> dict[str, Any]:
    """Own work and films of this checkout and of another one, in programs that take turns: medians.

    A processor that other machines share changes its speed by a fifth within minutes.
    """
    places = {"now": Path(__file__).resolve().parents[1], "before": place}
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in places}
    for _ in range(_ROUNDS):
        for name, checkout in places.items():
            runs[name].append(_own_only(checkout, arguments))
    found = {
        name: {
            key: {
                row: round(float(np.median([document[key][row] for document in documents])), 3)
                for row in documents[0][key]
            }
            for key in ("own_cpu_ms", "films_ms")
        }
        for name, documents in runs.items()
    }
    return {**found["now"], "before": found["before"]}


def _own_only(place: Path, arguments: Any) -> dict[str, Any]:
    """The same of a checkout, by this program with its packages."""
    command = [sys.executable, __file__, str(arguments.video.resolve()), "--frames", str(arguments.frames)]
    paths = os.pathsep.join(str(place / package) for package in ("", "export", "apps"))
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(
        [*command, "--own-only"], capture_output=True, text=True, env=environment, check=True
    )
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def table(document: dict[str, Any]) -> str:
    """Markdown."""
    lines = [
        f"{about(document, NAME)}.",
        "",
        "| CPU ms per frame, one thread, 640x480 | interleaved | alone |",
        "|---|---|---|",
    ]
    turns, alone = document["turns"], document["alone"]
    lines += [f"| {name} | {ms} | {alone['ms'][name]} |" for name, ms in turns["ms"].items()]
    rows = (
        (f"video / (FaceMesh + network), at most {_TURNS} interleaved and {_ALONE} alone", turns, alone),
        ("loop / (FaceMesh + network)", turns["loop"], alone["loop"]),
        ("single picture / (FaceMesh + network)", turns["one_picture"], alone["one_picture"]),
        (
            "speed of `light` / speed of the default, at least 1.6",
            turns["light_speedup"],
            alone["light_speedup"],
        ),
    )
    lines += [f"| {name} | {_interval(one)} | {_interval(two)} |" for name, one, two in rows]
    lines += ["", "| single picture with `max_faces=1`, whose face is | CPU ms |", "|---|---|"]
    lines += [f"| {kind} | {ms} |" for kind, ms in document["pictures_ms"].items()]
    before = document.get("before")
    lines += ["", f"| | now |{' before |' if before else ''}", f"|---|---|{'---|' if before else ''}"]
    lines.append(
        _row(
            "edgeau's own work, CPU ms", document["own_cpu_ms"]["own"], before and before["own_cpu_ms"]["own"]
        )
    )
    lines.append(
        _row(
            "inference engines, CPU ms",
            document["own_cpu_ms"]["engines"],
            before and before["own_cpu_ms"]["engines"],
        )
    )
    quality = document.get("quality_ms", {})
    titles = {"quality": "quality of a face", "change": "telling whether its pixels changed"}
    lines += [_row(f"{titles[kind]}, CPU ms", ms, before and "-") for kind, ms in quality.items()]
    films = document["films_ms"]
    for kind, ms in films.items():
        earlier = before and before["films_ms"]
        times = f"{ms} ({ms / films['1 faces']:.2f} x one face)"
        lines.append(
            _row(
                f"{kind}, CPU ms",
                times,
                earlier and f"{earlier[kind]} ({earlier[kind] / earlier['1 faces']:.2f} x)",
            )
        )
    return "\n".join(lines)


def _row(name: str, now: Any, before: Any) -> str:
    return f"| {name} | {now} |" + (f" {before} |" if before else "")


def _interval(found: dict[str, float]) -> str:
    return f"{found['ratio']} [{found['low']} {found['high']}]"


if __name__ == "__main__":
    sys.exit(main())
