"""A rendering process."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2

from edgeau.faces.landmarks import Landmarker, open_landmarker
from edgeau_training.synth import shards
from edgeau_training.synth.plan import Plan, Shard
from edgeau_training.synth.renderer import Renderer
from edgeau_training.synth.rig import load_rig
from edgeau_training.synth.rows import make_row
from edgeau_training.synth.splits import sample_of

__all__ = ["ClusterJob", "render_on_cluster", "render_shard", "start_worker"]


class _Orders:
    """Instructions of the parent to this process."""

    plan: Plan
    finished: Any  # multiprocessing.Value: pictures finished by all processes
    parent: int


def start_worker(plan: Plan, finished: Any, parent: int) -> None:
    """Prepare this process; parent is the process number of who started it."""
    # Ctrl-C is the parent's to handle; native log lines would tear its progress bar.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stderr.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    cv2.setNumThreads(1)
    _Orders.plan, _Orders.finished, _Orders.parent = plan, finished, parent


def render_shard(job: Shard) -> None:
    """Render and write one shard. Goes away silently when the parent has died."""

    def count() -> None:
        if os.getppid() != _Orders.parent:
            os._exit(1)  # nobody waits for this shard
        with _Orders.finished.get_lock():
            _Orders.finished.value += 1

    _render(_Orders.plan, job, count)


@dataclass(frozen=True)
class ClusterJob:
    """A shard of a plan, for a worker that was told nothing before."""

    plan: Plan
    shard: Shard

    def __str__(self) -> str:
        return f"shard {self.shard.number} of {self.shard.split}"


def render_on_cluster(job: ClusterJob) -> None:
    """Render and write one shard on a cluster's node, where the rig and the folder have the same paths."""
    cv2.setNumThreads(1)
    _render(job.plan, job.shard, lambda: None)


def _render(plan: Plan, job: Shard, count: Callable[[], None]) -> None:
    rows = []
    renderer, landmarker = _tools(plan.rig, plan.cache, plan.size)
    for number in range(job.first, job.first + job.rows):
        rows.append(make_row(renderer, landmarker, sample_of(job.split, number, plan.seed), plan.seed))
        count()
    shards.write_shard(shards.shard_path(plan.out, job.split, job.number), rows)


@lru_cache(1)
def _tools(rig: Path, cache: Path | None, size: int) -> tuple[Renderer, Landmarker]:
    # Not while the process starts: what fails there breaks the pool without saying why.
    return Renderer(load_rig(rig, cache), size), open_landmarker(static=True)
