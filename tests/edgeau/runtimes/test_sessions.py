from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeau._system.processor import default_threads
from edgeau.errors import DependencyError, EngineError
from edgeau.runtimes import open_session
from edgeau.runtimes.session import EngineInfo, FunctionSession, batches, run_in_batches


@pytest.fixture(scope="module")
def random_batch() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 1, (5, 3, 224, 224)).astype(np.float32)


@pytest.mark.parametrize("batch", [None, 1, 2, 5, 8])
@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_any_number_of_crops_runs_on_any_fixed_batch(
    tiny_onnx, tmp_path: Path, random_batch: np.ndarray, batch: int | None, runtime: str
) -> None:
    pytest.importorskip(runtime, reason=f"pip install 'edgeau[{runtime}]'")
    tiny_onnx(tmp_path / "model.onnx", batch)
    tiny_onnx(tmp_path / "reference.onnx", None)
    with (
        open_session(runtime, tmp_path / "model.onnx", threads=1) as session,
        open_session("onnxruntime", tmp_path / "reference.onnx", threads=1) as reference,
    ):
        assert session.describe().batch == batch
        logits = session.run(random_batch)
        assert logits.shape == (5, 18)
        assert logits.dtype == np.float32
        np.testing.assert_allclose(logits, reference.run(random_batch), atol=1e-5)


def test_pieces_of_a_batch_are_filled_up() -> None:
    pieces = batches(np.ones((5, 1, 2, 2), np.float32), 2)
    assert [piece.shape[0] for piece in pieces] == [2, 2, 2]
    assert pieces[2][1].sum() == 0


def test_the_threads_asked_for_are_the_threads_said(tiny_onnx, tmp_path: Path) -> None:
    tiny_onnx(tmp_path / "model.onnx", None)
    with open_session("onnxruntime", tmp_path / "model.onnx", threads=2) as session:
        info = session.describe()
    assert (info.engine, info.provider, info.threads) == ("onnxruntime", "CPUExecutionProvider", 2)
    assert "2 threads" in str(info)


def test_the_default_leaves_processors_for_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for processors, threads in {1: 1, 2: 1, 4: 2, 6: 3, 8: 4, 64: 4}.items():
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, n=processors: set(range(n)))
        assert default_threads() == threads


def test_a_provider_that_is_not_there_is_an_error(tiny_onnx, tmp_path: Path) -> None:
    tiny_onnx(tmp_path / "model.onnx", None)
    with pytest.raises(EngineError, match="has no QNNExecutionProvider; it has .*CPUExecutionProvider"):
        open_session("onnxruntime", tmp_path / "model.onnx", provider="QNNExecutionProvider")


def test_a_provider_that_falls_back_is_an_error(
    tiny_onnx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A build with a provider whose libraries do not load lists it, and then runs on the CPU.
    import onnxruntime

    tiny_onnx(tmp_path / "model.onnx", None)
    inference_session = onnxruntime.InferenceSession
    both = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: both)
    monkeypatch.setattr(
        onnxruntime,
        "InferenceSession",
        lambda file, options, providers: inference_session(file, options, providers=both[1:]),
    )
    with pytest.raises(EngineError, match="asked for CUDAExecutionProvider, .* gave CPUExecutionProvider"):
        open_session("onnxruntime", tmp_path / "model.onnx", provider="CUDAExecutionProvider")


def test_a_file_that_is_no_network_is_an_error_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"nothing of use")
    with pytest.raises(EngineError, match=r"refuses model\.onnx") as caught:
        open_session("onnxruntime", tmp_path / "model.onnx")
    assert "\n" not in str(caught.value)


def test_crops_of_another_size_are_an_error(tiny_onnx, tmp_path: Path) -> None:
    tiny_onnx(tmp_path / "model.onnx", None)
    with (
        open_session("onnxruntime", tmp_path / "model.onnx") as session,
        pytest.raises(EngineError, match=r"\(1, 3, 8, 8\)"),
    ):
        session.run(np.zeros((1, 3, 8, 8), np.float32))


