"""Executed ARM instructions of a tracked frame of video, and of its parts, on the processors of a Raspberry Pi 4 and 5.

    python -m tests.arm.frame_count --landmarks face_landmarker.task [--against COMMIT] [--work DIR] [--out REPORT.json] [--write PAGE]

The pipeline follows one face through the packaged clip with one thread and the INT8 files of the packaged bundles in LiteRT, in the emulated Debian of
tests.arm.proof; mediapipe is not installed there. tests/arm/frame_guest.py makes a mark of the counter where a part begins and ends. Of an odd number of
frames the one in the middle is given, with its parts, which add up to the whole frame. With --against the same is counted for a commit: its own
wheel with its own packaged bundles, beside the same packages, pictures and landmark networks.

Needs what tests.arm.proof needs, and shares its --work folder.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.page_part import write_part
from benchmarks.this_machine import machine_name, today
from edgeau.bundle.packaged import PACKAGED
from edgeau.errors import UserError
from tests.arm.boards import BOARDS, USUAL, Board
from tests.arm.counting import build_plugin, nested_spans, read_counts
from tests.arm.emulator import Emulator
from tests.arm.guest_packages import install_alone
from tests.arm.proof import decode_clip, prepare
from tests.arm.systems import SYSTEMS
from tests.matrix.run import build_wheel

NAME = "arm_frame"
_GUEST = Path(__file__).with_name("frame_guest.py")
_CHECKOUT = Path(__file__).resolve().parents[2]
# By then every buffer is made and every import done.
_WARM_UP = 5
# A part as the guest names it, and as the page does; the frame itself has what no other part has.
_PARTS = {
    "landmark networks": "landmarks: the network",
    "landmarks": "landmarks: around the network",
    "AU network": "AU network: the network",
    "AU session": "AU network: into the engine and out of it",
    "landmark model": "landmark model",
    "frame": "everything else",
}
_OWN = ("landmarks", "AU session", "frame")


@dataclass(frozen=True)
class Side:
    """One of the versions that are compared.

    Attributes:
        name: ``"now"`` or ``"before"``.
        paths: where the guest looks for Python packages, the first one first.
    """

    name: str
    paths: tuple[Path, ...]


def main(argv: Sequence[str] | None = None) -> int:
    """Count, and write what was found."""
    options = _options(argv)
    work: Path = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    commit = None if options.against is None else _full_commit(options.against)
    system = SYSTEMS["bookworm"]
    emulator, _, packages = prepare(system, work)
    sides = [Side("now", (emulator.packages,))]
    if commit is not None:
        sides.append(Side("before", (_packages_of(commit, work / f"commit-{commit[:8]}"), emulator.packages)))
    pictures = decode_clip(work / "counted-frames", _WARM_UP + options.frames)
    plugin = build_plugin(work, emulator.version())
    landmarks = options.landmarks.resolve()
    sought = [(bundle, side) for bundle in options.bundles for side in sides]

    # One after the other on a board: the guests of a board share its root folder.
    def on_board(name: str) -> list[dict[str, Any]]:
        return [
            _count(emulator, BOARDS[name], bundle, side, landmarks, pictures, plugin, work)
            for bundle, side in sought
        ]

    with ThreadPoolExecutor() as together:
        cases = [case for found in together.map(on_board, options.boards) for case in found]
    report = {
        "machine": machine_name(),
        "date": today(),
        "qemu": emulator.version(),
        "guest": {"system": system.title, "python": system.python, "packages": packages},
        "landmarks": {
            "file": landmarks.name,
            "sha256": hashlib.sha256(landmarks.read_bytes()).hexdigest() if landmarks.is_file() else None,
        },
        "before": commit,
        "frames": options.frames,
        "cases": cases,
    }
    options.out.write_text(json.dumps(report, indent=1) + "\n")
    text = page_part(report)
    print(text)
    try:
        if options.write is not None:
            write_part(options.write, NAME, text)
    except UserError as error:
        raise SystemExit(str(error)) from error
    return 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.arm.frame_count",
        description="executed ARM instructions of a tracked frame of video",
    )
    parser.add_argument(
        "--landmarks",
        type=Path,
        required=True,
        metavar="FILE",
        help="landmark networks, a face_landmarker.task",
    )
    parser.add_argument("--against", metavar="COMMIT", help="an earlier commit, which is counted too")
    parser.add_argument("--bundles", nargs="+", choices=PACKAGED, default=list(PACKAGED))
    parser.add_argument("--boards", nargs="+", choices=BOARDS, default=list(USUAL))
    parser.add_argument("--frames", type=int, default=9, help="that are counted, an odd number (%(default)s)")
    parser.add_argument("--work", type=Path, default=Path("build/arm-bookworm"), help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("build/arm-frame.json"), help="default: %(default)s")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table into this page")
    options = parser.parse_args(argv)
    if options.frames < 3 or options.frames % 2 == 0:
        parser.error(f"--frames takes an odd number from 3 on, got {options.frames}")
    if not options.landmarks.exists():
        parser.error(f"--landmarks: there is no {options.landmarks}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    return options


def _full_commit(name: str) -> str:
    command = ["git", "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"]
    done = subprocess.run(command, cwd=_CHECKOUT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"--against: this repository has no commit {name}")
    return done.stdout.strip()


def _packages_of(commit: str, place: Path) -> Path:
    """A commit's edgeau alone, for the guest."""
    target, done = place / "packages", place / "packages.done"
    if not done.exists():
        shutil.rmtree(place, ignore_errors=True)
        install_alone(build_wheel(place, commit), target)
        done.touch()
    return target


