"""Track ids of moving, crossing faces, against the truth of rendered scenes and beside a plain nearest-box tracker.

    python benchmarks/tracks.py --data DIR [--scenes 8] [--frames 300] [--json]

Landmarks are MediaPipe's, found once for both trackers. A found face belongs to the true face that its points lie on. Counted
over the frames in which a true face is in view (at least 60 % of it inside the frame and uncovered):

    missed     nobody found it (the landmarker's doing, alike for both)
    switches   it has another number than when it was last seen
    after 1 s  those of the switches before which nobody found it for more than a second: then its number is forgotten
    stolen     those of the switches whose new number was another face's before

Exit code 3 when the switches exceed --max-switches per thousand face-frames.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from scenes import FPS, VISIBLE, FaceScene, Truth, cutouts
from tqdm import tqdm

from edgeau._system.command import DONE, CommandParser, print_json, run
from edgeau.faces.landmarks import open_landmarker
from edgeau.faces.linear_assignment import linear_assignment
from edgeau.faces.tracker import FaceTracker
from edgeau.results import Box

GATE = 3
# A found face belongs to a true one when its points lie closer than this on average, in sizes of the face.
_NEAR = 0.15

Found = list[np.ndarray]


class Tracker(Protocol):
    def update(
        self, boxes: Sequence[Box], landmarks: Sequence[np.ndarray] | None = None, time_s: float | None = None
    ) -> list[int]: ...


class NearestBoxTracks:
    """The tracker that one would write first: the nearest box within a face's width keeps the number, for 15 frames out of sight."""

    def __init__(self) -> None:
        self._tracks: dict[int, tuple[Box, int]] = {}
        self._next = 0

    def update(
        self, boxes: Sequence[Box], landmarks: Sequence[np.ndarray] | None = None, time_s: float | None = None
    ) -> list[int]:
        del landmarks, time_s
        pairs = sorted(
            (_distance(box, last), place, number)
            for place, box in enumerate(boxes)
            for number, (last, _) in self._tracks.items()
        )
        numbers: dict[int, int] = {}
        for distance, place, number in pairs:
            if distance < 1 and place not in numbers and number not in numbers.values():
                numbers[place] = number
        for place in range(len(boxes)):
            if place not in numbers:
                numbers[place], self._next = self._next, self._next + 1
        absent = {number: (box, gone + 1) for number, (box, gone) in self._tracks.items() if gone < 15}
        self._tracks = absent | {number: (boxes[place], 0) for place, number in numbers.items()}
        return [numbers[place] for place in range(len(boxes))]


def _distance(a: Box, b: Box) -> float:
    across = a.left + a.width / 2 - b.left - b.width / 2
    down = a.top + a.height / 2 - b.top - b.height / 2
    return math.hypot(across, down) / max(a.width, a.height, 1e-6)


@dataclass
class Tally:
    """Counts of one tracker."""

    in_view: int = 0
    missed: int = 0
    switches: int = 0
    after_a_second: int = 0
    stolen: int = 0
    numbers: int = 0
    _now: int = 0
    _last: dict[int, tuple[int, int]] = field(default_factory=dict)
    _owner: dict[int, int] = field(default_factory=dict)

    def new_scene(self) -> None:
        self._last, self._owner = {}, {}

    def frame(self, truths: list[Truth], owners: dict[int, int], numbers: list[int]) -> None:
        """One frame: which true face each found one belongs to, and the numbers that were given."""
        self._now += 1
        for place, face in owners.items():
            number = numbers[place]
            before, then = self._last.get(face, (number, self._now))
            if before != number:
                self.switches += 1
                self.after_a_second += self._now - then > FPS
                self.stolen += self._owner.get(number, face) != face
            self.numbers += number not in self._owner
            self._last[face] = number, self._now
            self._owner.setdefault(number, face)
        for face, truth in enumerate(truths):
            if truth.visible >= VISIBLE:
                self.in_view += 1
                self.missed += face not in owners.values()

    def to_dict(self) -> dict[str, Any]:
        counts = {
            name: getattr(self, name)
            for name in ("in_view", "missed", "switches", "after_a_second", "stolen", "numbers")
        }
        return {**counts, "switches_per_1000": round(1000 * self.switches / max(self.in_view, 1), 2)}


