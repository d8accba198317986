"""edgeau on true ARM programs, on any Linux machine.

    python -m tests.arm.proof [--bundle BUNDLE | --landmarks FILE] [--work DIR] [--out REPORT.json]

Makes a Debian for arm64 under qemu's user emulation (12, bookworm; or --system trixie, 13, with the newest packages that there are
for its Python, on this machine too), installs edgeau's wheel with its device extras from real aarch64 wheels, analyzes the packaged
clip with every artifact of a bundle on the processors of a Raspberry Pi 4 and 5, and compares every probability with this machine's.
Then the commands of a first start run there: edgeau-doctor, and a picture that is analyzed twice with whatever is fastest. Exits 1
when something is too far off.

No mediapipe is installed there. Landmarks come from the bundle: the given one, or one that is exported here with the networks of
--landmarks (a face_landmarker.task, a folder, a wheel of mediapipe; without it those of this machine).

Needs: Linux on x86-64 with apt (Debian, Ubuntu with debian-archive-keyring), gcc, and this checkout's environment. Nothing
is installed on the machine, and no rights are needed beyond its own folder.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import cv2

from edgeau import open_source
from edgeau._system.processor import processor_name
from edgeau.bundle import load_bundle
from edgeau.errors import UserError
from edgeau_export.export import export_bundle
from tests.arm.boards import BOARDS, USUAL, Board
from tests.arm.comparison import Difference, compare
from tests.arm.counting import build_plugin, million_instructions
from tests.arm.debian import find_qemu, unpack_arm_root
from tests.arm.emulator import Emulator
from tests.arm.first_start import first_start
from tests.arm.guest_packages import install, make_environment
from tests.arm.systems import SYSTEMS, System
from tests.matrix.run import build_wheel

_GUEST = Path(__file__).with_name("guest.py")
_CHECKOUT = Path(__file__).resolve().parents[2]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the proof; 0 when every artifact passed on every board."""
    options = _options(argv)
    start = time.monotonic()
    work: Path = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    system = SYSTEMS[options.system]
    bundle = _bundle(options, work)
    emulator, python, packages = prepare(system, work)
    prepared_s = time.monotonic() - start
    _say(f"ready after {prepared_s:.0f} s, {_megabytes(work)} MB")
    pictures = decode_clip(work / "frames", options.frames)
    arguments = [str(bundle), ",".join(options.artifacts), str(options.crops), str(pictures)]
    here = _analyze_here(python, arguments, work)
    with ThreadPoolExecutor() as together:
        proofs = {
            name: together.submit(_prove, emulator, BOARDS[name], arguments, here, work)
            for name in options.boards
        }
        boards = {name: proof.result() for name, proof in proofs.items()}
    started = _first_start(emulator, python, options, bundle, pictures, work) if options.first_start else None
    manifest = load_bundle(bundle).manifest
    report = {
        "date": time.strftime("%Y-%m-%d"),
        "emulated_by": f"{processor_name()}, {os.cpu_count()} cores",
        "qemu": emulator.version(),
        "guest": {"system": system.title, "python": system.python, "packages": packages},
        "bundle": {
            "target": manifest.target,
            "digest": load_bundle(bundle).digest,
            "landmarks": manifest.landmarks and manifest.landmarks.source,
        },
        "crops": options.crops,
        "frames": options.frames,
        "host": here["machine"],
        "boards": boards,
        "first_start": started,
        "seconds": {"prepare": round(prepared_s), "total": round(time.monotonic() - start)},
        "megabytes": _megabytes(work),
    }
    options.out.write_text(json.dumps(report, indent=2) + "\n")
    passed = all(row["passed"] for board in boards.values() for row in board["differences"])
    passed = passed and (started is None or started["passed"])
    _say(f"{'passed' if passed else 'FAILED'} in {report['seconds']['total']} s; see {options.out.name}")
    return 0 if passed else 1


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.arm.proof", description="edgeau on true ARM programs, on any Linux machine"
    )
    parser.add_argument(
        "--bundle", type=Path, help="with landmark networks; default: the packaged network, exported here"
    )
    parser.add_argument(
        "--landmarks", type=Path, metavar="FILE", help="for that export; default: those of this machine"
    )
    parser.add_argument("--artifacts", nargs="+", default=[], metavar="FILE", help="default: all of it")
    parser.add_argument("--work", type=Path, help="kept for the next time; default: build/arm-SYSTEM")
    parser.add_argument("--out", type=Path, default=Path("build/arm-report.json"))
    parser.add_argument("--crops", type=int, default=8, help="of the bundle's golden ones")
    parser.add_argument("--frames", type=int, default=3, help="of the packaged clip")
    parser.add_argument("--boards", nargs="+", choices=BOARDS, default=list(USUAL))
    parser.add_argument("--system", choices=SYSTEMS, default="bookworm", help="default: %(default)s")
    parser.add_argument(
        "--no-first-start",
        dest="first_start",
        action="store_false",
        help="leave out the commands of a first start, on the last of the boards: doctor, and a picture twice",
    )
    options = parser.parse_args(argv)
    if options.bundle and options.landmarks:
        parser.error("--landmarks is for the bundle that is exported here; --bundle brings its own")
    options.work = options.work or Path("build") / f"arm-{options.system}"
    options.out.parent.mkdir(parents=True, exist_ok=True)
    return options


