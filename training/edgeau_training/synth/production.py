"""Rendering a whole data set with several processes; finished shards are kept, everything else is done again."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeau.errors import OutputError
from edgeau_training.synth import shards
from edgeau_training.synth.action_units import ACTIVE, AU_NAMES, TRACE
from edgeau_training.synth.rig import load_rig
from edgeau_training.synth.splits import FIRST_INDEX, IDENTITIES, RULE, TEXTURES, sample_of

GENERATOR_VERSION = 1
# Validation first, so that a training can start on a growing set; test last, since nothing waits for it.
ORDER = ("val", "train", "test")
_THREAD_LIMITS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True)
class Plan:
    """What is rendered: rig folder, output folder, seed, pictures per split, picture size in pixels."""

    rig: Path
    out: Path
    seed: int
    counts: dict[str, int]
    size: int = 256
    cache: Path | None = None


@dataclass(frozen=True)
class Shard:
    """Samples first..first+rows-1 of a split."""

    split: str
    number: int
    first: int
    rows: int


def planned_shards(counts: dict[str, int]) -> list[Shard]:
    """Return every shard of a data set in the order of rendering."""
    return [
        Shard(split, start // shards.SHARD_ROWS, start, min(shards.SHARD_ROWS, counts[split] - start))
        for split in ORDER
        for start in range(0, counts[split], shards.SHARD_ROWS)
    ]


def produce(plan: Plan, workers: int, progress: Callable[[int], None]) -> int:
    """Render what is missing of a plan and return the number of pictures rendered now.

    progress is called with the number of pictures finished since its last call. Raises OutputError when the folder
    holds another data set or the disk is full, UserError when the rig is incomplete.
    """
    with _disk_errors(plan.out):
        _describe(plan, load_rig(plan.rig, plan.cache).digest)
        shards.remove_unfinished(plan.out)
    todo = [job for job in planned_shards(plan.counts) if not _is_finished(plan.out, job)]
    progress(sum(plan.counts.values()) - sum(job.rows for job in todo))
    if todo:
        with _disk_errors(plan.out), _single_threaded():
            _render_all(plan, todo, min(workers, len(todo)), progress)
    return sum(job.rows for job in todo)


def _is_finished(out: Path, job: Shard) -> bool:
    return shards.shard_path(out, job.split, job.number).is_file()


def _describe(plan: Plan, digest: str) -> None:
    info = {
        "version": shards.FORMAT_VERSION, "generator_version": GENERATOR_VERSION, "rig_digest": digest,
        "seed": plan.seed, "counts": plan.counts, "image_size": plan.size, "aus": list(AU_NAMES),
        "occurrence": f"intensity >= {ACTIVE}; an absent AU shows at most {TRACE}",
        "splits": {"rule": RULE, "identities": IDENTITIES, "textures": TEXTURES, "first_index": FIRST_INDEX},
    }  # fmt: skip
    path = plan.out / "dataset.json"
    if path.is_file():
        existing = shards.dataset_info(plan.out)
        different = [key for key in info if existing.get(key) != info[key]]
        if different:
            raise OutputError(
                f"{plan.out} holds another data set ({', '.join(different)} differ). Give the same options to resume "
                "it, or another --out."
            )
        return
    plan.out.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".dataset.json.{os.getpid()}.part")
    temporary.write_text(json.dumps(info, indent=1) + "\n", encoding="utf-8")
    temporary.replace(path)


@contextmanager
def _disk_errors(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise OutputError(
                f"{out}: the disk is full ({error.strerror}). Finished shards are complete and usable; free some space "
                "and run the same command again to go on."
            ) from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
            raise OutputError(
                f"{out}: cannot be written to ({error.strerror}). Give another --out."
            ) from error
        raise


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Limit the numeric libraries of child processes to one thread: there is one process per core already."""
    before = {name: os.environ.get(name) for name in _THREAD_LIMITS}
    os.environ.update(dict.fromkeys(_THREAD_LIMITS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _render_all(plan: Plan, todo: list[Shard], workers: int, progress: Callable[[int], None]) -> None:
    context = multiprocessing.get_context("spawn")
    counter = context.Value("q", 0)
    pool = ProcessPoolExecutor(workers, context, _start_worker, (plan, counter, os.getpid()))
    waiting: set[Future[None]] = set()
    seen = 0
    try:
        waiting = {pool.submit(_render_shard, job) for job in todo}
        while waiting:
            done, waiting = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
            progress(counter.value - seen)
            seen = counter.value
            for future in done:
                future.result()
    except BaseException:
        for process in list((pool._processes or {}).values()):
            process.terminate()
        pool.shutdown(wait=True, cancel_futures=True)
        shards.remove_unfinished(plan.out)
        raise
    pool.shutdown()


class _Worker:
    """What a worker process keeps between shards."""

    plan: Plan
    renderer: Any
    landmarker: Any
    counter: Any
    parent: int


def _start_worker(plan: Plan, counter: Any, parent: int) -> None:
    # Ctrl-C is the parent's to handle; MediaPipe's native log lines would tear the progress bar.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stderr.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    import cv2

    from edgeau.landmarks import open_landmarker
    from edgeau_training.synth.renderer import Renderer

    cv2.setNumThreads(1)
    _Worker.plan, _Worker.counter, _Worker.parent = plan, counter, parent
    _Worker.renderer = Renderer(load_rig(plan.rig, plan.cache), plan.size)
    _Worker.landmarker = open_landmarker(static=True)


def _render_shard(job: Shard) -> None:
    from edgeau_training.synth.rows import make_row

    plan, rows = _Worker.plan, []
    for number in range(job.first, job.first + job.rows):
        if os.getppid() != _Worker.parent:
            os._exit(1)  # the parent was killed; nobody waits for this shard
        sample = sample_of(job.split, number, plan.seed)
        rows.append(make_row(_Worker.renderer, _Worker.landmarker, sample, plan.seed))
        with _Worker.counter.get_lock():
            _Worker.counter.value += 1
    shards.write_shard(shards.shard_path(plan.out, job.split, job.number), rows)