def owners(found: Found, truths: list[Truth]) -> dict[int, int]:
    """Place of a found face to the true face that it lies on."""
    costs = [[_error(face, truth) for truth in truths] for face in found]
    return dict(linear_assignment(costs, _NEAR))


def _error(face: np.ndarray, truth: Truth) -> float:
    apart = np.linalg.norm(face[:468, :2] - truth.landmarks, axis=1).mean()
    return float(apart / np.ptp(truth.landmarks, axis=0).max())


def box(landmarks: np.ndarray) -> Box:
    low, high = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    return Box(*map(float, low), *map(float, high - low))


def detect(scene: FaceScene, faces: int, frames: int) -> list[tuple[Found, list[Truth]]]:
    with open_landmarker(static=False, max_faces=faces) as landmarker:
        return [(landmarker.detect(image), truths) for image, truths in scene.frames(frames)]


def follow(tracker: Tracker, tally: Tally, film: list[tuple[Found, list[Truth]]]) -> None:
    tally.new_scene()
    for index, (found, truths) in enumerate(film):
        numbers = tracker.update([box(face) for face in found], found, index / FPS)
        tally.frame(truths, owners(found, truths), numbers)


def measure(data: Path, scenes: int, frames: int) -> dict[str, dict[str, Any]]:
    rows = {}
    with tqdm(total=4 * scenes, unit="scene", disable=None) as bar:
        for faces in (1, 2, 3, 4):
            ours, plain = Tally(), Tally()
            for number in range(scenes):
                seed = 100 * faces + number
                film = detect(FaceScene(cutouts(data, faces, seed), seed), faces, frames)
                follow(FaceTracker(), ours, film)
                follow(NearestBoxTracks(), plain, film)
                bar.update()
            rows[str(faces)] = {"edgeau": ours.to_dict(), "nearest_box": plain.to_dict()}
    return rows


def table(rows: dict[str, dict[str, Any]]) -> str:
    lines = [
        f"{'faces':<7}{'tracker':<13}{'in view':>9}{'missed':>8}{'switches':>10}{'per 1000':>10}{'after 1 s':>11}{'stolen':>8}{'numbers':>9}"
    ]
    lines += [
        f"{faces:<7}{name:<13}{row['in_view']:>9}{row['missed']:>8}{row['switches']:>10}{row['switches_per_1000']:>10}{row['after_a_second']:>11}"
        f"{row['stolen']:>8}{row['numbers']:>9}"
        for faces, trackers in rows.items()
        for name, row in trackers.items()
    ]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    parser = CommandParser(
        "tracks",
        "Track ids of moving, crossing faces against the truth.",
        "python benchmarks/tracks.py --data synth",
    )
    parser.add_argument("--data", type=Path, required=True, help="a synthetic data set with a test split")
    parser.add_argument("--scenes", type=int, default=8, help="for each number of faces (%(default)s)")
    parser.add_argument("--frames", type=int, default=300, help="of each scene (%(default)s)")
    parser.add_argument(
        "--max-switches", type=float, default=10.0, help="per thousand face-frames (%(default)s)"
    )
    parser.add_json()
    arguments = parser.parse_args(argv)
    rows = measure(arguments.data, arguments.scenes, arguments.frames)
    if arguments.json:
        print_json({"scenes": arguments.scenes, "frames": arguments.frames, "faces": rows})
    else:
        print(table(rows))
    in_view = sum(row["edgeau"]["in_view"] for row in rows.values())
    switches = sum(row["edgeau"]["switches"] for row in rows.values())
    return DONE if 1000 * switches <= arguments.max_switches * in_view else GATE


if __name__ == "__main__":
    sys.exit(run("tracks", main))
