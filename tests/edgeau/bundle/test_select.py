from __future__ import annotations

import itertools
import json
import logging
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeau._system import processor
from edgeau._system import timing as run_times
from edgeau.action_units.network import AUDetector
from edgeau.bundle import benchmark as measuring
from edgeau.bundle import load_bundle, select, time_artifacts, verification
from edgeau.bundle.benchmark import SessionTime, Timing, time_alternately, time_session
from edgeau.bundle.load import Bundle
from edgeau.bundle.select import is_disturbed, rank_timings, select_artifact, slower_than_float
from edgeau.errors import DependencyError, EngineError
from edgeau.runtimes import open_session
from edgeau.runtimes.session import EngineInfo, FunctionSession, Session
from edgeau.runtimes.table import engine_versions


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
    best, *others = rank_timings(rows)
    assert (best.file, best.threads) == expected
    assert len(others) == sum(r.latency_ms is not None for r in rows) - 1


def test_quantized_that_is_slower_than_float_is_told_once_a_precision() -> None:
    rows = [
        row("f", 10, 1),
        row("f", 6, 2),
        row("q", 20, 1, "int8"),
        row("q", 11, 2, "int8"),
        row("slowest", 15, 2, "int8"),
    ]
    (slower,) = slower_than_float(rows)
    assert (slower.quantized, slower.best_float) == (rows[3], rows[1])
    assert "int8 is slower than float on this machine: q " in str(slower)
    assert slower_than_float(rows[2:]) == []


def test_a_precision_that_one_engine_runs_fast_is_not_called_slow() -> None:
    rows = [
        Timing("a.onnx", "onnxruntime", "fp32", 1, 10.0),
        Timing("a8.onnx", "openvino", "int8", 1, 14.0),
        Timing("a8.tflite", "litert", "int8", 1, 5.0),
    ]
    assert slower_than_float(rows) == []
    assert [str(one.quantized.file) for one in slower_than_float(rows[:2])] == ["a8.onnx"]


CROP = np.zeros((1, 3, 2, 2), np.float32)


class Clock:
    """Time that passes only when a session says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = self.cpu_s = 0.0
        for module in (measuring, run_times):
            monkeypatch.setattr(module, "time", self)

    def perf_counter(self) -> float:
        return self.now_s

    def process_time(self) -> float:
        return self.cpu_s

    def session(self, *seconds: float, share: float = 1.0) -> FunctionSession:
        """Each run takes the next of some times, over and over, and ``share`` of it on a processor."""
        times = itertools.cycle(seconds)

        def run(batch: np.ndarray) -> np.ndarray:
            taken = next(times)
            self.now_s += taken
            self.cpu_s += taken * share
            return np.zeros((len(batch), 1))

        return FunctionSession(run)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_timing_spends_what_it_may(clock: Clock) -> None:
    measured = time_session(clock.session(0.005, share=0.5), CROP, 0.1)
    assert measured.latency_ms == pytest.approx(5)
    assert measured.cpu_ms == pytest.approx(2.5)
    assert measured.runs in (20, 21)
    assert clock.now_s == pytest.approx(0.1, abs=0.006)


def test_what_disturbs_some_runs_does_not_count(clock: Clock) -> None:
    assert time_session(clock.session(0.05, 0.01, 0.03), CROP, 1).latency_ms < 20


def test_timing_makes_three_runs_unless_they_are_endless(clock: Clock) -> None:
    assert time_session(clock.session(0.03), CROP, 0.05).runs == 3
    assert time_session(clock.session(0.12), CROP, 0.05).runs == 1


def test_turns_are_taken() -> None:
    order: list[str] = []

    def noting(name: str) -> FunctionSession:
        return FunctionSession(lambda batch: (order.append(name), np.zeros((len(batch), 1)))[1])

    times = time_alternately([(noting("a"), CROP), (noting("b"), CROP)], 0.001)
    assert order[:2] == ["a", "b"]
    assert [measured.runs for measured in times] == [len(order) // 2] * 2


DISTURBED = {
    "a thread of its own": ([(1, 10, 9.9)], False),
    "a thread that waited": ([(1, 10, 9.9), (1, 30, 12)], True),
    "several threads may wait": ([(2, 10, 5)], False),
    "a device may": ([(None, 10, 0.1)], False),
    "nothing timed": ([(1, None, None)], False),
}


@pytest.mark.parametrize(("rows", "expected"), DISTURBED.values(), ids=DISTURBED)
def test_other_programs_are_noticed(rows: list[tuple], expected: bool) -> None:
    timings = [replace(row("f", ms, threads), cpu_ms=cpu) for threads, ms, cpu in rows]
    assert is_disturbed(timings) is expected


class Timed(FunctionSession):
    """A real session that is said to take some milliseconds, whatever else this machine does."""

    def __init__(self, session: Session, threads: int, speed_ms: float) -> None:
        super().__init__(session.run)
        self.speed_ms = speed_ms
        self._info = replace(session.describe(), threads=threads)

    def describe(self) -> EngineInfo:
        return self._info


class Machine:
    """Real engines with set speeds: milliseconds of one run with one thread, by file name."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **speeds: float) -> None:
        self.speeds = {f"{name}.onnx": speed for name, speed in speeds.items()}
        self.opened: list[tuple[str, int]] = []
        monkeypatch.setattr(verification, "open_session", self.open)
        monkeypatch.setattr(measuring, "thread_counts", lambda: (1, 2, 4))
        monkeypatch.setattr(measuring, "time_session", lambda session, *_: self.measured(session))
        monkeypatch.setattr(
            measuring,
            "time_alternately",
            lambda sessions, *_: [self.measured(session) for session, _ in sessions],
        )

    def open(self, runtime: str, file: Path, *, threads: int, **options: object) -> Timed:
        self.opened.append((file.name, threads))
        session = open_session(runtime, file, threads=1, **options)
        return Timed(session, threads, self.speeds[file.name] / threads)

    def measured(self, session: Timed) -> SessionTime:
        return SessionTime(session.speed_ms, session.speed_ms, 5)


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
    opened = select_artifact(bundle)
    assert opened.artifact.file == "small.onnx"
    assert opened.session.describe().threads == 4
    assert {(t.file, t.threads) for t in opened.timings} >= {("float.onnx", n) for n in (1, 2, 4)}


