"""``edgeau-synth``: render faces with true AU labels from an ICT-FaceKit folder."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgeau._system.command import DONE, PARTLY, CommandParser, positive, print_json, run
from edgeau.errors import UsageError
from edgeau_training.synth.plan import Plan

__all__ = ["main"]

# Shares of --count: enough faces that a threshold fitted on val and an F1 measured on test are steady.
_VAL_SHARE, _TEST_SHARE = 1 / 16, 1 / 8


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    return run("edgeau-synth", _body, argv)


def _parser() -> CommandParser:
    parser = CommandParser(
        "edgeau-synth",
        "Render AU-labelled faces from an ICT-FaceKit folder. Running it again with the same options resumes a stopped run.",
        "edgeau-synth ICT-FaceKit --out faces/ --count 32000 --seed 1 --contact-sheet faces.png",
    )
    parser.add_argument("rig", type=Path, metavar="RIG", help="unpacked ICT-FaceKit (holds FaceXModel/)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of the data set")
    parser.add_argument("--count", type=_natural, metavar="N", help="faces of the train split")
    parser.add_argument(
        "--val-count", type=_natural, metavar="N", help="faces of the val split (default: count/16)"
    )
    parser.add_argument(
        "--test-count", type=_natural, metavar="N", help="faces of the test split (default: count/8)"
    )
    parser.add_argument(
        "--seed",
        metavar="N",
        type=_natural,
        default=0,
        help="random seed; the same seed gives the same bytes (default: 0)",
    )
    parser.add_argument(
        "--size",
        metavar="N",
        type=positive,
        default=256,
        help="width and height of a picture, pixels (default: 256)",
    )
    parser.add_argument(
        "--workers", type=positive, metavar="N", help="number of processes (default: one per core)"
    )
    parser.add_argument(
        "--ray", metavar="ADDRESS", help="render on a Ray cluster; local: on the cores of this machine"
    )
    parser.add_argument("--status", action="store_true", help="only report how many faces are done and left")
    parser.add_argument(
        "--contact-sheet",
        type=Path,
        metavar="FILE",
        help="also write a PNG of sample faces with their labels",
    )
    parser.add_argument(
        "--cache", type=Path, metavar="DIR", help="cache folder of the parsed rig (default: the user's cache)"
    )
    parser.add_argument(
        "--clip",
        type=Path,
        metavar="FILE.mp4",
        help="render one person's expressions as a video, with a file of labels",
    )
    parser.add_argument(
        "--plate",
        type=Path,
        metavar="DIR",
        help="render a strip of pictures for each AU: at rest, at three intensities, one side only",
    )
    parser.add_json()
    return parser


def _natural(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 on, got {text!r}")
    return int(text)


def _body(argv: Sequence[str] | None) -> int:
    options = _parser().parse_args(argv)
    _check(options)
    if options.status:
        return _status(options)
    document: dict[str, Any] = {}
    if options.clip is not None:
        from edgeau_training.synth.clip import write_clip

        document["clip"] = write_clip(options.rig, options.clip, options.seed, options.cache)
    if options.plate is not None:
        from edgeau_training.synth.plate import write_plate

        document["plate"] = write_plate(options.rig, options.plate, options.seed, options.cache)
    if options.out is not None:
        document["dataset"] = _render(options)
    if options.json:
        print_json(document)
    else:
        _print(document)
    return DONE


def _check(options: argparse.Namespace) -> None:
    if options.out is None and options.clip is None and options.plate is None:
        raise UsageError("nothing to render: give --out DIR and --count N, --clip FILE.mp4 or --plate DIR")
    if options.status and options.out is None:
        raise UsageError("--status is of a data set: give --out DIR and --count N too")
    if options.out is None and options.contact_sheet is not None:
        raise UsageError("--contact-sheet shows a data set: give --out DIR and --count N too")
    if options.out is not None and options.count is None:
        raise UsageError("give the number of faces with --count N")
    if options.size < 64:
        raise UsageError(
            f"--size {options.size}: pictures below 64 pixels are too small for a face to be found"
        )


def _status(options: argparse.Namespace) -> int:
    from edgeau_training.synth.production import unfinished_shards

    plan, total = _plan(options), sum(_counts(options).values())
    left = sum(job.rows for job in unfinished_shards(plan))
    if options.json:
        print_json({"out": str(options.out), "faces": total, "done": total - left, "left": left})
    else:
        print(f"{options.out}: {total - left} of {total} faces are done, {left} are left")
    return PARTLY if left else DONE


def _plan(options: argparse.Namespace) -> Plan:
    from edgeau_training.synth.plan import Plan

    return Plan(options.rig, options.out, options.seed, _counts(options), options.size, options.cache)


def _render(options: argparse.Namespace) -> dict[str, Any]:
    from edgeau._system.processor import usable_processors
    from edgeau._system.progress import progress_bar
    from edgeau_training.synth.contact_sheet import write_contact_sheet
    from edgeau_training.synth.production import produce

    plan = _plan(options)
    started, cores = time.perf_counter(), usable_processors()
    quiet = options.json or not sys.stderr.isatty()
    with progress_bar(total=sum(plan.counts.values()), unit="face", hidden=quiet) as bar:
        rendered = produce(plan, max(1, options.workers or cores), bar.update, options.ray)
    if options.contact_sheet is not None:
        write_contact_sheet(options.out, options.contact_sheet)
    seconds = round(time.perf_counter() - started, 1)
    return {"out": str(options.out), "counts": plan.counts, "rendered_now": rendered, "seconds": seconds}


def _counts(options: argparse.Namespace) -> dict[str, int]:
    val = round(options.count * _VAL_SHARE) if options.val_count is None else options.val_count
    test = round(options.count * _TEST_SHARE) if options.test_count is None else options.test_count
    return {"train": options.count, "val": val, "test": test}


def _print(document: dict[str, Any]) -> None:
    if "clip" in document:
        clip = document["clip"]
        print(f"{clip['film']}: {clip['frames']} frames; labels in {clip['labels']}")
    if "plate" in document:
        plate = document["plate"]
        print(f"{plate['folder']}: {plate['files']} pictures, {plate['bytes'] / 1000:.0f} kB")
    if "dataset" in document:
        done = document["dataset"]
        counts = ", ".join(f"{split} {count}" for split, count in done["counts"].items())
        print(f"{done['out']}: {counts}; {done['rendered_now']} rendered now in {done['seconds']} s")


if __name__ == "__main__":
    sys.exit(main())
