"""Integers as a network's input: what a file makes of normalised values itself, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeau.bundle import Bundle, load_bundle
from edgeau.bundle.packaged import packaged_bundle_path
from edgeau.bundle.preprocessing import Preprocessor, input_of
from edgeau.errors import EngineError
from edgeau.runtimes import open_session
from edgeau.runtimes.litert_interpreter import interpreter
from edgeau.runtimes.session import QuantizedInput, Session
from edgeau.runtimes.tflite_part import without_quantizer


@pytest.fixture(scope="module", params=["default", "light"])
def bundle(request: pytest.FixtureRequest) -> Bundle:
    return load_bundle(packaged_bundle_path(request.param))


@pytest.fixture
def crops(bundle: Bundle) -> np.ndarray:
    """A crop with every value of a pixel in every channel, and random ones."""
    height, width = bundle.manifest.input.size
    levels = np.arange(height * width * 3, dtype=np.int64).reshape(height, width, 3) // 3 % 256
    noise = np.random.default_rng(0).integers(0, 256, (2, height, width, 3))
    return np.concatenate((levels[None], noise)).astype(np.uint8)


def file_of(bundle: Bundle) -> Path:
    return bundle.path(bundle.artifacts("litert/int8")[0].file)


def whole_file(path: Path, batch: np.ndarray) -> np.ndarray:
    """Answers of LiteRT alone, given normalised values."""
    engine: Any = interpreter(path, 1).interpreter
    entry, end = engine.get_input_details()[0], engine.get_output_details()[0]
    assert entry["dtype"] == np.float32
    answers = []
    for picture in batch.transpose(0, 2, 3, 1):
        engine.set_tensor(entry["index"], picture[None])
        engine.invoke()
        answers.append(engine.get_tensor(end["index"]).ravel())
    return np.stack(answers)


def test_integers_give_the_answers_of_the_whole_file(bundle: Bundle, crops: np.ndarray) -> None:
    spec = bundle.manifest.input
    normalised = Preprocessor(spec).batch(crops).copy()
    expected = whole_file(file_of(bundle), normalised)
    with open_session("litert", file_of(bundle), threads=1) as session:
        given = input_of(session, spec, crops)
        assert given.dtype == np.int8
        assert given.shape == (3, *spec.size, 3)
        np.testing.assert_array_equal(session.run(given), expected)
        np.testing.assert_array_equal(session.run(normalised), expected)


def test_the_order_of_colours_is_the_networks(bundle: Bundle, crops: np.ndarray) -> None:
    spec = bundle.manifest.input
    with open_session("litert", file_of(bundle), threads=1) as session:
        rgb = Preprocessor(spec, "RGB", session.quantized_input).batch(crops).copy()
        bgr = Preprocessor(spec, "BGR", session.quantized_input).batch(crops[..., ::-1]).copy()
    np.testing.assert_array_equal(rgb, bgr)


def test_another_size_is_refused(bundle: Bundle) -> None:
    with (
        open_session("litert", file_of(bundle), threads=1) as session,
        pytest.raises(EngineError, match=r"takes crops of shape \(3, \d+, \d+\), got \(3, 8, 8\)"),
    ):
        session.run(np.zeros((1, 8, 8, 3), np.int8))


def test_a_float_network_takes_normalised_values_alone(bundle: Bundle) -> None:
    artifact = bundle.artifacts("onnxruntime/fp32")[0]
    with open_session("onnxruntime", bundle.path(artifact.file), threads=1) as session:
        assert session.quantized_input is None
        crops = np.zeros((1, *bundle.manifest.input.size, 3), np.uint8)
        assert input_of(session, bundle.manifest.input, crops).dtype == np.float32
    assert Session.quantized_input is None


def test_values_beyond_the_range_become_its_ends() -> None:
    steps = QuantizedInput(0.5, -14, "int8")
    values = np.array([-1e6, -57.25, -57, 0, 0.25, 0.75, 70.5, 71, 1e6], np.float32)
    assert steps.integers(values).tolist() == [-128, -128, -128, -14, -14, -12, 127, 127, 127]


def test_a_part_of_a_damaged_file_is_an_error(bundle: Bundle, tmp_path: Path) -> None:
    content = bytearray(file_of(bundle).read_bytes())
    whole = without_quantizer(bytes(content))
    assert whole is not None
    assert without_quantizer(whole) is None  # what is left begins with no quantizer
    cut = tmp_path / "cut.tflite"
    cut.write_bytes(content[: len(content) // 2])
    with pytest.raises(EngineError, match=r"cut\.tflite is damaged"):
        open_session("litert", cut, threads=1)
