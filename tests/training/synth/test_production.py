"""A data set is the same to the byte however it came about: one process or two, in one go or after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from edgeau.errors import OutputError
from edgeau_training.synth import shards
from edgeau_training.synth.plan import Plan, planned_shards
from edgeau_training.synth.production import produce, unfinished_shards

COUNTS = {"train": 7, "val": 2, "test": 3}
ROWS = 3
START = """
import sys
from edgeau_training.synth import shards
shards.SHARD_ROWS = 3
from edgeau_training.synth.command import main
if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch):
    monkeypatch.setattr(shards, "SHARD_ROWS", ROWS)


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    path = tmp_path_factory.mktemp("program") / "synth.py"
    path.write_text(START)
    return path


@pytest.fixture(scope="module")
def finished(tiny_rig, rig_cache, tmp_path_factory, program):
    """A set rendered by one process: folder and contents."""
    out = tmp_path_factory.mktemp("sets") / "one"
    subprocess.run([*command(program, tiny_rig, out, rig_cache), "--workers", "1"], check=True)
    return out, contents(out)


def command(program, rig, out, cache) -> list[str]:
    counts = ["--count", "7", "--val-count", "2", "--test-count", "3"]
    options = ["--seed", "5", "--size", "96", "--cache", str(cache)]
    return [sys.executable, str(program), str(rig), "--out", str(out), *counts, *options]


def contents(out) -> dict[str, bytes]:
    return {
        str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()
    }


def plan(rig, out, cache, **changes) -> Plan:
    return Plan(
        **{"rig": rig, "out": out, "seed": 5, "counts": COUNTS, "size": 96, "cache": cache, **changes}
    )


def test_the_plan_covers_every_sample_once():
    jobs = planned_shards(COUNTS)
    for split, count in COUNTS.items():
        covered = [n for job in jobs if job.split == split for n in range(job.first, job.first + job.rows)]
        assert covered == list(range(count))
    assert jobs[0].split == "val"
    assert jobs[-1].split == "test"


def test_every_row_is_there_once(finished):
    out, _ = finished
    for split, count in COUNTS.items():
        faces = shards.read_split(out, split)
        assert len(set(faces["index"].tolist())) == count
        assert faces["aus"].shape == (count, 22)
        assert all(image.startswith(b"\xff\xd8") for image in faces["image"])
        found = faces["detected"]
        assert np.isfinite(faces["landmarks"]).all()
        assert [bool(crop) for crop in faces["crop"]] == found.tolist()
    assert shards.dataset_info(out)["counts"] == COUNTS


def test_two_processes_write_the_same_bytes(finished, tiny_rig, rig_cache, tmp_path):
    produce(plan(tiny_rig, tmp_path / "two", rig_cache), 2, lambda _: None)
    assert contents(tmp_path / "two") == finished[1]


def test_a_killed_run_resumes_without_duplicates(finished, tiny_rig, rig_cache, tmp_path, program):
    out = tmp_path / "killed"
    running = subprocess.Popen([*command(program, tiny_rig, out, rig_cache), "--workers", "1"])
    wait_for(lambda: shards.shard_paths(out, "val"))
    running.send_signal(signal.SIGKILL)
    running.wait()
    (out / "train").mkdir(exist_ok=True)
    (out / "train" / ".shard-00000.0123456789ab.part.parquet").write_bytes(b"what a killed writer leaves")
    time.sleep(1)  # the orphaned worker notices and goes
    kept = {path: path.stat().st_mtime_ns for path in out.rglob("shard-*.parquet")}
    advanced: list[int] = []
    produce(plan(tiny_rig, out, rig_cache), 1, advanced.append)
    assert contents(out) == finished[1]
    assert sum(advanced) == sum(COUNTS.values())
    assert all(path.stat().st_mtime_ns == written for path, written in kept.items())


def test_a_finished_set_is_left_alone(finished, tiny_rig, rig_cache):
    out, before = finished
    assert produce(plan(tiny_rig, out, rig_cache), 1, lambda _: None) == 0
    assert contents(out) == before


@pytest.mark.parametrize("changes", [{"seed": 6}, {"counts": {**COUNTS, "train": 9}}, {"size": 64}])
def test_another_set_is_not_mixed_in(finished, tiny_rig, rig_cache, changes):
    with pytest.raises(OutputError, match="another data set"):
        produce(plan(tiny_rig, finished[0], rig_cache, **changes), 1, lambda _: None)


def test_ctrl_c_leaves_nothing_half_written(tiny_rig, rig_cache, tmp_path, program):
    out = tmp_path / "stopped"
    running = subprocess.Popen(
        [*command(program, tiny_rig, out, rig_cache), "--workers", "1", "--count", "150"],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell starts background jobs with Ctrl-C ignored; this one must hear it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    wait_for(lambda: shards.shard_paths(out, "val"))
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "Traceback" not in errors
    assert not list(out.rglob(".*.part*"))
    assert shards.read_split(out, "val", ["index"])["index"].tolist() == [100_000_000, 100_000_001]


def test_a_full_disk_is_one_clear_error_and_finished_shards_stay(
    finished, tiny_rig, rig_cache, tmp_path, program
):
    out = tmp_path / "full"
    # One shard of two faces fits below the limit, one of three does not: the write itself fails.
    sizes = [shards.shard_path(finished[0], split, 0).stat().st_size for split in ("val", "train")]
    assert sizes[0] < sizes[1]
    limited = program.with_name("limited.py")
    limited.write_text(LIMIT.replace("BYTES", str(sum(sizes) // 2)) + program.read_text())
    done = subprocess.run(
        [*command(limited, tiny_rig, out, rig_cache), "--workers", "1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert "File too large. Finished shards are complete" in done.stderr
    assert not list(out.rglob(".*.part*"))
    assert len(shards.read_split(out, "val", ["index"])["index"]) == 2


LIMIT = """
import sys, resource
resource.setrlimit(resource.RLIMIT_FSIZE, (BYTES, BYTES))
"""


def wait_for(condition, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "took too long"
        time.sleep(0.05)


@pytest.mark.slow
def test_a_cluster_renders_the_same_bytes(tiny_rig, rig_cache, tmp_path):
    pytest.importorskip("ray", reason="ray is not installed")
    folders = [tmp_path / name for name in ("alone", "cluster")]
    for folder, cluster in zip(folders, (None, "local"), strict=True):
        plan = Plan(tiny_rig, folder, 3, {"train": 3, "val": 2, "test": 1}, 128, rig_cache)
        assert len(unfinished_shards(plan)) == 3
        seen = []
        assert produce(plan, 1, seen.append, cluster) == sum(seen) == 6
        assert not unfinished_shards(plan)
    first, second = (
        {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*.parquet")}
        for folder in folders
    )
    assert first == second
