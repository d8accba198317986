"""Fixtures that all rooms share."""

from __future__ import annotations

import fcntl
import importlib
import json
import logging
import os
import runpy
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

# Spinning worker threads make two test processes on two cores slower than one: set before any engine is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from edgeau.bundle import BundleWriter
from edgeau.bundle.files import MANIFEST
from edgeau.bundle.manifest import Manifest
from tests import skipped

# A shell that starts us in the background has us ignore Ctrl-C, and so would the programs that the tests interrupt.
if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    and threading.current_thread() is threading.main_thread()
):
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent

# A checkout that is not installed lacks the LiteRT files of the packaged bundles.
runpy.run_path(str(ROOT / "weights" / "assemble.py"))["assemble"](ROOT)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test remembers about this machine stays out of the user's cache directory."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree, built once for all test processes: it takes twenty seconds."""
    from tests.matrix.run import build_wheel

    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder = shared / "wheel"
    with (shared / "wheel.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not any((folder / "dist").glob("*.whl")):
            folder.mkdir(exist_ok=True)
            return build_wheel(folder)
    (built,) = (folder / "dist").glob("*.whl")
    return built


_OURS = ("edgeau-", "session", "sink ")  # names of threads that somebody has to end


@pytest.fixture(scope="module", autouse=True)
def _nothing_left_running() -> Iterator[None]:
    """A module ends what it began: a stream that goes on logs into the tests behind it, and so does a limited log."""
    before = set(threading.enumerate())
    filters = {handler: list(handler.filters) for handler in logging.getLogger().handlers}
    yield
    limit = time.monotonic() + 10
    while left := [
        thread.name
        for thread in threading.enumerate()
        if thread not in before
        and thread.name.startswith(_OURS)
        and not thread.name.startswith("edgeau-read_")
    ]:
        assert time.monotonic() < limit, f"still running after this module: {left}"
        time.sleep(0.02)
    for handler in logging.getLogger().handlers:
        assert handler.filters == filters.get(handler, []), f"{handler} keeps a filter of this module"


@pytest.fixture(scope="session", autouse=True)
def _manifests_fit_their_schema() -> Iterator[None]:
    """Every manifest that a test writes is held to the JSON Schema that is committed for other languages."""
    schema = json.loads((ROOT / "edgeau" / "bundle" / "manifest.schema.json").read_text("utf-8"))
    validator = Draft202012Validator(schema)
    finish = BundleWriter.finish

    def checked(writer: BundleWriter, manifest: Manifest) -> Manifest:
        written = finish(writer, manifest)
        values = json.loads((writer.directory / MANIFEST).read_text("utf-8"))
        faults = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(values)]
        assert not faults, f"a manifest that manifest.schema.json refuses: {faults[:3]}"
        return written

    BundleWriter.finish = checked  # type: ignore[method-assign]
    yield
    BundleWriter.finish = finish  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def benchmark(root: Path) -> Callable[[str], ModuleType]:
    """Imports a module of ``benchmarks/``, which is no package, by its name there."""

    def imported(name: str) -> ModuleType:
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(root / "benchmarks"))
            return importlib.import_module(name)

    return imported


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real faces that may not be shipped: a video and landmarks, in a folder beside the checkout."""
    folder = ROOT.parent / "shared" / "data"
    if not (folder / "real-face.mp4").exists():
        pytest.skip("the real faces are not shipped: no ../shared/data beside this checkout")
    return folder


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    """A real face that may be shipped (NASA, public domain): uint8 (512, 512, 3) BGR."""
    data = pytest.importorskip("skimage.data")
    return np.ascontiguousarray(data.astronaut()[:, :, ::-1])


def _skip_reasons(reporter: pytest.TerminalReporter) -> list[str]:
    """Why each test, or file of tests, was skipped."""
    reports = reporter.stats.get("skipped", [])
    texts = (
        report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        for report in reports
    )
    return [text.removeprefix("Skipped: ") for text in texts]


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything can be installed, a skip that installing something would have spared is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    strict = os.environ.get(skipped.STRICT) and reporter is not None
    if strict and session.exitstatus in (0, 5) and skipped.forbidden(_skip_reasons(reporter)):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was skipped and what to install for it."""
    reasons = _skip_reasons(terminalreporter)
    if not reasons:
        return
    terminalreporter.section("skipped, and what to install")
    for line in skipped.summary(reasons):
        terminalreporter.write_line(line)
    if os.environ.get(skipped.STRICT):
        for reason in skipped.forbidden(reasons):
            terminalreporter.write_line(f"FAILED: skipped here, where it can run: {reason}")
