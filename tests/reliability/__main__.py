"""``python -m tests.reliability [--full] [--part NAME]... [--json FILE]``."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from pathlib import Path
from typing import Any

PARTS = ("fuzz", "kills", "disk", "power", "server", "month")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__)
    parser.add_argument(
        "--full", action="store_true", help="the figures of docs/reliability.md; else a quick look of minutes"
    )
    parser.add_argument("--part", action="append", choices=PARTS, help="only this; may be repeated")
    parser.add_argument("--inputs", type=int, help="malformed inputs, instead of 2,000 or 100,000")
    parser.add_argument("--reader", action="append", help="only this reader of the fuzz; may be repeated")
    parser.add_argument("--seed", type=int, default=0, help="first number of the cases")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    arguments = parser.parse_args()
    document: dict[str, Any] = {"full": arguments.full, "date": time.strftime("%Y-%m-%d")}
    faults = 0
    for part in arguments.part or PARTS:
        began = time.monotonic()
        rows = run(part, arguments)
        document[part] = {"seconds": round(time.monotonic() - began, 1), "rows": rows}
        faults += sum(len(row["faults"]) for row in rows)
        print(f"\n{part}, {document[part]['seconds']:.0f} s")
        for row in rows:
            print("  " + ", ".join(f"{name} {value}" for name, value in row.items() if name != "faults"))
            for number, what in list(dict(row["faults"]).items())[:20]:
                print(f"    FAULT {number}: {what}")
        if arguments.json is not None:
            arguments.json.write_text(json.dumps(document, indent=1))
    print(f"\n{faults} faults")
    return 3 if faults else 0


def run(part: str, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    full: bool = arguments.full
    if part == "fuzz":
        from tests.reliability.fuzz import fuzz

        results: list[Any] = fuzz(
            arguments.inputs or (100_000 if full else 2_000), arguments.reader, arguments.seed
        )
    elif part == "kills":
        from tests.reliability.kills import kills

        results = kills(200 if full else 10)
    elif part == "disk":
        from tests.reliability.disk import full_disks

        results = full_disks(100 if full else 10)
    elif part == "power":
        from tests.reliability.power import power_cuts

        results = power_cuts(full=full)
    elif part == "server":
        from tests.reliability.server import attacks

        results = attacks(full=full)
    else:
        from tests.reliability.month import month

        results = month(full=full)
    return [dataclasses.asdict(one) for one in results]


if __name__ == "__main__":
    sys.exit(main())