def _count(
    emulator: Emulator,
    board: Board,
    bundle: str,
    side: Side,
    landmarks: Path,
    pictures: Path,
    plugin: Path,
    work: Path,
) -> dict[str, Any]:
    """Run the guest, and give its parts of every counted frame."""
    name = f"frame-{board.name}-{bundle}-{side.name}"
    out, counts = work / f"{name}.json", work / f"{name}.counts"
    counts.unlink(missing_ok=True)
    settings = {
        "INSTRUCTION_COUNT_FILE": str(counts),
        "PYTHONPATH": ":".join(map(str, side.paths)),
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "XDG_CACHE_HOME": str(work / "cache-there"),
    }
    arguments = [bundle, str(landmarks), str(pictures), str(_WARM_UP), str(out)]
    emulator.python(board, str(_GUEST), *arguments, plugin=plugin, settings=settings)
    told = json.loads(out.read_text())
    if set(told["faces"]) != {1}:
        raise RuntimeError(f"on {board.cpu}: {told['faces']} faces were found in the frames, not one in each")
    spans = nested_spans(told["marks"], read_counts(counts))
    frames = [span for span in spans if "frame" in span]
    middle = middle_frame(frames)
    print(f"{name}: {sum(middle.values()) / 1e6:.1f} million instructions", file=sys.stderr, flush=True)
    return {
        "board": board.name,
        "cpu": board.cpu,
        "bundle": bundle,
        "side": side.name,
        "engine": told["engine"],
        "artifact": told["artifact"],
        "frames": frames,
        "middle": middle,
        "mark_pair": sorted(span["nothing"] for span in spans if "nothing" in span)[len(frames) // 2],
    }


def middle_frame(frames: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """The frame whose whole is the median of an odd number of frames, so that its parts add up to it.

    Args:
        frames: instructions by part of each.
    """
    return dict(sorted(frames, key=lambda frame: sum(frame.values()))[len(frames) // 2])


def page_part(report: Mapping[str, Any]) -> str:
    """What stands in the page: where it was counted, and a table a board."""
    packages = report["guest"]["packages"]
    wanted = ("numpy", "opencv_python_headless", "ai_edge_litert")
    versions = ", ".join(f"{name} {packages[name]}" for name in wanted)
    cases = {(case["board"], case["bundle"], case["side"]): case for case in report["cases"]}
    against = f" --against {report['before'][:7]}" if report["before"] else ""
    pair = max(case["mark_pair"] for case in report["cases"])
    command = f"python -m tests.arm.frame_count --landmarks {report['landmarks']['file']}{against}"
    where = f"{report['machine']}, {report['date']}; qemu {report['qemu']}, {report['guest']['system']}, {versions}"
    marks = f"Marks of the counter add about {pair / 1e6:.3f} million to each part."
    lines = [f"{where}; landmark network of {report['landmarks']['file']}; `{command}`. {marks}"]
    for board in dict.fromkeys(board for board, _, _ in cases):
        lines += ["", *_board_table(board, cases)]
    return "\n".join(lines)


def _board_table(board: str, cases: Mapping[tuple[str, str, str], Mapping[str, Any]]) -> list[str]:
    columns = [key for key in cases if key[0] == board]
    cpu = cases[columns[0]]["cpu"]
    heads = [
        f"{bundle}{', before' if side == 'before' else ', now' if (board, bundle, 'before') in cases else ''}"
        for _, bundle, side in columns
    ]
    middles = [cases[key]["middle"] for key in columns]
    rows = {title: [middle.get(part, 0) for middle in middles] for part, title in _PARTS.items()}
    rows["**whole frame**"] = [sum(middle.values()) for middle in middles]
    rows["edgeau's own work"] = [sum(middle[part] for part in _OWN) for middle in middles]
    lines = [
        f"| {board} ({cpu}), million instructions | {' | '.join(heads)} |",
        "|---" * (len(heads) + 1) + "|",
    ]
    for title, values in rows.items():
        lines.append(f"| {title} | {' | '.join(f'{value / 1e6:.2f}' for value in values)} |")
    wholes = [[sum(frame.values()) for frame in cases[key]["frames"]] for key in columns]
    ranges = " | ".join(f"{min(found) / 1e6:.1f} to {max(found) / 1e6:.1f}" for found in wholes)
    return [*lines, f"| whole frame, {len(wholes[0])} frames | {ranges} |"]


if __name__ == "__main__":
    sys.exit(main())
