"""Landmarks that LiteRT places beside MediaPipe's own on every frame of a video with one face.

    python benchmarks/landmark_parity.py VIDEO [--write docs/raspberry-pi-proof.md] [--json]

A tracker looks where the last frame's points were, so its answers feed back: what is compared is every frame by itself, one step
from MediaPipe's own last points, and free running. How far apart two right answers may run is told by MediaPipe itself, given the
video twice: the second time one pixel of the first frame is one level brighter or darker, in three places in turn.

Distances are in the picture's plane, shares of the distance of the outer eye corners. Beside them the processor time that tracking
took, all threads together, the median frame. Exit code 3 when a point of a frame by itself or after one step is further off than
--max-share.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from page_part import write_part
from this_machine import machine_name, today

from edgeau import open_source
from edgeau._system.command import DONE, CommandParser, print_json, run
from edgeau._system.timing import RunTimes
from edgeau.errors import InputError
from edgeau.faces.landmarks import open_landmarker
from edgeau.faces.landmarks.landmarker import Landmarker
from edgeau.faces.landmarks.litert.mesh import RefinedMesh
from edgeau.faces.landmarks.litert.region import Region
from edgeau.faces.landmarks.mediapipe_models import read_models

GATE = 3
_EYE_CORNERS = (33, 263)
# Where a pixel is touched, in shares of the frame's width and height: somewhere on a face in the middle.
_PLACES = ((0.5, 0.5), (0.45, 0.55), (0.7, 0.6))
STATIC, STEP, FREE = (
    "each frame by itself",
    "one step from MediaPipe's last points",
    "free-running tracking",
)
ITSELF = "MediaPipe against itself, one pixel changed"


class OneStep:
    """LiteRT's points after one step from points that were given."""

    def __init__(self) -> None:
        self._mesh = RefinedMesh(read_models().mesh, 1)

    def place(self, frame: np.ndarray, last: np.ndarray) -> np.ndarray | None:
        """The points in a BGR frame, looked for where ``last`` were; None when they are lost."""
        placed = self._mesh.place(frame, Region.of_landmarks(last))
        return None if placed is None else placed.points


def frames_of(video: str) -> Iterator[np.ndarray]:
    with open_source(video) as source:
        for frame in source:
            yield frame.image


def touched(frame: np.ndarray, place: tuple[float, float]) -> np.ndarray:
    """The frame with one pixel changed by one level."""
    height, width = frame.shape[:2]
    changed = frame.copy()
    changed[int(place[1] * height), int(place[0] * width)] ^= 1
    return changed


def shares(our: np.ndarray | None, their: np.ndarray) -> np.ndarray:
    """Measure how far each point is off, in distances of the outer eye corners; a lost face is infinitely far."""
    if our is None:
        return np.full(len(their), np.inf)
    right, left = (their[corner, :2] for corner in _EYE_CORNERS)
    return np.linalg.norm(our[:, :2] - their[:, :2], axis=1) / np.linalg.norm(left - right)


class Timed:
    """A landmarker whose processor time is noted."""

    def __init__(self, landmarker: Landmarker) -> None:
        self._landmarker = landmarker
        self.times = RunTimes()

    def one_face(self, frame: np.ndarray) -> np.ndarray | None:
        """The first face's points; None without a face."""
        faces = self.times.run(partial(self._landmarker.detect, frame))
        return faces[0] if faces else None


def measure(video: str) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Shares ``(frames, 478)`` of each comparison, and milliseconds of processor time a frame of both trackers."""
    step = OneStep()
    mediapipe, still, ours, ours_still = (
        Timed(open_landmarker(kind=kind, static=static))
        for kind in ("solutions", "litert")
        for static in (False, True)
    )
    others = [Timed(open_landmarker(kind="solutions")) for _ in _PLACES]
    found: dict[str, list[np.ndarray]] = {name: [] for name in (STATIC, STEP, FREE)}
    itself: list[list[np.ndarray]] = [[] for _ in others]
    last = None
    for number, frame in enumerate(frames_of(video)):
        their = mediapipe.one_face(frame)
        alone = still.one_face(frame)
        if their is None or alone is None:
            raise InputError(
                f"MediaPipe finds no face in frame {number} of {video}; take a video that shows one throughout"
            )
        found[STATIC].append(shares(ours_still.one_face(frame), alone))
        found[FREE].append(shares(ours.one_face(frame), their))
        if last is not None:
            found[STEP].append(shares(step.place(frame, last), their))
        for other, place, rows in zip(others, _PLACES, itself, strict=True):
            rows.append(shares(other.one_face(touched(frame, place) if number == 0 else frame), their))
        last = their
    runs = {f"{ITSELF} ({number})": rows for number, rows in enumerate(itself, 1)}
    times = {
        name: round(float(np.median(one.times.cpu_ms)), 2)
        for name, one in (("MediaPipe", mediapipe), ("LiteRT", ours))
    }
    return {name: np.array(rows) for name, rows in {**found, **runs}.items()}, times


def summary(rows: np.ndarray) -> dict[str, Any]:
    """Figures of a comparison, %."""
    percent = rows * 100
    return {
        "frames": len(percent),
        "worst_point": round(float(percent.max()), 3),
        "frames_beyond_1": int((percent.max(axis=1) > 1).sum()),
        "worst_frame_mean": round(float(percent.mean(axis=1).max()), 3),
        "mean": round(float(percent.mean()), 4),
    }


def table(found: dict[str, dict[str, Any]]) -> str:
    lines = [
        "| | frames | worst point, % | frames with a point beyond 1 % | worst frame's mean, % | mean, % |"
    ]
    lines.append("|---|---|---|---|---|---|")
    for name, row in found.items():
        lines.append(f"| {name} | {' | '.join(str(value) for value in row.values())} |")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    parser = CommandParser(
        "landmark_parity",
        "Landmarks of LiteRT beside MediaPipe's own.",
        "python benchmarks/landmark_parity.py face.mp4",
    )
    parser.add_argument("video", metavar="VIDEO", help="with one face in every frame")
    parser.add_argument("--max-share", type=float, default=0.01, help="of the eye distance (%(default)s)")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table into a page")
    parser.add_json()
    arguments = parser.parse_args(argv)
    rows, times = measure(arguments.video)
    found = {name: summary(values) for name, values in rows.items()}
    title = f"{machine_name()}, {today()}; {Path(arguments.video).name}."
    cpu_times = ", ".join(f"{name} {cpu_ms} ms" for name, cpu_ms in times.items())
    text = f"{title}\n\n{table(found)}\n\nCPU time per tracked frame: {cpu_times}."
    if arguments.write:
        write_part(arguments.write, "landmark_parity", text)
    if arguments.json:
        print_json({"title": title, "comparisons": found, "cpu_ms": times})
    else:
        print(text)
    furthest = max(rows[STATIC].max(), rows[STEP].max())
    return DONE if furthest <= arguments.max_share else GATE


if __name__ == "__main__":
    sys.exit(run("landmark_parity", main))
