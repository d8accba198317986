"""Subjects that take turns, so that every drift of the machine meets all of them alike.

Each lives in a process of its own (worker.py). A round visits all in a new order; a visit is some timed calls in a row.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from edgeau._system.closing import Closing

WORKER = Path(__file__).with_name("worker.py")
ROOT = WORKER.parents[2]


@dataclass(frozen=True)
class Subject:
    """A program or file that is timed.

    Attributes:
        name: of its row.
        kind: a function of worker.py.
        options: of that function.
        ours: whether edgeau made the file or the program.
        python: of the environment that has its packages.
        processors: that it may use; None for all.
    """

    name: str
    kind: str
    options: dict[str, Any]
    ours: bool = False
    python: Path = Path(sys.executable)
    processors: tuple[int, ...] | None = None


@dataclass
class Row:
    """A subject's times: one list a visit, milliseconds; ``fault`` says why there are none."""

    name: str
    ours: bool
    about: dict[str, Any] = field(default_factory=dict)
    fault: str = ""
    wall_ms: list[list[float]] = field(default_factory=list)
    cpu_ms: list[list[float]] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """With the medians of every visit, from which ratios and their intervals are made."""
        if self.fault:
            return {"name": self.name, "ours": self.ours, "fault": self.fault}
        times = np.array(self.wall_ms)
        p50, p95 = np.percentile(times, (50, 95), method="higher")
        return {
            "name": self.name,
            "ours": self.ours,
            **self.about,
            "calls": times.size,
            "p50_ms": round(float(p50), 3),
            "p95_ms": round(float(p95), 3),
            "cpu_p50_ms": round(float(np.median(self.cpu_ms)), 3),
            "visits_ms": np.median(times, axis=1).round(3).tolist(),
            "visits_cpu_ms": np.median(self.cpu_ms, axis=1).round(3).tolist(),
        }


class Worker(Closing):
    """A subject's process."""

    def __init__(self, subject: Subject, cache: Path) -> None:
        threads = str(subject.options.get("threads", 1))
        # Engines are chosen anew in each run, under its conditions, not by what was remembered of another.
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": threads,
            "XDG_CACHE_HOME": str(cache),
            "PYTHONPATH": str(ROOT),
            "GLOG_minloglevel": "2",
        }
        asked = {"kind": subject.kind, "processors": subject.processors, **subject.options}
        self._process = subprocess.Popen(
            [str(subject.python), str(WORKER), json.dumps(asked)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
        )  # fmt: skip
        said = self._said()
        self.row = Row(subject.name, subject.ours, said, said.pop("fault", ""))

    def visit(self, calls: int) -> None:
        assert self._process.stdin is not None
        print(calls, file=self._process.stdin, flush=True)
        said = self._said()
        if "fault" in said:
            self.row.fault = said["fault"]
            return
        self.row.wall_ms.append(said["wall_ms"])
        self.row.cpu_ms.append(said["cpu_ms"])

    def _said(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            return {"fault": f"its process ended with code {self._process.wait()}"}
        return dict(json.loads(line))

    def close(self) -> None:
        """End the process; a second call does nothing."""
        self._process.kill()
        self._process.communicate()


def take_turns(
    subjects: Sequence[Subject], rounds: int, calls: int, cache: Path, what: str
) -> list[dict[str, Any]]:
    """The rows of all subjects, in their order."""
    order = random.Random(0)
    with ExitStack() as stack:
        workers = [
            stack.enter_context(Worker(subject, cache))
            for subject in tqdm(subjects, desc=f"{what}: opening", disable=None)
        ]
        for _ in tqdm(range(rounds), desc=what, unit="round", disable=None):
            for worker in order.sample(workers, len(workers)):
                if not worker.row.fault:
                    worker.visit(calls)
    return [worker.row.document() for worker in workers]


def ratio(above: np.ndarray, below: np.ndarray, seed: int = 0) -> dict[str, float]:
    """Compute how many times as long: the ratio of the medians of visits of one run, with its 95 % bootstrap interval.

    Rounds are drawn together, since what disturbed one subject in a round probably disturbed the other.
    """
    drawn = np.random.default_rng(seed).integers(len(above), size=(2000, len(above)))
    ratios = np.median(above[drawn], axis=1) / np.median(below[drawn], axis=1)
    low, high = np.percentile(ratios, (2.5, 97.5))
    middle = float(np.median(above) / np.median(below))
    return {"ratio": round(middle, 3), "low": round(float(low), 3), "high": round(float(high), 3)}
