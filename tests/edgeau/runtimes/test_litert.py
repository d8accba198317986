"""LiteRT as an engine, on files that edgeau writes and on files of others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from edgeau.errors import EngineError
from edgeau.runtimes import open_session
from edgeau_export.onnx_to_tflite import tflite_bytes
from tests.tflite_files import with_integer_ends

WriteTflite = Callable[[Path], Path]


@pytest.fixture(scope="module")
def batch() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 1, (3, 3, 224, 224)).astype(np.float32)


@pytest.fixture
def tiny(tiny_onnx: Callable[..., None], tmp_path: Path) -> Path:
    """The tiny network as ``model.tflite``, its ONNX form beside it."""
    tiny_onnx(tmp_path / "model.onnx", None)
    content = tflite_bytes(onnx.load(tmp_path / "model.onnx"), precision="fp32", metadata={})
    (tmp_path / "model.tflite").write_bytes(content)
    return tmp_path / "model.tflite"


def test_answers_are_those_of_onnxruntime(tiny: Path, batch: np.ndarray) -> None:
    with (
        open_session("litert", tiny, threads=1) as session,
        open_session("onnxruntime", tiny.with_suffix(".onnx"), threads=1) as reference,
    ):
        logits = session.run(batch)
        np.testing.assert_allclose(logits, reference.run(batch), atol=1e-4)
        # A view of another array, as preprocessing hands them out.
        np.testing.assert_array_equal(session.run(batch[::2]), logits[::2])
    assert logits.dtype == np.float32


def test_what_runs_is_said(tiny: Path) -> None:
    with open_session("litert", tiny, threads=2, provider="XNNPACK") as session:
        info = session.describe()
    assert (info.engine, info.provider, info.threads, info.batch) == ("litert", "XNNPACK", 2, 1)
    assert "ai-edge-litert" in info.version
    assert str(info).endswith("(XNNPACK, 2 threads)")


def test_a_provider_that_is_not_there(tiny: Path) -> None:
    with pytest.raises(EngineError, match="no provider 'GPU'; it has XNNPACK"):
        open_session("litert", tiny, provider="GPU")


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int16])
def test_quantized_ends_by_the_files_own_parameters(tiny: Path, batch: np.ndarray, kind: type) -> None:
    """A file of another converter: its input and output are integers."""
    with open_session("litert", tiny, threads=1) as session:
        expected = session.run(batch)
    tiny.write_bytes(with_integer_ends(tiny.read_bytes(), np.dtype(kind)))
    with open_session("litert", tiny, threads=1) as session:
        answer = session.run(batch)
    step = 0.1 if kind != np.int16 else 2e-3
    np.testing.assert_allclose(answer, expected, atol=step)


def test_crops_of_another_size(tiny: Path) -> None:
    with (
        open_session("litert", tiny) as session,
        pytest.raises(EngineError, match=r"takes crops of shape \(3, 224, 224\), got \(3, 8, 8\)"),
    ):
        session.run(np.zeros((1, 3, 8, 8), np.float32))


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "empty"), (b"nothing of use at all", "not a .tflite"), (None, "damaged|refuses")],
    ids=["empty", "foreign", "cut"],
)
def test_files_that_are_no_network(tiny: Path, content: bytes | None, said: str) -> None:
    whole = tiny.read_bytes()
    tiny.write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(EngineError, match=said) as caught:
        open_session("litert", tiny)
    assert "\n" not in str(caught.value)


def test_a_model_of_something_else(tmp_path: Path) -> None:
    """MediaPipe's landmark model is a fine .tflite, and no AU network."""
    mediapipe = pytest.importorskip("mediapipe")
    file = Path(mediapipe.__file__).parent / "modules/face_landmark/face_landmark.tflite"
    with pytest.raises(EngineError, match=r"face_landmark.tflite has 2 outputs .*an AU network has one"):
        open_session("litert", file)


def test_closing_twice_does_nothing_and_running_after_it_is_our_bug(tiny: Path, batch: np.ndarray) -> None:
    session = open_session("litert", tiny)
    session.close()
    session.close()
    with pytest.raises(ValueError, match="closed"):
        session.run(batch)
