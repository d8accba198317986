"""``kill -9`` at random moments of programs that write: nothing half in its place, nothing lost that was promised, litter goes."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.reliability.jobs import CHECKS
from tests.reliability.outcome import Outcome

__all__ = ["kills"]

# Shares of all kills; a program that starts in a second bears more of them than an export.
_SHARES = {
    "bundle": 0.2,
    "tables": 0.15,
    "store": 0.3,
    "recording": 0.2,
    "checkpoint": 0.1,
    "analyze": 0.03,
    "export": 0.02,
}
_LONGEST_S = {
    "bundle": 1.0,
    "tables": 0.5,
    "store": 0.5,
    "recording": 0.5,
    "checkpoint": 0.5,
    "analyze": 4.0,
    "export": 8.0,
}


def kills(count: int) -> list[Outcome]:
    """Kill so many programs."""
    dice = random.Random(1)
    return [_killed(name, max(round(count * share), 1), dice) for name, share in _SHARES.items()]


def _killed(name: str, count: int, dice: random.Random) -> Outcome:
    outcome = Outcome(f"kill -9 of {name}")
    with tempfile.TemporaryDirectory(prefix="edgeau-kills-") as folder:
        home = Path(folder)
        for trial in range(count):
            if name == "store":  # a fresh one, so that messages are numbered from 0
                home = Path(tempfile.mkdtemp(dir=folder))
            kept = _once(name, home, dice.uniform(0.0, _LONGEST_S[name]))
            fault = _checked(name, home, kept)
            outcome.tried += 1
            if fault:
                outcome.faults[trial] = fault
        outcome.said["litter after all"] = _litter(name, home)
        if outcome.said["litter after all"]:
            outcome.faults[count] = f"{outcome.said['litter after all']} hidden files or folders were left"
    return outcome


def _once(name: str, home: Path, after_s: float) -> int:
    """Start, kill, and give what was promised before."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.reliability.jobs", name, str(home)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    kept = [-1]
    begun = threading.Event()

    def listen() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("kept "):
                kept[0] = int(line[5:])
            begun.set()

    listener = threading.Thread(target=listen)
    listener.start()
    begun.wait(120)
    time.sleep(after_s)
    process.kill()
    process.wait(30)
    listener.join(30)
    assert process.stdout is not None
    process.stdout.close()
    return kept[0]


def _checked(name: str, home: Path, kept: int) -> str | None:
    try:
        return CHECKS[name](home, kept)
    except Exception as error:  # noqa: BLE001 - whatever it is, somebody cannot read what was left
        return f"{type(error).__name__}: {error}"


def _litter(name: str, home: Path) -> int:
    """Hidden files that the next write of a process leaves; the newest kill's are its own to remove."""
    from edgeau._system.atomic_file import AtomicFile
    from edgeau._system.atomic_folder import AtomicFolder

    for place in ("rows.csv", "rows.jsonl"):
        AtomicFile(home / place, growing=True).discard()
    AtomicFile(home / "a.safetensors").discard()
    if (home / "out").is_dir():
        AtomicFile(home / "out" / "x.csv").discard()
    if name in ("bundle", "export"):
        AtomicFolder(home / "bundle").close()
    AtomicFile(home / "film.csv", growing=True).discard()
    return sum(path.name.startswith(".") for path in home.rglob("*"))
