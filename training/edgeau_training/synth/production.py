"""Rendering a whole data set with several processes; finished shards are kept, everything else is done again."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

from edgeau._system.atomic_file import write_whole
from edgeau._system.ray_cluster import spread
from edgeau.errors import EngineError, OutputError
from edgeau_training.synth import shards
from edgeau_training.synth.action_units import ACTIVE, AU_NAMES, TRACE
from edgeau_training.synth.plan import Plan, Shard, planned_shards
from edgeau_training.synth.rig import load_rig
from edgeau_training.synth.sides import SIDED
from edgeau_training.synth.splits import FIRST_INDEX, IDENTITIES, RULE, TEXTURES
from edgeau_training.synth.worker import ClusterJob, render_on_cluster, render_shard, start_worker

GENERATOR_VERSION = 2
_THREAD_LIMITS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def produce(plan: Plan, workers: int, progress: Callable[[int], None], cluster: str | None = None) -> int:
    """Render what is missing of a plan.

    Args:
        plan: of the data set.
        workers: processes on this machine; without meaning on a cluster.
        progress: called with the number of pictures finished since its last call.
        cluster: address of a Ray cluster, or "local" for one on this machine; None renders in processes.

    Returns:
        The number of pictures rendered now.

    Raises:
        OutputError: the folder holds another data set, or the disk is full.
        UserError: the rig is incomplete.
    """
    _describe(plan, load_rig(plan.rig, plan.cache).digest)
    todo = unfinished_shards(plan)
    progress(sum(plan.counts.values()) - sum(job.rows for job in todo))
    if todo:
        with _disk_errors(plan.out), _single_threaded():
            if cluster is None:
                _render_all(plan, todo, min(workers, len(todo)), progress)
            else:
                for job, _ in spread(cluster, render_on_cluster, [ClusterJob(plan, job) for job in todo]):
                    progress(job.shard.rows)
    return sum(job.rows for job in todo)


def unfinished_shards(plan: Plan) -> list[Shard]:
    """The shards of a plan that are not there yet."""
    return [job for job in planned_shards(plan.counts) if not _is_finished(plan.out, job)]


def _is_finished(out: Path, job: Shard) -> bool:
    return shards.shard_path(out, job.split, job.number).is_file()


def _describe(plan: Plan, digest: str) -> None:
    info = {
        "version": shards.FORMAT_VERSION, "generator_version": GENERATOR_VERSION, "rig_digest": digest,
        "seed": plan.seed, "counts": plan.counts, "image_size": plan.size, "aus": list(AU_NAMES),
        "sided": [f"AU{number}" for number in SIDED], "side_order": "the person's own left, right",
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
    write_whole(path, (json.dumps(info, indent=1) + "\n").encode())


@contextmanager
def _disk_errors(out: Path) -> Iterator[None]:
    try:
        yield
    except OutputError as error:
        raise OutputError(
            f"{error}. Finished shards are complete and usable; free some space and run the same command again to go on."
        ) from error
    except OSError as error:
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
    finished = context.Value("q", 0)
    pool = ProcessPoolExecutor(workers, context, start_worker, (plan, finished, os.getpid()))
    waiting: set[Future[None]] = set()
    seen = 0
    try:
        waiting = {pool.submit(render_shard, job) for job in todo}
        while waiting:
            done, waiting = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
            progress(finished.value - seen)
            seen = finished.value
            for future in done:
                future.result()
    except BrokenProcessPool as error:
        pool.shutdown(wait=True, cancel_futures=True)
        raise EngineError(
            f"{plan.out}: a rendering process died, probably for lack of memory (each needs about 1.6 GB). Finished shards "
            "are kept; run the same command again with fewer --workers"
        ) from error
    except BaseException:
        for process in list((pool._processes or {}).values()):
            process.terminate()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown()
