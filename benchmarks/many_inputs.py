"""Time that ``edgeau-analyze`` looks at many inputs before it analyzes the first: ``many_inputs.py [COUNT]``.

Pictures of one byte in a hundred folders, as many stems twice, and, for the second line, a whole table beside each: what
``--resume`` and ``--status`` compare. Prints seconds, those of a processor among them, and the calls of Python functions an input (they do not depend on the machine).
"""

from __future__ import annotations

import cProfile
import json
import pstats
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edgeau_apps.analyze.identity import _OPTIONS, Identity
from edgeau_apps.analyze.inputs import Input, find_inputs
from edgeau_apps.analyze.resume import Tables, placed, state_of

_FOLDERS = 100


def make(folder: Path, count: int) -> list[str]:
    """Inputs; the last folder has the stems of the one before."""
    folder.mkdir(parents=True)
    for number in range(count):
        place = folder / f"{min(number * _FOLDERS // count, _FOLDERS - 1):03d}"
        place.mkdir(exist_ok=True)
        (place / f"{number % (count - count // _FOLDERS):06d}.png").write_bytes(b"x")
    return [str(place) for place in sorted(folder.iterdir())]


def start(names: list[str], out: Path, identity: Identity) -> tuple[list[Input], int]:
    """Do what the command does before it loads a network; the inputs, and how many of them are left to do."""
    tables = Tables(out)
    inputs = placed(find_inputs(names).inputs, tables)
    return inputs, len(state_of(inputs, tables, identity).left)


def finish(inputs: list[Input], out: Path, identity: Identity) -> None:
    """Tables as if all inputs were done."""
    for one in inputs:
        table = out / f"{one.stem}.jsonl"
        table.parent.mkdir(parents=True, exist_ok=True)
        first = {
            "index": 0,
            "source": identity.source(one),
            "end": {"complete": True, "frames": 1, "error": None},
        }
        table.write_text(json.dumps(first) + "\n", encoding="utf-8")
        table.with_name(f"{table.stem}.csv").touch()


def calls(function: Callable[[], Any]) -> int:
    """Calls of Python functions, those of C included."""
    profile = cProfile.Profile()
    profile.runcall(function)
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    identity = Identity.of(Namespace(**dict.fromkeys((*_OPTIONS, "bundle", "landmarker_model"))))
    with tempfile.TemporaryDirectory() as folder:
        names, out = make(Path(folder, "in"), count), Path(folder, "out")
        for what in ("first start", "everything done"):
            begun, cpu = time.perf_counter(), time.process_time()
            inputs, left = start(names, out, identity)
            took_s, cpu_s = time.perf_counter() - begun, time.process_time() - cpu
            each = calls(lambda: start(names, out, identity)) / len(inputs)
            print(
                f"{what}: {len(inputs)} inputs, {left} left, {took_s:.1f} s, {cpu_s:.1f} of a processor, {each:.0f} calls an input"
            )
            if what == "first start":
                finish(inputs, out, identity)


if __name__ == "__main__":
    main()
