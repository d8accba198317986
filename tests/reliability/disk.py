"""Full disks: a small file system that grows by a step each time; every program ends with a message, and nothing is half."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.reliability import jobs
from tests.reliability.jobs import CHECKS
from tests.reliability.outcome import Outcome

__all__ = ["full_disks", "mountable"]

_SIZES = {
    "recording": (4_096, 90_000),
    "tables": (4_096, 120_000),
    "store": (4_096, 400_000),
    "bundle": (100_000, 40_000_000),
    "checkpoint": (4_096, 1_200_000),
}
_SHARES = {"recording": 0.25, "tables": 0.2, "store": 0.25, "bundle": 0.15, "checkpoint": 0.15}


def mountable() -> bool:
    """Tell whether this machine lets us mount."""
    if os.geteuid() != 0:
        return False
    with tempfile.TemporaryDirectory() as folder:
        if subprocess.run(
            ["mount", "-t", "tmpfs", "none", folder], capture_output=True, check=False
        ).returncode:
            return False
        subprocess.run(["umount", folder], check=True)
    return True


def full_disks(points: int) -> list[Outcome]:
    """So many sizes of the disk over all programs; nothing where this machine does not let us mount."""
    if not mountable():
        return [Outcome("full disk", said={"skipped": "only root of a machine of its own may mount"})]
    return [_filled(name, max(round(points * share), 2)) for name, share in _SHARES.items()]


def _filled(name: str, points: int) -> Outcome:
    outcome = Outcome(f"full disk under {name}")
    rows, jobs.ROWS = jobs.ROWS, 5000  # enough to fill some pages of the disk
    least, most = _SIZES[name]
    codes: dict[int, int] = {}
    for trial in range(points):
        size = least + (most - least) * trial // max(points - 1, 1)
        with _disk(size) as home:
            done = subprocess.run(
                [sys.executable, "-c", _CODE, name, str(home)],
                capture_output=True,
                text=True,
                check=False,
                timeout=300,
            )
            codes[done.returncode] = codes.get(done.returncode, 0) + 1
            kept = [int(line[5:]) for line in done.stdout.splitlines() if line.startswith("kept ")]
            last = done.stderr.strip().splitlines()[-1:] or [""]
            if "Traceback" in done.stderr or done.returncode not in (0, 2):
                outcome.faults[size] = f"exit code {done.returncode}: {last[0][:200]}"
            elif done.returncode == 2 and not last[0]:
                outcome.faults[size] = "no message"
            else:
                # Somebody makes room; what was promised must be there.
                subprocess.run(["mount", "-o", f"remount,size={size + (64 << 20)}", home], check=True)
                try:
                    fault = CHECKS[name](home, kept[-1] if kept else -1)
                except Exception as error:  # noqa: BLE001
                    fault = f"{type(error).__name__}: {error}"
                if fault:
                    outcome.faults[size] = fault
        outcome.tried += 1
    outcome.said["exit codes"] = ", ".join(f"{code}: {count}" for code, count in sorted(codes.items()))
    jobs.ROWS = rows
    return outcome


# The job as a command of edgeau runs: errors in one line, and exit codes.
_CODE = """
import sys
from pathlib import Path
from edgeau._system.command import run
from tests.reliability import jobs
jobs.ROWS = 5000
jobs.ROUNDS = 400 if sys.argv[1] == "store" else 3
sys.exit(run("job", lambda argv: jobs.JOBS[sys.argv[1]](Path(sys.argv[2])) or 0))
"""


@contextmanager
def _disk(size: int) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="edgeau-disk-") as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)
