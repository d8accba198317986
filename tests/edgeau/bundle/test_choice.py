from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeau.backends import open_session, thread_count
from edgeau.backends.function import FunctionSession
from edgeau.backends.installed import engine_versions
from edgeau.bundle import judged, load_bundle, measure_engines, measuring, remembered_timings
from edgeau.bundle.bundle import Bundle
from edgeau.bundle.choice import ranked, slower_than_float
from edgeau.bundle.engine import open_engine
from edgeau.bundle.timing import Timing, time_alternately, time_session
from edgeau.detector import AUDetector
from edgeau.errors import DependencyError
from edgeau.session import EngineInfo


def row(file: str, latency_ms: float | None, threads: int | None = 1, precision: str = "fp32") -> Timing:
    return Timing(file, "onnxruntime", precision, threads, latency_ms, 5)


CHOICES = {
    "the fastest": ([row("slow", 20), row("fast", 10)], ("fast", 1)),
    "the bundle's order among equals": ([row("one", 10), row("two", 10)], ("one", 1)),
    "the truest of about equals": ([row("q", 10, 1, "int8"), row("f", 10.4)], ("f", 1)),
    "int8 that is really faster": ([row("q", 9, 1, "int8"), row("f", 10)], ("q", 1)),
    "half precision before int8": ([row("q", 10, 1, "int8"), row("h", 10, 1, "fp16")], ("h", 1)),
    "float on two threads before int8 on one": (
        [row("q", 10, 1, "int8"), row("f", 9.9, 2)],
        ("f", 2),
    ),
    "fewer threads when more bring nothing": ([row("f", 10, 1), row("f", 9.8, 2)], ("f", 1)),
    "more threads when they bring something": ([row("f", 10, 1), row("f", 6, 2), row("f", 5.9, 4)], ("f", 2)),
    "none that was not timed": ([row("broken", None), row("f", 10)], ("f", 1)),
    "an engine that decides on threads": ([row("g", 3, None, "fp16"), row("f", 10)], ("g", None)),
}


@pytest.mark.parametrize(("rows", "expected"), CHOICES.values(), ids=CHOICES)
def test_the_choice_is(rows: list[Timing], expected: tuple[str, int | None]) -> None:
    best, *others = ranked(rows)
    assert (best.file, best.threads) == expected
    assert len(others) == sum(r.latency_ms is not None for r in rows) - 1


def test_quantized_that_is_slower_than_float_is_told_once_a_file() -> None:
    rows = [
        row("f", 10, 1),
        row("f", 6, 2),
        row("q", 20, 1, "int8"),
        row("q", 11, 2, "int8"),
        row("fast", 5, 2, "int8"),
    ]
    (slower,) = slower_than_float(rows)
    assert (slower.quantized, slower.best_float) == (rows[3], rows[1])
    assert "int8 is slower than float on this machine: q " in str(slower)
    assert slower_than_float(rows[2:]) == []


def sleeper(milliseconds: float) -> FunctionSession:
    def run(batch: np.ndarray) -> np.ndarray:
        time.sleep(milliseconds / 1e3)
        return np.zeros((len(batch), 1))

    return FunctionSession(run)


def test_timing_is_right_and_spends_what_it_may() -> None:
    start = time.perf_counter()
    latency_ms, runs = time_session(sleeper(5), np.zeros((1, 3, 2, 2), np.float32), 0.1)
    assert time.perf_counter() - start < 0.15
    assert 5 <= latency_ms < 9
    assert 5 <= runs <= 20


def test_timing_makes_three_runs_unless_they_are_endless() -> None:
    crop = np.zeros((1, 3, 2, 2), np.float32)
    assert time_session(sleeper(30), crop, 0.05)[1] == 3
    assert time_session(sleeper(120), crop, 0.05)[1] == 1


