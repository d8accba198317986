"""``python -m edgeau_training.synth.rest_twins``: each face of a split once more at rest, in the same scene.

A person who looks into a camera for a second keeps skin, hair, glasses, light and pose from that second to the next. So each
picture gets a twin of the same random streams whose person shows no AU, and the two share a number in the column ``identity``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgeau._system.atomic_file import write_whole
from edgeau._system.command import DONE, CommandParser, positive, run
from edgeau._system.progress import progress_bar
from edgeau.errors import UsageError
from edgeau.faces.landmarks import open_landmarker
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
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="of the rig, as edgeau-synth has it")
    options = parser.parse_args(argv)
    info = dataset_info(options.data)
    rig = load_rig(options.rig, options.cache)
    if rig.digest != info["rig_digest"]:
        raise UsageError(f"{options.data} was rendered with another rig than {options.rig}")
    renderer = Renderer(rig, info["image_size"])
    rows: list[dict[str, Any]] = []
    with open_landmarker(static=True) as landmarker, progress_bar(total=options.count) as progress:
        for number, shown in enumerate(_shown(options.data, options.split, options.count)):
            sample = Sample(shown["index"], shown["identity"], shown["texture"], shown["seed"], at_rest=True)
            streams = identity_seed(info["seed"], sample.identity), texture_seed(info["seed"], sample.texture)
            twin = renderer.picture_at_rest(*streams, (info["seed"], sample.seed))
            pair = row_of(twin, landmarker, sample), shown
            rows += [{**row, "identity": number} for row in pair]
            progress.update()
    for start in range(0, len(rows), SHARD_ROWS):
        path = shard_path(options.out, options.split, start // SHARD_ROWS)
        write_shard(path, rows[start : start + SHARD_ROWS])
    info["counts"] = {options.split: len(rows)}
    write_whole(options.out / "dataset.json", (json.dumps(info, indent=1) + "\n").encode())
    print(f"{options.out}: {len(rows) // 2} pairs")
    return DONE


def _shown(data: Path, split: str, count: int) -> list[dict[str, Any]]:
    """The first faces of a split that were found and show something."""
    found: list[dict[str, Any]] = []
    for path in finished_shards(data, split):
        for rows in read_rows(path):
            found += [row for row in rows.to_pylist() if row["detected"] and max(row["aus"]) > 0]
            if len(found) >= count:
                return found[:count]
    return found


if __name__ == "__main__":
    sys.exit(main())
