"""The first start on a board, by the commands that its owner types: the doctor, then a picture analyzed twice.

The first analysis meets the bundle for the first time: every engine must give the golden answers, and all of them are timed. The
second must find what the first one remembered. Emulated timings say nothing of a board; that the choice is made by them, does.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgeau._system.records import from_dict
from edgeau.bundle.benchmark import Timing
from edgeau.bundle.select import rank_timings
from tests.arm.boards import Board
from tests.arm.comparison import FLOAT_TOLERANCE
from tests.arm.emulator import Emulator

_ANALYZE = "import sys; from edgeau_apps.analyze.command import main; sys.exit(main())"
# The warning of edgeau.bundle.select.
_DISTURBED = "other programs kept the processors busy"
# What a board does in seconds, an emulator does in minutes.
_DOCTOR_SECONDS = "1800"


@dataclass(frozen=True)
class FirstStart:
    """What happened.

    Attributes:
        doctor: what ``edgeau-doctor BUNDLE`` found, a line each.
        artifact: that ``edgeau-analyze`` chose.
        engine: that runs it, as it names itself.
        timed: every artifact and number of threads, as they were timed.
        first_s: of the first analysis, seconds.
        second_s: of the second one, seconds.
        disturbed: other programs kept this machine busy while the engines were timed, so that the commands said so, chose by
            processor time and remembered nothing; then ``timed`` is empty.
        max_probability: largest difference of a probability from this machine's, with the same artifact.
        flips: decisions that differ from this machine's.
        passed: no decision differs, and, unless it was disturbed, the artifact that the timings rank first runs and the second
            start did not time again.
    """

    doctor: list[str]
    artifact: str
    engine: str
    timed: list[dict[str, Any]]
    first_s: float
    second_s: float
    disturbed: bool
    max_probability: float
    flips: int
    passed: bool

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


def first_start(
    emulator: Emulator, board: Board, bundle: Path, picture: Path, work: Path, python: Path
) -> FirstStart:
    """Run the commands on a board with an empty cache; ``python`` is this machine's.

    Raises:
        RuntimeError: a command failed; the message ends with what it said.
    """
    # The networks of the bundle and no others: the emulator hands this machine's environment on.
    settings = {"EDGEAU_LANDMARK_MODELS": "", "XDG_CACHE_HOME": str(work / "cache-there")}
    shutil.rmtree(work / "cache-there", ignore_errors=True)
    scripts = emulator.packages / "bin"
    doctor = _doctor(
        emulator.run(
            board,
            str(scripts / "edgeau-doctor"),
            str(bundle),
            "--json",
            "--time-limit",
            _DOCTOR_SECONDS,
            settings=settings,
        )
    )
    there = work / "analyzed-there"
    arguments = [str(picture), "--bundle", str(bundle), "--out", str(there), "--json"]
    taken, said, warned = [], {}, []
    for _ in range(2):
        started = time.monotonic()
        done = emulator.run(board, str(scripts / "edgeau-analyze"), *arguments, settings=settings)
        if done.returncode:
            raise RuntimeError(f"edgeau-analyze: exit {done.returncode}\n{done.stdout}{done.stderr}")
        said = json.loads(done.stdout)
        warned.append(_DISTURBED in done.stderr)
        taken.append(round(time.monotonic() - started, 1))
    rows = _timed(work / "cache-there")
    # What the first one could not remember the second one did, where the machine had become quiet in between.
    disturbed = not rows and all(warned)
    if not rows and not disturbed:
        raise RuntimeError("nothing was remembered, although nothing disturbed the timing")
    artifact, precision = said["artifact"]["file"], said["artifact"]["precision"]
    here = _analyze_here(picture, bundle, artifact, work, python)
    difference, flips = _compared(there / f"{picture.stem}.csv", here / f"{picture.stem}.csv")
    right = disturbed or warned[0] or _is_remembered(said, rows, taken)
    allowed = FLOAT_TOLERANCE if precision in ("fp32", "fp16") else 1.0
    return FirstStart(
        doctor=doctor,
        artifact=artifact,
        engine=said["engine"],
        timed=[asdict(row) for row in rows],
        first_s=taken[0],
        second_s=taken[1],
        disturbed=disturbed or warned[0],
        max_probability=difference,
        flips=flips,
        passed=right and flips == 0 and difference <= allowed,
    )


def _is_remembered(said: dict[str, Any], rows: list[Timing], taken: list[float]) -> bool:
    """Whether the second start runs what the timings of the first one rank first, and did not time again."""
    chosen = rank_timings(rows)[0]
    runs_it = said["artifact"]["file"] == chosen.file and f"{chosen.threads} thread" in said["engine"]
    return runs_it and taken[1] < taken[0] / 2


def _doctor(done: subprocess.CompletedProcess[str]) -> list[str]:
    """A line a finding."""
    try:
        findings = json.loads(done.stdout)["findings"]
    except ValueError:
        raise RuntimeError(f"edgeau-doctor: exit {done.returncode}\n{done.stdout}{done.stderr}") from None
    lines = [f"{found['level']}: {found['subject']}: {found['says']}" for found in findings]
    problems = [line for line in lines if line.startswith("problem")]
    if problems:
        raise RuntimeError("edgeau-doctor: " + "; ".join(problems))
    tried = {found["subject"] for found in findings if found["level"] == "good"}
    if missing := {"landmarker tried", "artifact tried", "frame tried"} - tried:
        raise RuntimeError(f"edgeau-doctor: no success in {', '.join(sorted(missing))}: {'; '.join(lines)}")
    return lines


def _timed(cache: Path) -> list[Timing]:
    notes = list((cache / "edgeau" / "timings").glob("*.json"))
    if not notes:
        return []
    return [from_dict(Timing, row, "timings") for row in json.loads(notes[0].read_text())["rows"]]


def _analyze_here(picture: Path, bundle: Path, artifact: str, work: Path, python: Path) -> Path:
    out = work / "analyzed-here"
    command = [str(python), "-c", _ANALYZE, str(picture), "--bundle", str(bundle), "--out", str(out)]
    environment = {**os.environ, "EDGEAU_LANDMARK_MODELS": "", "XDG_CACHE_HOME": str(work / "cache-here")}
    subprocess.run([*command, "--artifact", artifact], check=True, env=environment, capture_output=True)
    return out


def _compared(there: Path, here: Path) -> tuple[float, int]:
    """Largest difference of a probability, and how many decisions differ, of the one row of two tables."""
    (one,), (other,) = (list(csv.DictReader(file.open(encoding="utf-8"))) for file in (there, here))
    if one["success"] != "1" or one.keys() != other.keys():
        raise RuntimeError(f"{there} holds no face, or other columns than {here}")
    probabilities = [name for name in one if name.endswith("_p")]
    distance = [
        abs(float(one[name]) - float(other[name])) for name in probabilities if one[name] or other[name]
    ]
    flips = sum(one[name] != other[name] for name in one if name.endswith("_c"))
    return float(np.max(distance)), flips