def test_int8_that_is_slower_is_not_opened_and_not_hidden(bundle: Bundle, monkeypatch, caplog) -> None:
    Machine(monkeypatch, float=6, small=12)
    assert select_artifact(bundle).artifact.file == "float.onnx"
    assert "int8 is slower than float on this machine: small.onnx" in caplog.text
    assert "it is not used" in caplog.text
    caplog.clear()
    assert select_artifact(bundle, "int8").artifact.file == "small.onnx"
    assert "against float.onnx" in caplog.text
    assert "it was asked for" in caplog.text


def test_what_cannot_become_the_fastest_is_tried_with_one_thread_only(bundle: Bundle, monkeypatch) -> None:
    machine = Machine(monkeypatch, float=4, small=40)
    select_artifact(bundle)
    assert {threads for file, threads in machine.opened if file == "small.onnx"} == {1}
    rows = time_artifacts(bundle, bundle.artifacts(), seconds=0.1)
    assert [(r.file, r.threads) for r in rows] == [
        (file, threads) for file in ("float.onnx", "small.onnx") for threads in (1, 2, 4)
    ]
    assert all(r.latency_ms is not None and r.runs >= 1 for r in rows)


def test_the_second_start_measures_nothing(bundle: Bundle, monkeypatch) -> None:
    machine = Machine(monkeypatch, float=4, small=8)
    first = select_artifact(bundle)
    machine.opened.clear()
    again = select_artifact(bundle)
    assert machine.opened == [("float.onnx", first.session.describe().threads)]
    assert again.timings == first.timings


def test_a_fixed_number_of_threads_is_kept(bundle: Bundle, monkeypatch) -> None:
    machine = Machine(monkeypatch, float=4, small=8)
    opened = select_artifact(bundle, threads=2)
    assert opened.session.describe().threads == 2
    assert {threads for _, threads in machine.opened} == {2}


def test_what_was_disturbed_is_chosen_by_processor_time_and_not_remembered(
    bundle: Bundle, monkeypatch, caplog
) -> None:
    machine = Machine(monkeypatch, float=2, small=2)
    rows = [
        replace(row("float.onnx", 90), cpu_ms=10),
        replace(row("float.onnx", 50, 2), cpu_ms=11),
        replace(row("small.onnx", 40, precision="int8"), cpu_ms=30),
    ]
    monkeypatch.setattr(select, "time_artifacts", lambda *_, **__: rows)
    for _ in range(2):
        caplog.clear()
        opened = select_artifact(bundle)
        assert (opened.artifact.file, opened.session.describe().threads) == ("float.onnx", 1)
        assert "other programs kept the processors busy" in caplog.text
        assert "int8 is slower than float" in caplog.text
    assert [t.latency_ms for t in opened.timings] == [10, 30]
    assert machine.opened == [("float.onnx", 1)] * 2


def test_with_nothing_to_choose_nothing_is_measured(bundle: Bundle, monkeypatch) -> None:
    machine = Machine(monkeypatch, float=4, small=8)
    opened = select_artifact(bundle, "small.onnx", threads=1)
    assert machine.opened == [("small.onnx", 1)]
    assert opened.timings == ()


