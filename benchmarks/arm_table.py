"""The table of a page from what ``python -m tests.arm.proof`` wrote.

    python benchmarks/arm_table.py build/arm-report.json [--write docs/raspberry-pi-proof.md] [--part arm_proof]

Probabilities are compared with those of the machine that emulated. Executed instructions are of one inference.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from page_part import write_part


def table(report: Mapping[str, Any]) -> str:
    """Markdown: a row an artifact, a column a board."""
    boards: Mapping[str, Mapping[str, Any]] = report["boards"]
    names = " / ".join(boards)
    lines = [
        f"| artifact | engine | largest difference, {names} | decisions that differ | million instructions, {names} |",
        "|---|---|---|---|---|",
    ]
    first = next(iter(boards.values()))
    for place, row in enumerate(first["differences"]):
        rows = [board["differences"][place] for board in boards.values()]
        counts = [board["million_instructions"].get(row["artifact"], "-") for board in boards.values()]
        lines.append(
            f"| `{row['artifact']}` | {first['engines'][row['artifact']].split(' (')[0]} "
            f"| {' / '.join(_difference(one) for one in rows)} "
            f"| {' / '.join(str(one['flips']) for one in rows)} of {row['probabilities']} "
            f"| {' / '.join(_count(one) for one in counts)} |"
        )
    return "\n".join(lines)


def _difference(row: Mapping[str, Any]) -> str:
    return row["fault"] or f"{row['max_probability']:.2g}"


def _count(millions: float | str) -> str:
    return millions if isinstance(millions, str) else f"{millions:.0f}"


def first_start(found: Mapping[str, Any]) -> str:
    """A sentence of the doctor, one of the analysis, and what was not shown."""
    if "fault" in found:
        return f"The first start failed: {found['fault']}"
    trials = [line for line in found["doctor"] if " tried: " in line]
    well = sum(line.startswith("good") for line in trials)
    if found.get("disturbed"):
        chosen = "was chosen by CPU time"
        rest = " Not tested this time: the cache of timings. edgeau reported that other programs disturbed the timings, and stored none."
    else:
        chosen, rest = f"was chosen from {len(found['timed'])} that were timed", ""
    return (
        f"First start: `edgeau-doctor` passed {well} of {len(trials)} trials (the landmarks, each artifact, a whole frame); "
        f"`edgeau-analyze`: `{found['artifact']}` in {found['engine']} {chosen}, "
        f"{found['first_s']:.0f} s under emulation, {found['second_s']:.0f} s the second time; {found['flips']} decisions differ, "
        f"largest difference {found['max_probability']:.2g}.{rest}"
    )


def page_part(report: Mapping[str, Any]) -> str:
    """All of it."""
    seconds, guest = report["seconds"], report["guest"]
    wanted = {"ai_edge_litert", "onnxruntime", "numpy", "opencv_python_headless"}
    packages = ", ".join(f"{name} {version}" for name, version in guest["packages"].items() if name in wanted)
    title = (
        f"{report['emulated_by']}, {report['date']}; qemu {report['qemu']}, {guest['system']}, {packages}; {report['crops']} golden "
        f"crops and {report['frames']} frame{'s' * (report['frames'] != 1)}; {seconds['total']} s, of which {seconds['prepare']} s preparation, {report['megabytes']} MB."
    )
    if report["bundle"].get("landmarks"):
        title += f" No mediapipe; landmark networks of the bundle: {report['bundle']['landmarks']}."
    parts = [title, table(report)]
    return "\n\n".join([*parts, first_start(report["first_start"])] if report.get("first_start") else parts)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("report", type=Path)
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put it into a page")
    parser.add_argument("--part", default="arm_proof", help="of the page (default: %(default)s)")
    arguments = parser.parse_args()
    text = page_part(json.loads(arguments.report.read_text(encoding="utf-8")))
    if arguments.write:
        write_part(arguments.write, arguments.part, text)
    print(text)


if __name__ == "__main__":
    main()
