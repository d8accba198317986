"""Compares edgeau with other tools in one run, and writes docs/benchmarks.md from the results.

    python benchmarks/run.py --work DIR --peers-python peers/bin/python [--front int8_front.json] [--quick]
    python benchmarks/run.py --page-only

Each part writes a JSON document with its provenance into --work, and is not measured again while that document exists, so an
interrupted run can be continued. When all parts are there, they are copied to benchmarks/results/, and the page and its plots
are written from these files (--page-only does only that). --quick measures a few calls of everything, to check that all of it
runs, and does not write the page. --peers-python is an environment of benchmarks/peers-requirements.txt. Exit code 3: a limit
is exceeded; the page says by how much.
"""

from __future__ import annotations

import json
import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgeau._system.atomic_file import write_whole
from edgeau._system.command import DONE, CommandParser, print_json, run
from edgeau.errors import InputError

sys.path.insert(0, str(Path(__file__).parent))
from suite.files import Files
from suite.machine import provenance
from suite.page import FRONT, RESULTS, write_page
from suite.parts import PARTS, Bench
from this_machine import load

NAME = "benchmarks/run.py"
GATE = 3


def main(argv: Sequence[str] | None = None) -> int:
    return run(NAME, _body, argv)


def _body(argv: Sequence[str] | None) -> int:
    options = _parser().parse_args(argv)
    if not options.page_only:
        _measure(options)
        if options.quick or options.only:
            return DONE
    documents = write_page()
    if options.json:
        print_json(documents)
    missed = [bar for bar in documents["one-thread"]["bars"] if bar["ratio"] > bar["limit"]]
    for bar in missed:
        print(f"{NAME}: {bar['name']}: {bar['ratio']}, bar {bar['limit']}", file=sys.stderr)
    return GATE if missed else DONE


def _measure(options: Namespace) -> None:
    if options.work is None or options.peers_python is None:
        raise InputError(
            "measuring needs --work and --peers-python; --page-only makes the page of what is there"
        )
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    # Not resolved: an environment's Python is a link.
    peers = options.peers_python.absolute()
    rounds, calls, frames = (2, 2, 20) if options.quick else (60, 5, 200)
    bench = Bench(Files.of_default(work, peers), peers, work / "cache", rounds, calls, frames)
    # Paths are left out: they change no figure.
    command = f"python {NAME}{' --quick' if options.quick else ''}"
    kept = work / ("quick" if options.quick else "parts")
    kept.mkdir(exist_ok=True)
    names = options.only.split(",") if options.only else list(PARTS)
    if unknown := set(names) - set(PARTS):
        raise InputError(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    for name in names:
        file = kept / f"{name}.json"
        if file.is_file() and not options.again:
            print(f"{NAME}: {name} is there already ({file})", file=sys.stderr)
            continue
        before, started = load(), time.monotonic()
        measured = PARTS[name](bench)
        document = {**measured, "provenance": provenance(command, before, started, peers)}
        write_whole(file, (json.dumps(document, indent=1) + "\n").encode())
    if not options.quick and not options.only:
        _deliver(kept, names, options.front)


def _deliver(kept: Path, names: Sequence[str], front: Path | None) -> None:
    RESULTS.mkdir(exist_ok=True)
    for name in names:
        write_whole(RESULTS / f"{name}.json", (kept / f"{name}.json").read_bytes())
    if front is not None:
        document: dict[str, Any] = json.loads(front.read_text(encoding="utf-8"))
        write_whole(RESULTS / FRONT, (json.dumps(document, indent=1) + "\n").encode())


def _parser() -> CommandParser:
    parser = CommandParser(
        f"python {NAME}",
        "Compare edgeau with other tools in one run, and write docs/benchmarks.md.",
        f"python {NAME} --work bench --peers-python peers/bin/python",
    )
    parser.add_argument("--work", type=Path, metavar="DIR", help="folder for files and finished parts")
    parser.add_argument(
        "--peers-python", type=Path, metavar="PYTHON", help="Python of an environment with the other tools"
    )
    parser.add_argument(
        "--front", type=Path, metavar="FILE", help="document that benchmarks/int8_front.py wrote"
    )
    parser.add_argument(
        "--quick", action="store_true", help="measure a few calls of everything; does not write the page"
    )
    parser.add_argument(
        "--only", metavar="LIST", help=f"parts to measure, of {', '.join(PARTS)}; does not write the page"
    )
    parser.add_argument("--again", action="store_true", help="measure parts again that are finished")
    parser.add_argument("--page-only", action="store_true", help="write the page from benchmarks/results/")
    parser.add_json()
    return parser


if __name__ == "__main__":
    sys.exit(main())
