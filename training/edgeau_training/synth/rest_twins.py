"""``python -m edgeau_training.synth.rest_twins``: each face of a split once more at rest, in the same scene.

A person who looks into a camera for a second keeps skin, hair, glasses and light from that second to the next. So each picture
gets a twin of the same random streams whose person shows no AU, and the two share a number in the column ``identity``. The head may
be turned a little in the twin, as people's heads turn; then a third picture can show rest in the first one's pose, to see how much
is reported there once the turned one is known.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgeau._system.atomic_file import write_whole
from edgeau._system.command import DONE, CommandParser, positive, run
from edgeau._system.progress import progress_bar
from edgeau.errors import UsageError
from edgeau.faces.landmarks import Landmarker, open_landmarker
from edgeau_training.synth.renderer import Renderer
from edgeau_training.synth.rig import load_rig
from edgeau_training.synth.rows import row_of
from edgeau_training.synth.shards import (
    SHARD_ROWS,
    dataset_info,
    finished_shards,
    read_rows,
    shard_path,
    write_shard,
)
from edgeau_training.synth.splits import Sample, identity_seed, texture_seed

__all__ = ["main"]

NAME = "python -m edgeau_training.synth.rest_twins"
_TURN_STREAM = 5  # beside those of splits.py
_MOST_TURNED = 30


def main(argv: Sequence[str] | None = None) -> int:
    """The command; see ``--help``."""
    return run(NAME, _body, argv)


def _body(argv: Sequence[str] | None) -> int:
    parser = CommandParser(
        NAME,
        "Render each face of a split again at rest, in the same scene, as pairs with an identity of their own.",
        f"{NAME} ICT-FaceKit --data faces/ --split val --count 800 --out twins/",
    )
    parser.add_argument("rig", type=Path, help="folder of ICT-FaceKit")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="rendered with this rig")
    parser.add_argument("--split", default="val", help="default %(default)s")
    parser.add_argument(
        "--count", type=positive, default=800, metavar="N", help="pairs (default %(default)s)"
    )
    parser.add_argument("--each-once", action="store_true", help="only the first such face of each person")
    parser.add_argument(
        "--turn",
        type=_degrees,
        default=0.0,
        metavar="DEGREES",
        help="standard deviation of what pitch, yaw and roll of the face at rest differ by (default: 0)",
    )
    parser.add_argument(
        "--again", action="store_true", help="with --turn: also the face at rest in the pose of the picture"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="of the rig, as edgeau-synth has it")
    options = parser.parse_args(argv)
    if options.again and not options.turn:
        raise UsageError("--again gives the same picture at rest twice unless --turn DEGREES is above 0")
    info = dataset_info(options.data)
    rig = load_rig(options.rig, options.cache)
    if rig.digest != info["rig_digest"]:
        raise UsageError(f"{options.data} was rendered with another rig than {options.rig}")
    renderer = Renderer(rig, info["image_size"])
    rows: list[dict[str, Any]] = []
    with open_landmarker(static=True) as landmarker, progress_bar(total=options.count) as progress:
        for number, shown in enumerate(_shown(options.data, options.split, options.count, options.each_once)):
            first, *later = _at_rest(renderer, landmarker, shown, info["seed"], options)
            rows += [{**row, "identity": number} for row in (first, shown, *later)]
            progress.update()
    for start in range(0, len(rows), SHARD_ROWS):
        path = shard_path(options.out, options.split, start // SHARD_ROWS)
        write_shard(path, rows[start : start + SHARD_ROWS])
    info["counts"] = {options.split: len(rows)}
    write_whole(options.out / "dataset.json", (json.dumps(info, indent=1) + "\n").encode())
    print(f"{options.out}: {number + 1} people, {len(rows)} pictures")
    return DONE


def _at_rest(
    renderer: Renderer, landmarker: Landmarker, shown: dict[str, Any], seed: int, options: argparse.Namespace
) -> list[dict[str, Any]]:
    """The person of a row at rest: with the head turned, where that is asked for, and in the row's own pose."""
    sample = Sample(shown["index"], shown["identity"], shown["texture"], shown["seed"], at_rest=True)
    streams = identity_seed(seed, sample.identity), texture_seed(seed, sample.texture), (seed, sample.seed)
    turn = np.random.default_rng((seed, _TURN_STREAM, sample.seed)).normal(0, options.turn, 3)
    turns = [turn.astype(np.float32), np.zeros(3, np.float32)][: 2 if options.again else 1]
    return [row_of(renderer.picture_at_rest(*streams, turn), landmarker, sample) for turn in turns]


def _degrees(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= _MOST_TURNED:
        raise argparse.ArgumentTypeError(
            f"must be a number of degrees from 0 to {_MOST_TURNED}, got {text!r}"
        )
    return number


def _shown(data: Path, split: str, count: int, each_once: bool) -> list[dict[str, Any]]:
    """The first faces of a split that were found and show something."""
    found: list[dict[str, Any]] = []
    seen: set[int] = set()
    for path in finished_shards(data, split):
        for row in (row for rows in read_rows(path) for row in rows.to_pylist()):
            if row["detected"] and max(row["aus"]) > 0 and not (each_once and row["identity"] in seen):
                seen.add(row["identity"])
                found.append(row)
                if len(found) == count:
                    return found
    return found


if __name__ == "__main__":
    sys.exit(main())