def test_turns_are_taken() -> None:
    order: list[str] = []

    def noting(name: str) -> FunctionSession:
        return FunctionSession(lambda batch: (order.append(name), np.zeros((len(batch), 1)))[1])

    crop = np.zeros((1, 3, 2, 2), np.float32)
    times = time_alternately([noting("a"), noting("b")], crop, 0.001)
    assert order[:6] == ["a", "b"] * 3
    assert [runs for _, runs in times] == [len(order) // 2] * 2


class Machine:
    """Real engines with set speeds: milliseconds of one run by file name."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **speeds: float) -> None:
        self.speeds = {f"{name}.onnx": speed for name, speed in speeds.items()}
        self.gain: Callable[[int], float] = float
        self.opened: list[tuple[str, int]] = []
        monkeypatch.setattr(judged, "open_session", self.open)
        monkeypatch.setattr(measuring, "thread_counts", lambda: (1, 2, 4))

    def open(self, runtime: str, file: Path, *, threads: int, provider: str | None) -> FunctionSession:
        self.opened.append((file.name, threads))
        session = open_session(runtime, file, threads=1, provider=provider)
        seconds = self.speeds[file.name] / self.gain(threads) / 1e3

        class Timed(FunctionSession):
            def describe(self) -> EngineInfo:
                return replace(session.describe(), threads=threads)

        def run(batch: np.ndarray) -> np.ndarray:
            time.sleep(seconds)
            return session.run(batch)

        return Timed(run)


@pytest.fixture
def bundle(make_bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = make_bundle(files={"float.onnx": None, "small.onnx": None})
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["artifacts"][1]["precision"] = "int8"
    (path / "manifest.json").write_text(json.dumps(manifest))
    return load_bundle(path)


def test_the_fastest_with_the_best_number_of_threads_is_opened(bundle: Bundle, monkeypatch) -> None:
    Machine(monkeypatch, float=80, small=40)
    opened = open_engine(bundle)
    assert opened.artifact.file == "small.onnx"
    assert opened.session.describe().threads == 4
    assert {(t.file, t.threads) for t in opened.timings} >= {("float.onnx", n) for n in (1, 2, 4)}


def test_int8_that_is_slower_is_not_opened_and_not_hidden(bundle: Bundle, monkeypatch, caplog) -> None:
    Machine(monkeypatch, float=6, small=12)
    assert open_engine(bundle).artifact.file == "float.onnx"
    assert "int8 is slower than float on this machine: small.onnx" in caplog.text
    assert "it is not used" in caplog.text
    caplog.clear()
    assert open_engine(bundle, "int8").artifact.file == "small.onnx"
    assert "against float.onnx" in caplog.text
    assert "it was asked for" in caplog.text


def test_what_cannot_become_the_fastest_is_tried_with_one_thread_only(bundle: Bundle, monkeypatch) -> None:
    machine = Machine(monkeypatch, float=4, small=40)
    open_engine(bundle)
    assert {threads for file, threads in machine.opened if file == "small.onnx"} == {1}
    rows = measure_engines(bundle, seconds=0.1)
    assert [(r.file, r.threads) for r in rows] == [
        (file, threads) for file in ("float.onnx", "small.onnx") for threads in (1, 2, 4)
    ]
    assert all(r.latency_ms is not None and r.runs >= 1 for r in rows)


def test_the_second_start_measures_nothing(bundle: Bundle, monkeypatch) -> None:
    machine = Machine(monkeypatch, float=4, small=8)
    first = open_engine(bundle)
    machine.opened.clear()
    again = open_engine(bundle)
    assert machine.opened == [("float.onnx", first.session.describe().threads)]
    assert again.timings == first.timings


def test_a_fixed_number_of_threads_is_kept(bundle: Bundle, monkeypatch) -> None:
    machine = Machine(monkeypatch, float=4, small=8)
    opened = open_engine(bundle, threads=2)
    assert opened.session.describe().threads == 2
    assert {threads for _, threads in machine.opened} == {2}


def test_with_nothing_to_choose_nothing_is_measured(bundle: Bundle, monkeypatch) -> None:
    machine = Machine(monkeypatch, float=4, small=8)
    opened = open_engine(bundle, "small.onnx", threads=1)
    assert machine.opened == [("small.onnx", 1)]
    assert opened.timings == ()


CHANGES = {
    "engine versions": lambda m: m.setattr(remembered_timings, "engine_versions", lambda: {"x": "2"}),
    "processor": lambda m: m.setattr(remembered_timings, "processor_identity", lambda: "another"),
    "number of processors": lambda m: m.setattr(remembered_timings, "usable_processors", lambda: 77),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_another_machine_is_measured_anew(bundle: Bundle, monkeypatch, change) -> None:
    machine = Machine(monkeypatch, float=2, small=8)
    open_engine(bundle)
    machine.opened.clear()
    change(monkeypatch)
    open_engine(bundle)
    assert len(machine.opened) > 1


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[]", b"{}", b'{"rows": 7}', b'{"rows": [{"file": 3}]}', b'{"rows": [null]}'],
)
def test_a_damaged_memory_is_measured_over(
    bundle: Bundle, tmp_path: Path, monkeypatch, content: bytes
) -> None:
    machine = Machine(monkeypatch, float=2, small=8)
    open_engine(bundle)
    (note,) = (tmp_path / "cache" / "edgeau" / "timings").iterdir()
    whole = note.read_bytes()
    note.write_bytes(content)
    machine.opened.clear()
    assert open_engine(bundle).artifact.file == "float.onnx"
    assert len(machine.opened) > 1
    assert json.loads(note.read_bytes()).keys() == json.loads(whole).keys()


def test_a_memory_that_cannot_be_written_is_not_fatal(
    bundle: Bundle, tmp_path: Path, monkeypatch, caplog
) -> None:
    Machine(monkeypatch, float=2, small=8)
    (tmp_path / "cache").touch()
    caplog.set_level(logging.INFO)
    for _ in range(2):
        assert open_engine(bundle).artifact.file == "float.onnx"
    assert "cannot remember how fast" in caplog.text


def test_nothing_is_left_open(bundle: Bundle, monkeypatch) -> None:
    machine = Machine(monkeypatch, float=2, small=2)
    closed: list[str] = []
    monkeypatch.setattr(FunctionSession, "close", lambda self: closed.append("closed"))
    opened = open_engine(bundle)
    assert len(closed) == len(machine.opened) - 1
    opened.session.close()
    closed.clear()
    machine.opened.clear()
    measure_engines(bundle, seconds=0.05)
    assert len(closed) == len(machine.opened)


def test_a_fault_is_a_row(bundle: Bundle, monkeypatch) -> None:
    machine = Machine(monkeypatch, float=2, small=2)
    real = machine.open

    def opening(runtime: str, file: Path, **options) -> FunctionSession:
        if file.name == "small.onnx":
            raise DependencyError("pip install it")
        return real(runtime, file, **options)

    monkeypatch.setattr(judged, "open_session", opening)
    rows = measure_engines(bundle, threads=[1], seconds=0.05)
    assert [(r.file, r.fault) for r in rows] == [("float.onnx", None), ("small.onnx", "pip install it")]
    assert "pip install it" in str(rows[1])
    assert "ms" in str(rows[0])


def test_the_real_engine_is_measured_and_chosen(bundle: Bundle) -> None:
    rows = measure_engines(bundle, seconds=0.2)
    counts = thread_count.thread_counts()
    assert [r.threads for r in rows] == [*counts, *counts]
    with AUDetector.load(bundle) as detector:
        assert detector.describe().threads in counts


def test_thread_counts_end_at_the_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    for processors, counts in {1: (1,), 2: (1, 2), 3: (1, 2), 4: (1, 2, 4), 64: (1, 2, 4)}.items():
        monkeypatch.setattr(thread_count, "usable_processors", lambda n=processors: n)
        assert thread_count.thread_counts() == counts


def test_versions_of_engines_are_known_without_importing_them() -> None:
    import onnxruntime

    versions = engine_versions()
    assert versions["onnxruntime"] == onnxruntime.__version__
    assert "numpy" not in versions