CHANGES = {
    "engine versions": lambda m: m.setattr(select, "engine_versions", lambda: {"x": "2"}),
    "processor": lambda m: m.setattr(select, "processor_identity", lambda: "another"),
    "number of processors": lambda m: m.setattr(select, "usable_processors", lambda: 77),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_another_machine_is_measured_anew(bundle: Bundle, monkeypatch, change) -> None:
    machine = Machine(monkeypatch, float=2, small=8)
    select_artifact(bundle)
    machine.opened.clear()
    change(monkeypatch)
    select_artifact(bundle)
    assert len(machine.opened) > 1


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[]", b"{}", b'{"rows": 7}', b'{"rows": [{"file": 3}]}', b'{"rows": [null]}'],
)
def test_a_damaged_memory_is_measured_over(
    bundle: Bundle, tmp_path: Path, monkeypatch, content: bytes
) -> None:
    machine = Machine(monkeypatch, float=2, small=8)
    select_artifact(bundle)
    (note,) = (tmp_path / "cache" / "edgeau" / "timings").iterdir()
    whole = note.read_bytes()
    note.write_bytes(content)
    machine.opened.clear()
    assert select_artifact(bundle).artifact.file == "float.onnx"
    assert len(machine.opened) > 1
    assert json.loads(note.read_bytes()).keys() == json.loads(whole).keys()


def test_a_memory_that_cannot_be_written_is_not_fatal(
    bundle: Bundle, tmp_path: Path, monkeypatch, caplog
) -> None:
    Machine(monkeypatch, float=2, small=8)
    (tmp_path / "cache").touch()
    caplog.set_level(logging.INFO)
    for _ in range(2):
        assert select_artifact(bundle).artifact.file == "float.onnx"
    assert "the cache of timings cannot be written" in caplog.text


def test_nothing_is_left_open(bundle: Bundle, monkeypatch) -> None:
    machine = Machine(monkeypatch, float=2, small=2)
    closed: list[str] = []
    monkeypatch.setattr(FunctionSession, "close", lambda self: closed.append("closed"))
    opened = select_artifact(bundle)
    assert len(closed) == len(machine.opened) - 1
    opened.session.close()
    closed.clear()
    machine.opened.clear()
    time_artifacts(bundle, bundle.artifacts(), seconds=0.05)
    assert len(closed) == len(machine.opened)


def test_a_fault_is_a_row(bundle: Bundle, monkeypatch) -> None:
    machine = Machine(monkeypatch, float=2, small=2)
    real = machine.open

    def opening(runtime: str, file: Path, **options) -> FunctionSession:
        if file.name == "small.onnx":
            raise DependencyError("pip install it")
        return real(runtime, file, **options)

    monkeypatch.setattr(verification, "open_session", opening)
    rows = time_artifacts(bundle, bundle.artifacts(), threads=[1], seconds=0.05)
    assert [(r.file, r.fault) for r in rows] == [("float.onnx", None), ("small.onnx", "pip install it")]
    assert "pip install it" in str(rows[1])
    assert "ms" in str(rows[0])


def test_the_real_engine_is_measured_and_chosen(bundle: Bundle) -> None:
    rows = time_artifacts(bundle, bundle.artifacts(), seconds=0.2)
    counts = processor.thread_counts()
    assert [r.threads for r in rows] == [*counts, *counts]
    with AUDetector.load(bundle) as detector:
        assert detector.describe().threads in counts


def test_thread_counts_end_at_the_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    for processors, counts in {1: (1,), 2: (1, 2), 3: (1, 2), 4: (1, 2, 4), 64: (1, 2, 4)}.items():
        monkeypatch.setattr(processor, "usable_processors", lambda n=processors: n)
        assert processor.thread_counts() == counts


def test_versions_of_engines_are_known_without_importing_them() -> None:
    import onnxruntime

    versions = engine_versions()
    assert versions["onnxruntime"] == onnxruntime.__version__
    assert "numpy" not in versions


UNKNOWN = {
    "precision": ("int3", "has the precision 'int3'; this edgeau knows fp32.*upgrade edgeau"),
    "runtime": ("abacus", "this edgeau has no engine 'abacus'; it has litert"),
}


@pytest.mark.parametrize(("field", "value", "said"), [(k, *v) for k, v in UNKNOWN.items()], ids=UNKNOWN)
def test_an_artifact_of_a_newer_edgeau_is_skipped_with_one_line(
    make_bundle, tmp_path: Path, monkeypatch, caplog, field: str, value: str, said: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = make_bundle(files={"newer.onnx": None, "float.onnx": None})
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["artifacts"][0][field] = value
    (path / "manifest.json").write_text(json.dumps(manifest))
    bundle = load_bundle(path)
    Machine(monkeypatch, newer=1, float=2)
    for _ in range(2):  # measured, then remembered
        caplog.clear()
        with select_artifact(bundle).session as session:
            assert session.run(np.zeros((1, 3, 224, 224), np.float32)).shape == (1, 18)
        lines = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
        (line,) = [line for line in lines if "newer.onnx" in line]
        assert re.search(f"newer.onnx is not used: .*{said}", line)
    with pytest.raises(EngineError, match=said):
        select_artifact(bundle, "newer.onnx", threads=1)
