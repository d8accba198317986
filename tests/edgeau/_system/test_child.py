"""Native faults, endless work and hunger in a child process: named, and nothing of them here."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from edgeau._system.child import ChildReport, run_in_child

WORK = """
import os, signal, sys

def values(*given):
    print("an engine's greeting")
    os.write(2, b"and what it complains of")
    yield from given

def crash():
    yield "before"
    os.kill(os.getpid(), signal.SIGSEGV)

def abort():
    yield "before"
    os.abort()

def endless():
    yield "before"
    while True:
        pass

def busy(times):
    import time
    for _ in range(times):
        end = time.process_time() + 0.7
        while time.process_time() < end:
            pass
        yield "done"

def hungry():
    yield "before"
    kept = bytearray(600 << 20)
    yield len(kept)

def raising():
    yield "before"
    raise ValueError
"""


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "odd_work.py").write_text(WORK)
    monkeypatch.syspath_prepend(str(tmp_path))


def test_values_come_back_whatever_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    given = (1, "two", ["\udcff", None], {"a": 0.5})
    assert run_in_child("odd_work:values", *given) == ChildReport(given, None)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("function", "signal"), [("crash", "SIGSEGV"), ("abort", "SIGABRT")])
def test_a_crash_is_named_and_what_came_before_is_there(function: str, signal: str) -> None:
    assert run_in_child(f"odd_work:{function}") == ChildReport(("before",), signal)


def test_endless_work_is_ended() -> None:
    report = run_in_child("odd_work:endless", cpu_s=2)
    assert report == ChildReport(("before",), "more than 2 s of processor time")


def test_the_limit_is_for_each_item() -> None:
    assert run_in_child("odd_work:busy", 5, cpu_s=2) == ChildReport(("done",) * 5, None)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit data")
def test_memory_is_limited() -> None:
    over = ChildReport(("before",), "more memory than it may have")
    assert run_in_child("odd_work:hungry", memory=500 << 20) == over
    assert run_in_child("odd_work:hungry", memory=None) == ChildReport(("before", 600 << 20), None)


def test_a_function_that_raises_is_no_outcome() -> None:
    assert run_in_child("odd_work:raising") is None
    assert run_in_child("odd_work:none_such") is None


def test_no_python_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hosts such as uwsgi, and frozen programs: their executable would start the program again."""
    monkeypatch.setattr("multiprocessing.spawn.get_executable", lambda: "/usr/bin/uwsgi")
    assert run_in_child("odd_work:values", 1) is None
    monkeypatch.setattr("multiprocessing.spawn.get_executable", lambda: str(tmp_path / "python"))
    assert run_in_child("odd_work:values", 1) is None
    monkeypatch.undo()
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert run_in_child("odd_work:values", 1) is None


def test_nothing_of_the_folder_is_imported_that_it_runs_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``python -c`` looks there first."""
    folder = tmp_path / "of somebody"
    folder.mkdir()
    (folder / "json.py").write_text("raise SystemExit('taken over')")
    monkeypatch.chdir(folder)
    assert run_in_child("odd_work:values", 1) == ChildReport((1,), None)
