"""Recall of faces by their size, number and turn in the plane, beside plain FaceMesh of MediaPipe.

    python benchmarks/face_recall.py [--pictures 6] [--faces DIR] [--json] [--page]

Faces of the packaged clip and a portrait are pasted into pictures of 1920 x 1080. A face counts as found when the landmarks lie on it
(within 15 % of the distance between its eyes on average); what is found elsewhere and not refused is false. --page writes the
table of docs/finding-faces-measured.md and its plot again. --faces takes the faces of a folder's pictures instead, up to 10 % (larger ones would have to be
enlarged), and writes its second table. Exit code 3 when fewer than 95 % are found at 4 % of the long side.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from page_part import write_part
from pasted_faces import WIDTH, CutHead, heads, heads_of_folder, is_right, pasted, turned
from this_machine import machine_name, today
from tqdm import tqdm

from edgeau._system.command import DONE, CommandParser, print_json, run
from edgeau.faces.landmarks import open_landmarker

NAME = "face_recall"
GATE = 3
SIZES = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0)
NUMBERS = (1, 5, 15, 30, 60)
_LARGEST_REAL = 10.0
_LIVE_SIZES, _LIVE_FRAMES = ((640, 360), (1280, 720), (1920, 1080)), 100
ANGLES = tuple(range(0, 181, 15))
DOCS = Path(__file__).resolve().parent.parent / "docs"

Finder = Callable[[np.ndarray], list[np.ndarray]]


@dataclass
class Recall:
    """Faces found at one size, number or turn; false ones; CPU milliseconds a picture."""

    what: str
    value: float
    finder: str
    faces: int = 0
    found: int = 0
    false: int = 0
    cpu_ms: float = 0.0

    @property
    def share(self) -> float:
        return self.found / self.faces if self.faces else 0.0


@dataclass
class Live:
    """Cost of following faces, CPU milliseconds a frame: on average, and of the longest but the first."""

    what: str
    size: str
    far: bool
    faces: float
    mean_ms: float
    most_ms: float


def main(argv: Sequence[str] | None = None) -> int:
    return run(NAME, _measure, argv)


def _measure(argv: Sequence[str] | None) -> int:
    parser = CommandParser(NAME, __doc__ or "", "python benchmarks/face_recall.py --page")
    parser.add_argument("--pictures", type=int, default=6, help="of each kind (%(default)s)")
    parser.add_argument(
        "--faces", type=Path, metavar="DIR", help="pictures of other faces than the shipped ones"
    )
    parser.add_argument(
        "--page", action="store_true", help="write docs/finding-faces-measured.md and its plot again"
    )
    parser.add_json()
    arguments = parser.parse_args(argv)
    every = heads() if arguments.faces is None else heads_of_folder(arguments.faces)
    largest = SIZES[-1] if arguments.faces is None else _LARGEST_REAL
    rows, live = _rows(every, arguments.pictures, largest), [] if arguments.faces else _live(every)
    if arguments.json:
        print_json(
            {
                "found": [asdict(row) | {"share": round(row.share, 4)} for row in rows],
                "live": [asdict(row) for row in live],
            }
        )
    else:
        print(_tables(rows, live))
    if arguments.page:
        what = "" if arguments.faces is None else f" with {len(every)} faces of photographs"
        _write_page(
            _tables(rows, live), what, "face_recall" if arguments.faces is None else "face_recall_real"
        )
        if arguments.faces is None:
            _plot(rows, DOCS / "benchmarks" / "face-recall.svg")
    at_four = [row for row in rows if row.what == "size" and row.value == 4 and row.finder == "edgeau"]
    return DONE if all(row.share >= 0.95 for row in at_four) else GATE


def _rows(every: list[CutHead], pictures: int, largest: float) -> list[Recall]:
    cases = [("size", size, size / 100 * WIDTH, 8, 0.0) for size in SIZES if size <= largest]
    cases += [("number", float(number), 0.04 * WIDTH, number, 0.0) for number in NUMBERS]
    cases += [("turn", float(angle), min(0.15, largest / 100) * WIDTH, 1, float(angle)) for angle in ANGLES]
    finders = {"edgeau": _edgeau(), "FaceMesh": _face_mesh()}
    rows = []
    for what, value, size, count, angle in tqdm(cases, disable=None):
        of_case = [Recall(what, value, name) for name in finders]
        rows += of_case
        chosen = [turned(head, angle) for head in every]
        for seed in range(pictures * (3 if what == "turn" else 1)):
            picture, faces = pasted(chosen, size, count, seed)
            for row in of_case:
                _count(row, picture, faces, finders[row.finder])
    for row in rows:
        row.cpu_ms = round(row.cpu_ms / (pictures * (3 if row.what == "turn" else 1)), 1)
    return rows


def _count(row: Recall, picture: np.ndarray, faces: list[np.ndarray], finder: Finder) -> None:
    start_s = time.process_time()
    found = finder(picture)
    row.cpu_ms += 1000 * (time.process_time() - start_s)
    row.faces += len(faces)
    row.found += sum(any(is_right(points, face) for points in found) for face in faces)
    row.false += sum(not any(is_right(points, face, 0.3) for face in faces) for points in found)


def _edgeau() -> Finder:
    landmarker = open_landmarker(kind="litert", static=True, max_faces=100)
    return lambda picture: [face.points for face in landmarker.find(picture, far=True) if face.is_reliable]


def _live(every: list[CutHead]) -> list[Live]:
    """Costs of following faces with and without a search for small ones: half a second of a film, again and again."""
    rows = []
    for size in _LIVE_SIZES:
        for what, width, count in (("one large face", 0.25, 1), ("six of 4 %", 0.04, 6)):
            pictures = [_at(pasted(every, width * WIDTH, count, 2)[0], size, shift) for shift in range(12)]
            rows += [_followed(pictures, far, what, size) for far in (False, True)]
    return rows


def _at(picture: np.ndarray, size: tuple[int, int], shift: int) -> np.ndarray:
    return np.asarray(
        cv2.resize(np.roll(picture, 2 * shift, axis=1), size, interpolation=cv2.INTER_AREA), np.uint8
    )


def _followed(pictures: list[np.ndarray], far: bool, what: str, size: tuple[int, int]) -> Live:
    with open_landmarker(kind="litert", static=False, max_faces=100) as landmarker:
        there_and_back = [*pictures, *pictures[::-1]]
        times, found = [], 0
        for frame in range(_LIVE_FRAMES):
            start_s = time.process_time()
            found += len(landmarker.find(there_and_back[frame % len(there_and_back)], far=far))
            times.append(1000 * (time.process_time() - start_s))
    return Live(
        what,
        f"{size[0]} x {size[1]}",
        far,
        round(found / len(times), 2),
        float(np.mean(times)),
        float(np.max(times[1:])),
    )


def _face_mesh() -> Finder:
    landmarker = open_landmarker(kind="solutions", static=True, max_faces=100)
    return landmarker.detect


def _tables(rows: list[Recall], live: list[Live]) -> str:
    lines = []
    heads_ = {
        "size": "width, % of the long side (pixels)",
        "number": "faces of 4 % (77 pixels)",
        "turn": "turn, degrees",
    }
    for what, head in heads_.items():
        lines += [
            f"| {head} | edgeau: found | false, all pictures | CPU ms per picture | FaceMesh: found | false, all pictures | CPU ms per picture |"
        ]
        lines += ["|" + "---|" * 7]
        for one, other in zip(
            *[[r for r in rows if r.what == what and r.finder == f] for f in ("edgeau", "FaceMesh")],
            strict=True,
        ):
            value = f"{one.value:g}" + (f" ({one.value / 100 * WIDTH:.0f})" if what == "size" else "")
            cells = [cell for row in (one, other) for cell in _cells(row)]
            lines.append(f"| {value} | " + " | ".join(cells) + " |")
        lines.append("")
    if not live:
        return "\n".join(lines)
    lines += [
        "| live: what is in view, frame size | `--far` | faces per frame | CPU ms per frame | CPU ms of the longest frame |"
    ]
    lines += ["|" + "---|" * 5]
    for row in live:
        cells = (
            f"{row.what}, {row.size}",
            "yes" if row.far else "no",
            f"{row.faces:g}",
            f"{row.mean_ms:.1f}",
            f"{row.most_ms:.0f}",
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def _cells(row: Recall) -> list[str]:
    return [f"{100 * row.share:.0f} % of {row.faces}", f"{row.false}", f"{row.cpu_ms:.0f}"]


def _write_page(tables: str, what: str, mark: str) -> None:
    about = f"Measured {today()}{what} on {machine_name()}; `false, all pictures` counts false detections over all pictures of a row."
    write_part(DOCS / "finding-faces-measured.md", mark, f"{about}\n\n{tables}")


def _plot(rows: list[Recall], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = NAME
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(12, 3.2), layout="constrained")
    labels: dict[str, Any] = {
        "size": "face width, % of the long side",
        "number": "faces of 4 % in one picture",
        "turn": "turn in the plane, degrees",
    }
    for axis, (what, label) in zip(axes, labels.items(), strict=True):
        for finder in ("edgeau", "FaceMesh"):
            mine = [row for row in rows if row.what == what and row.finder == finder]
            axis.plot(
                [row.value for row in mine], [100 * row.share for row in mine], marker="o", label=finder
            )
        axis.set(xlabel=label, ylabel="found, %", ylim=(-3, 103))
        axis.grid(alpha=0.3)
    axes[0].set_xscale("log")
    axes[0].set_xticks(SIZES[::2], [f"{size:g}" for size in SIZES[::2]])
    axes[2].set_xticks(ANGLES[::3])
    axes[0].legend()
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    sys.exit(main())
