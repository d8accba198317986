"""Engines are kept whole, found again, dropped when broken, and built once."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from edgeau.errors import EngineError
from edgeau.runtimes.tensorrt.cache import EngineCache, EngineKey
from edgeau.runtimes.tensorrt.machine import Machine
from edgeau.runtimes.tensorrt.options import EngineOptions

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
ORIN = Machine("10.3.0", "Orin", "8.7", "CUDA 12060")
KEY = EngineKey("model.trt.int8.onnx", "ab" * 32, ORIN, EngineOptions())


@pytest.fixture
def cache(tmp_path: Path) -> EngineCache:
    return EngineCache(tmp_path / "cache")


def never() -> bytes:
    raise AssertionError("built again")


def stale_free(engine: bytes) -> bytes:
    return engine


def kept_files(tmp_path: Path) -> list[str]:
    return sorted(
        file.suffix for file in (tmp_path / "cache").rglob("*") if file.is_file() and file.suffix != ".lock"
    )


def test_an_engine_is_built_once_and_found_again(cache: EngineCache):
    assert cache.open(KEY, lambda: b"engine", stale_free) == b"engine"
    assert cache.open(KEY, never, stale_free) == b"engine"


@pytest.mark.parametrize(
    "other",
    [
        replace(KEY, artifact="cd" * 32),
        replace(KEY, machine=replace(ORIN, tensorrt="10.7.0")),
        replace(KEY, machine=replace(ORIN, gpu="Thor")),
        replace(KEY, machine=replace(ORIN, capability="11.0")),
        replace(KEY, machine=replace(ORIN, driver="CUDA 13000")),
        replace(KEY, options=EngineOptions(dla_core=0)),
        replace(KEY, options=EngineOptions(workspace_mib=256)),
        replace(KEY, options=EngineOptions(optimization_level=5)),
        replace(KEY, options=EngineOptions(version_compatible=True)),
        replace(KEY, options=EngineOptions(calibration="ef" * 32)),
    ],
)
def test_whatever_an_engine_depends_on_makes_another(cache: EngineCache, other: EngineKey):
    cache.open(KEY, lambda: b"mine", stale_free)
    assert cache.open(other, lambda: b"another", stale_free) == b"another"


def test_the_name_of_the_file_does_not_matter(cache: EngineCache):
    cache.open(KEY, lambda: b"engine", stale_free)
    assert cache.open(replace(KEY, name="renamed.onnx"), never, stale_free) == b"engine"


def test_one_line_says_why_it_is_built_again(cache: EngineCache, caplog: pytest.LogCaptureFixture):
    cache.open(KEY, lambda: b"old", stale_free)
    caplog.clear()
    cache.open(replace(KEY, machine=replace(ORIN, tensorrt="10.7.0")), lambda: b"new", stale_free)
    (record,) = caplog.records
    assert "tensorrt was 10.3.0, is 10.7.0" in record.message
    assert "\n" not in record.message


def test_an_upgrade_removes_the_engine_that_no_longer_fits(cache: EngineCache, tmp_path: Path):
    cache.open(KEY, lambda: b"old", stale_free)
    cache.open(replace(KEY, machine=replace(ORIN, tensorrt="10.7.0")), lambda: b"new", stale_free)
    assert kept_files(tmp_path) == [".engine", ".json"]


def test_engines_of_two_gpus_live_side_by_side(cache: EngineCache):
    cache.open(KEY, lambda: b"orin", stale_free)
    other = replace(KEY, machine=replace(ORIN, gpu="RTX"))
    cache.open(other, lambda: b"rtx", stale_free)
    assert cache.open(KEY, never, stale_free) == b"orin"
    assert cache.open(other, never, stale_free) == b"rtx"


@pytest.mark.parametrize("damage", ["truncate", "flip", "empty", "note", "no note", "foreign note"])
def test_a_damaged_engine_is_dropped_and_built_again(
    cache: EngineCache, tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
):
    cache.open(KEY, lambda: b"engine" * 100, stale_free)
    (engine,) = tmp_path.rglob("*.engine")
    note = engine.with_suffix(".json")
    content = engine.read_bytes()
    match damage:
        case "truncate":
            engine.write_bytes(content[:-7])
        case "flip":
            engine.write_bytes(b"x" + content[1:])
        case "empty":
            engine.write_bytes(b"")
        case "note":
            note.write_text("{")
        case "no note":
            note.unlink()
        case "foreign note":
            note.write_text(json.dumps(json.loads(note.read_text()) | {"facts": {}}))
    caplog.clear()
    assert cache.open(KEY, lambda: b"fresh", stale_free) == b"fresh"
    assert cache.open(KEY, never, stale_free) == b"fresh"
    assert all("\n" not in record.message for record in caplog.records)


def test_an_engine_that_does_not_load_is_dropped_aloud_and_built_again(
    cache: EngineCache, caplog: pytest.LogCaptureFixture
):
    cache.open(KEY, lambda: b"foreign", stale_free)

    def load(engine: bytes) -> bytes:
        if engine == b"foreign":
            raise EngineError("TensorRT refuses the engine")
        return engine

    assert cache.open(KEY, lambda: b"fresh", load) == b"fresh"
    assert "is not used: TensorRT refuses the engine" in caplog.text
    assert cache.open(KEY, never, load) == b"fresh"


def test_a_fresh_engine_that_does_not_load_is_not_kept(cache: EngineCache, tmp_path: Path):
    def refuse(engine: bytes) -> bytes:
        raise EngineError("refused")

    with pytest.raises(EngineError, match="refused"):
        cache.open(KEY, lambda: b"broken", refuse)
    assert kept_files(tmp_path) == []


def test_a_failed_build_leaves_nothing_and_frees_the_lock(cache: EngineCache, tmp_path: Path):
    def fail() -> bytes:
        raise EngineError("no memory left")

    with pytest.raises(EngineError, match="no memory left"):
        cache.open(KEY, fail, stale_free)
    assert kept_files(tmp_path) == []
    assert cache.open(KEY, lambda: b"engine", stale_free) == b"engine"


def test_a_cache_that_cannot_be_written_costs_a_build_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    (tmp_path / "file").write_text("in the way")
    assert EngineCache(tmp_path / "file").open(KEY, lambda: b"engine", stale_free) == b"engine"
    assert "built at every start" in caplog.text


def test_a_full_disk_costs_a_build_and_leaves_nothing(
    cache: EngineCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    from edgeau.errors import OutputError

    def full(path: Path, content: bytes) -> None:
        if path.suffix == ".json":
            raise OutputError(f"{path} cannot be written: No space left on device")
        path.write_bytes(content)

    monkeypatch.setattr("edgeau.runtimes.tensorrt.cache.write_whole", full)
    assert cache.open(KEY, lambda: b"engine", stale_free) == b"engine"
    assert kept_files(tmp_path) == []
    assert "cannot be cached" in caplog.text


# A process of its own: opens KEY with a build that leaves a mark and lasts until it is told to go on.
PROCESS = """
import logging, os, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[3])
logging.basicConfig(format="%(message)s", stream=sys.stderr)
from test_engine_cache import KEY, EngineCache
marks = Path(sys.argv[2])