def test_an_unknown_engine_is_an_error_that_lists_the_known() -> None:
    with pytest.raises(EngineError, match="no engine 'abacus'; it has .*onnxruntime"):
        open_session("abacus", Path("model"))


def test_a_missing_engine_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(DependencyError, match=r"pip install 'edgeau\[onnxruntime\]'"):
        open_session("onnxruntime", tmp_path / "model.onnx")


def test_closing_twice_does_nothing_and_running_after_it_is_our_bug(tiny_onnx, tmp_path: Path) -> None:
    tiny_onnx(tmp_path / "model.onnx", None)
    session = open_session("onnxruntime", tmp_path / "model.onnx")
    session.close()
    session.close()
    with pytest.raises(ValueError, match="closed"):
        session.run(np.zeros((1, 3, 224, 224), np.float32))


def test_a_function_stands_in_for_an_engine() -> None:
    with FunctionSession(lambda batch: batch.mean(axis=(2, 3))) as session:
        logits = session.run(np.full((2, 3, 4, 4), 7, np.float32))
    assert logits.tolist() == [[7, 7, 7], [7, 7, 7]]
    assert session.describe() == EngineInfo("function", "1", "<lambda>", None, None)


def test_an_artifact_with_a_fixed_batch_answers_any_number_of_crops() -> None:
    seen: list[int] = []

    def infer(piece: np.ndarray) -> np.ndarray:
        seen.append(len(piece))
        return piece.reshape(len(piece), -1)[:, :1]

    crops = np.arange(5, dtype=np.float32).reshape(5, 1, 1, 1)
    assert run_in_batches(infer, crops, 2).ravel().tolist() == [0, 1, 2, 3, 4]
    assert seen == [2, 2, 2]
    assert run_in_batches(infer, crops, None).ravel().tolist() == [0, 1, 2, 3, 4]
    assert seen[-1] == 5


NOT_ONE_PICTURE = {
    "two inputs": "g (float[n, 3, 4, 4] x, float[n, 3, 4, 4] z) => (float[n, 3, 4, 4] y) { y = Add(x, z) }",
    "an empty batch": "g (float[0, 3, 4, 4] x) => (float[0, 3, 4, 4] y) { y = Relu(x) }",
    "a number": "g (float x) => (float y) { y = Relu(x) }",
}


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("graph", NOT_ONE_PICTURE.values(), ids=NOT_ONE_PICTURE)
def test_a_network_of_something_else_than_one_picture_is_refused(
    tmp_path: Path, graph: str, runtime: str
) -> None:
    onnx = pytest.importorskip("onnx", reason="pip install 'edgeau[export]'")
    pytest.importorskip(runtime, reason=f"pip install 'edgeau[{runtime}]'")
    head = '<ir_version: 8, opset_import: ["": 17]>'
    onnx.save(onnx.parser.parse_model(f"{head} {graph}"), tmp_path / "model.onnx")
    with pytest.raises(EngineError, match="an AU network takes|refuses"):
        open_session(runtime, tmp_path / "model.onnx")


def test_half_precision_answers_are_float32_and_integers_are_none(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="pip install 'edgeau[export]'")
    head = '<ir_version: 8, opset_import: ["": 17]> g (float[n, 1, 1, 2] x) => '
    half = "(float16[n, 2] y) { s = Constant<value_ints: ints = [-1, 2]>() r = Reshape(x, s) y = Cast<to = 10>(r) }"
    whole = half.replace("float16", "int64").replace("= 10", "= 7")
    batch = np.ones((3, 1, 1, 2), np.float32)
    onnx.save(onnx.parser.parse_model(head + half), tmp_path / "half.onnx")
    with open_session("onnxruntime", tmp_path / "half.onnx", threads=1) as session:
        assert session.run(batch).dtype == np.float32
    onnx.save(onnx.parser.parse_model(head + whole), tmp_path / "whole.onnx")
    with (
        open_session("onnxruntime", tmp_path / "whole.onnx", threads=1) as session,
        pytest.raises(EngineError, match="answers with int64"),
    ):
        session.run(batch)
