"""The build, the engine and its answers on a real GPU; skipped where there is none. Nobody has run these on a Jetson yet."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from edgeau.errors import EdgeauError, EngineError
from edgeau.runtimes import open_session
from edgeau.runtimes.tensorrt.cuda import Cuda
from edgeau.runtimes.tensorrt.engines import open_engine_of
from edgeau.runtimes.tensorrt.machine import Machine, this_machine
from edgeau.runtimes.tensorrt.module import import_tensorrt, version_of
from edgeau.runtimes.tensorrt.options import EngineOptions
from edgeau.runtimes.tensorrt.session import TensorRtSession

pytestmark = pytest.mark.tensorrt


@pytest.fixture(scope="session")
def machine() -> Machine:
    try:
        return this_machine(import_tensorrt(), Cuda())
    except EdgeauError as error:
        pytest.skip(f"no GPU with TensorRT: {error}")


@pytest.fixture
def network(tmp_path: Path, tiny_onnx: Callable[..., None], machine: Machine) -> Path:
    file = tmp_path / "tiny.onnx"
    tiny_onnx(file, 1)
    return file


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def session(network: Path) -> Iterator[TensorRtSession]:
    with TensorRtSession(network) as opened:
        yield opened


def batch_of(count: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, 3, 224, 224)).astype(np.float32)


def expected(network: Path, batch: np.ndarray) -> np.ndarray:
    with open_session("onnxruntime", network, threads=1) as session:
        return session.run(batch).copy()


@pytest.mark.parametrize("count", [1, 2, 5])
def test_it_answers_as_onnx_runtime_does(session: TensorRtSession, network: Path, count: int):
    batch = batch_of(count)
    np.testing.assert_allclose(session.run(batch), expected(network, batch), atol=0.05)


def test_a_run_does_not_touch_the_answers_of_the_one_before(session: TensorRtSession):
    first = session.run(batch_of(1))
    kept = first.copy()
    session.run(-batch_of(1))
    np.testing.assert_array_equal(first, kept)


def test_it_says_what_it_runs_on(session: TensorRtSession, machine: Machine):
    info = session.describe()
    assert (info.engine, info.version, info.provider) == ("tensorrt", machine.tensorrt, machine.gpu)
    assert (info.threads, info.batch) == (None, 1)


def test_the_second_time_nothing_is_built(network: Path, caplog: pytest.LogCaptureFixture):
    with TensorRtSession(network) as session:
        first = session.run(batch_of(1))
    caplog.clear()
    with caplog.at_level(logging.INFO), TensorRtSession(network) as session:
        np.testing.assert_array_equal(session.run(batch_of(1)), first)
    assert "building" not in caplog.text


def test_a_truncated_engine_is_dropped_and_built_again(
    network: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    TensorRtSession(network).close()
    (engine,) = (tmp_path / "cache").rglob("*.engine")
    engine.write_bytes(engine.read_bytes()[:-100])
    with TensorRtSession(network) as session:
        session.run(batch_of(1))
    assert "is not used" in caplog.text


@pytest.mark.parametrize("content", [b"", b"no engine at all", bytes(100_000)])
def test_a_foreign_engine_is_one_line(tmp_path: Path, machine: Machine, content: bytes):
    file = tmp_path / "foreign.engine"
    file.write_bytes(content)
    with pytest.raises(EngineError, match="refuses the engine") as caught:
        open_session("tensorrt", file)
    assert "\n" not in str(caught.value)


def test_what_is_no_onnx_is_the_parsers_error_in_full(tmp_path: Path, machine: Machine):
    file = tmp_path / "no.onnx"
    file.write_bytes(b"no onnx")
    with pytest.raises(EngineError, match="cannot read no.onnx"):
        open_session("tensorrt", file)


def test_an_accelerator_that_is_not_there_is_named(network: Path, machine: Machine):
    with pytest.raises(EngineError, match="DLA core 7 was asked for on this board"):
        open_session("tensorrt", network, provider="dla:7")


def test_crops_of_another_size_are_refused(session: TensorRtSession):
    with pytest.raises(EngineError, match=r"takes crops of \(3, 224, 224\), got \(3, 112, 112\)"):
        session.run(np.zeros((1, 3, 112, 112), np.float32))


def test_a_closed_session_says_so_and_closes_again(session: TensorRtSession):
    session.close()
    session.close()
    with pytest.raises(ValueError, match="closed"):
        session.run(batch_of(1))


def test_the_run_is_a_cuda_graph_from_8_6_on(network: Path, machine: Machine):
    opened = open_engine_of(network, EngineOptions())
    try:
        assert (opened.engine._graph is not None) == (version_of(import_tensorrt()) >= (8, 6))
    finally:
        opened.engine.close()


def test_sessions_opened_and_closed_give_their_memory_back(network: Path, machine: Machine):
    cudart = Cuda()._cudart
    TensorRtSession(network).close()
    free = int(cudart.cudaMemGetInfo()[1])
    for _ in range(10):
        TensorRtSession(network).close()
    assert free - int(cudart.cudaMemGetInfo()[1]) < 32 << 20