def build():
    (marks / f"built-{os.getpid()}").touch()
    while not (marks / "go").exists():
        time.sleep(0.02)
    return b"engine by " + str(os.getpid()).encode()

print(EngineCache(Path(sys.argv[1])).open(KEY, build, bytes).decode())
"""


def start(tmp_path: Path) -> subprocess.Popen[str]:
    marks = tmp_path / "marks"
    marks.mkdir(exist_ok=True)
    arguments = [sys.executable, "-c", PROCESS, str(tmp_path / "cache"), str(marks), str(HERE)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def marks_in(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "marks").glob("built-*"))


def wait_for(condition: object, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)


def test_processes_that_start_at_once_build_once(tmp_path: Path):
    first = start(tmp_path)
    wait_for(lambda: marks_in(tmp_path))  # it holds the lock now
    others = [start(tmp_path), start(tmp_path)]
    for process in others:
        assert process.stderr is not None
        assert (
            "another process is building the TensorRT engine of model.trt.int8.onnx"
            in process.stderr.readline()
        )
    (tmp_path / "marks" / "go").touch()
    said = {process.communicate(timeout=60)[0] for process in (first, *others)}
    assert said == {f"engine by {first.pid}\n"}
    assert len(marks_in(tmp_path)) == 1


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path):
    first = start(tmp_path)
    wait_for(lambda: marks_in(tmp_path))
    second = start(tmp_path)
    assert second.stderr is not None
    assert "another process" in second.stderr.readline()
    first.kill()
    first.communicate(timeout=30)
    (tmp_path / "marks" / "go").touch()
    assert second.communicate(timeout=60)[0] == f"engine by {second.pid}\n"
    assert kept_files(tmp_path) == [".engine", ".json"]


def test_an_interrupted_build_leaves_nothing(tmp_path: Path):
    process = start(tmp_path)
    wait_for(lambda: marks_in(tmp_path))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert kept_files(tmp_path) == []


def test_logging_stays_quiet_where_an_engine_is_kept(cache: EngineCache, caplog: pytest.LogCaptureFixture):
    cache.open(KEY, lambda: b"engine", stale_free)
    caplog.clear()
    with caplog.at_level(logging.DEBUG):
        cache.open(KEY, never, stale_free)
    assert not caplog.records
