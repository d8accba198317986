"""Landmarks of faces turned in the plane: read right, refused with a reason, or given as they are though they are garbage.

    python benchmarks/turned_faces.py [--video FILE] [--step 15] [--page] [--json]

Faces of the packaged clip (rendered), a portrait and, with --video, five frames of a film of a real face; plain, blurred, noisy, dark and enlarged
from 12 % of their pixels; turned by 0 to 180 degrees. Three ways: FaceMesh of an installed mediapipe; pictures by themselves; and a film in
its twelfth frame, as live. Right are landmarks within a tenth of the distance between the eyes. --page writes the table of
docs/finding-faces-measured.md again.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from landmark_check import degraded, every_head
from page_part import write_part
from pasted_faces import CutHead, is_right, turned
from this_machine import machine_name, today
from tqdm import tqdm

from edgeau._system.command import DONE, CommandParser, print_json, run
from edgeau.faces.landmarks import open_landmarker

NAME = "turned_faces"
PAGE = Path(__file__).resolve().parent.parent / "docs" / "finding-faces-measured.md"
_FILM_FRAMES = 12
WAYS = ("FaceMesh", "edgeau, pictures", "edgeau, videos and live")
ANSWERS = ("right", "refused", "wrong", "not found")

Finder = Callable[[np.ndarray], list[tuple[np.ndarray, bool]]]


def main(argv: Sequence[str] | None = None) -> int:
    return run(NAME, _measure, argv)


def _measure(argv: Sequence[str] | None) -> int:
    parser = CommandParser(NAME, __doc__ or "", "python benchmarks/turned_faces.py --page")
    parser.add_argument("--video", type=Path, help="a film of a face, of which five frames are taken")
    parser.add_argument(
        "--step", type=int, default=15, help="degrees from one turn to the next (%(default)s)"
    )
    parser.add_argument(
        "--page", action="store_true", help="write the table of docs/finding-faces-measured.md again"
    )
    parser.add_json()
    arguments = parser.parse_args(argv)
    heads, angles = every_head(arguments.video), range(0, 181, arguments.step)
    finders = dict(zip(WAYS, (_face_mesh(), _pictures(), _film()), strict=True))
    counts: dict[tuple[str, int], Counter[str]] = {
        (way, angle): Counter() for way in WAYS for angle in angles
    }
    for head in tqdm(heads, disable=None):
        for picture in degraded(head.picture):
            for angle in angles:
                one = turned(CutHead(picture, head.points), angle)
                for way, finder in finders.items():
                    counts[way, angle][_answer(finder(one.picture), one.points)] += 1
    if arguments.json:
        print_json([{"way": way, "angle": angle, **count} for (way, angle), count in counts.items()])
    else:
        print(_table(counts))
    if arguments.page:
        _write_page(counts, len(heads))
    return DONE


def _answer(found: list[tuple[np.ndarray, bool]], face: np.ndarray) -> str:
    """The worst of what is given: garbage hides nothing."""
    if not found:
        return "not found"
    given = [points for points, is_reliable in found if is_reliable]
    if any(not is_right(points, face, 0.1) for points in given):
        return "wrong"
    return "right" if given else "refused"


def _face_mesh() -> Finder:
    landmarker = open_landmarker(kind="solutions", static=True, max_faces=4)
    return lambda picture: [(points, True) for points in landmarker.detect(picture)]


def _pictures() -> Finder:
    landmarker = open_landmarker(kind="litert", static=True, max_faces=4)
    return lambda picture: [(face.points, face.is_reliable) for face in landmarker.find(picture, far=True)]


def _film() -> Finder:
    landmarker = open_landmarker(kind="litert", static=False, max_faces=4)

    def find(picture: np.ndarray) -> list[tuple[np.ndarray, bool]]:
        landmarker.reset()
        for _ in range(_FILM_FRAMES):
            faces = landmarker.find(picture)
        return [(face.points, face.is_reliable) for face in faces]

    return find


def _table(counts: dict[tuple[str, int], Counter[str]]) -> str:
    lines = ["| turn, degrees | " + " | ".join(f"{way}: {'/'.join(ANSWERS)}" for way in WAYS) + " |"]
    lines.append("|" + "---|" * (1 + len(WAYS)))
    angles = sorted({angle for _, angle in counts})
    for angle in angles:
        cells = []
        for way in WAYS:
            count = counts[way, angle]
            cells.append(" / ".join(f"{100 * count[answer] / count.total():.0f}" for answer in ANSWERS))
        lines.append(f"| {angle} | " + " | ".join(cells) + " |")
    totals: dict[str, Any] = {way: sum((counts[way, angle] for angle in angles), Counter()) for way in WAYS}
    cells = [
        " / ".join(f"{100 * totals[way][answer] / totals[way].total():.1f}" for answer in ANSWERS)
        for way in WAYS
    ]
    lines.append("| all | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _write_page(counts: dict[tuple[str, int], Counter[str]], heads: int) -> None:
    pictures = counts[WAYS[0], 0].total()
    about = (
        f"Measured {today()} on {machine_name()}; shares in percent, of {pictures} pictures ({heads} "
        "faces in five states) per row."
    )
    write_part(PAGE, NAME, f"{about}\n\n{_table(counts)}")


if __name__ == "__main__":
    sys.exit(main())