def _bundle(options: argparse.Namespace, work: Path) -> Path:
    """The bundle that is proven; it has landmark networks, because the guest has none."""
    bundle: Path = (options.bundle or work / "bundle").resolve()
    try:
        if options.bundle is None:
            export_bundle("raspberrypi", bundle, landmarks=options.landmarks)
        if load_bundle(bundle).landmark_networks is None:
            raise SystemExit(
                f"{bundle} was exported without landmark networks, and the emulated machine has no others: "
                "export it with --landmarks FILE"
            )
    except UserError as error:
        raise SystemExit(str(error)) from error
    return bundle


def prepare(system: System, work: Path) -> tuple[Emulator, Path, dict[str, str]]:
    """The guest, a Python of this machine with packages like the guest's, and the guest's packages."""
    qemu, libraries = find_qemu(work)
    root = unpack_arm_root(system, work)
    shutil.rmtree(work / "wheel", ignore_errors=True)
    (work / "wheel").mkdir()
    wheel = build_wheel(work / "wheel")
    packages = install(wheel, work / "packages", system)
    python = Path(sys.executable) if system.like_here else make_environment(wheel, work / "here")
    (work / "home").mkdir(exist_ok=True)
    return Emulator(qemu, libraries, root, work / "packages", system.python), python, packages


def decode_clip(folder: Path, count: int) -> Path:
    """The first frames of the packaged clip as PNG files, which replace what the folder had; returns the folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with open_source("clip") as source:
        for frame in islice(source, count):
            cv2.imwrite(str(folder / f"{frame.index:04}.png"), frame.image)
    return folder


def _analyze_here(python: Path, arguments: Sequence[str], work: Path) -> dict[str, Any]:
    out = work / "here.json"
    environment = {**os.environ, "PYTHONPATH": str(_CHECKOUT), "XDG_CACHE_HOME": str(work / "cache-here")}
    subprocess.run([str(python), str(_GUEST), *arguments, str(out)], check=True, env=environment)
    answer: dict[str, Any] = json.loads(out.read_text())
    return answer


def _prove(
    emulator: Emulator, board: Board, arguments: Sequence[str], here: dict[str, Any], work: Path
) -> dict[str, Any]:
    """Run the guest on a board's processor and compare."""
    start = time.monotonic()
    out, counts = work / f"{board.name}.json", work / f"{board.name}.counts"
    counts.unlink(missing_ok=True)
    plugin = build_plugin(work, emulator.version())
    settings = {"INSTRUCTION_COUNT_FILE": str(counts)}
    emulator.python(board, str(_GUEST), *arguments, str(out), plugin=plugin, settings=settings)
    there = json.loads(out.read_text())
    ran = [name for name, answer in there["artifacts"].items() if "fault" not in answer]
    executed = million_instructions(counts, ran)
    differences = compare(here, there)
    for row in differences:
        _say(f"{board.name} ({board.cpu}) {_line(row)}, {executed.get(row.artifact)} million instructions")
    return {
        "cpu": board.cpu,
        "machine": there["machine"],
        "film": there["film"],
        "engines": {name: answer.get("engine") for name, answer in there["artifacts"].items()},
        "golden": {name: answer.get("golden") for name, answer in there["artifacts"].items()},
        "differences": [row.to_dict() for row in differences],
        "million_instructions": executed,
        "seconds": round(time.monotonic() - start),
    }


def _first_start(
    emulator: Emulator, python: Path, options: argparse.Namespace, bundle: Path, pictures: Path, work: Path
) -> dict[str, Any]:
    board = BOARDS[options.boards[-1]]
    picture = min(pictures.glob("*.png"))
    try:
        found = first_start(emulator, board, bundle, picture, work, python)
    except RuntimeError as error:
        _say(f"{board.name} first start FAILED: {error}")
        return {"fault": str(error), "passed": False}
    _say(
        f"{board.name} first start: {found.artifact} in {found.engine}, of {len(found.timed)} timed, {found.first_s} s, then {found.second_s} s; "
        f"largest difference {found.max_probability:.2g}, {found.flips} decisions differ"
        f"{', timings disturbed by other programs and not kept' if found.disturbed else ''}{'' if found.passed else ' - not passed'}"
    )
    return found.to_dict()


def _line(row: Difference) -> str:
    if row.fault:
        return f"{row.artifact}: {row.fault}"
    return (
        f"{row.artifact}: {row.probabilities} probabilities, largest difference {row.max_probability:.2g}, "
        f"{row.flips} decisions differ{'' if row.passed else ' - too many or too far'}"
    )


def _megabytes(folder: Path) -> int:
    shown = subprocess.run(["du", "-sm", str(folder)], capture_output=True, text=True, check=True).stdout
    return int(shown.split()[0])


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
