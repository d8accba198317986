from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgeau.bundle import load_bundle, packaged_bundle_path
from edgeau.bundle.golden import check_golden, read_golden
from edgeau.errors import DependencyError, EngineError
from edgeau.runtimes import open_session

pytest.importorskip("openvino", reason="pip install 'edgeau[openvino]'")


@pytest.fixture(scope="module")
def random_batch() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 1, (5, 3, 224, 224)).astype(np.float32)


def test_an_answer_stays_when_the_next_is_asked_for(
    tiny_onnx, tmp_path: Path, random_batch: np.ndarray
) -> None:
    tiny_onnx(tmp_path / "model.onnx", None)
    with open_session("openvino", tmp_path / "model.onnx", threads=1) as session:
        first = session.run(random_batch[:1])
        kept = first.copy()
        session.run(random_batch[1:2])
    np.testing.assert_array_equal(first, kept)


def test_it_computes_in_float32_with_the_threads_asked_for(tiny_onnx, tmp_path: Path) -> None:
    tiny_onnx(tmp_path / "model.onnx", None)
    with open_session("openvino", tmp_path / "model.onnx", threads=1) as session:
        info = session.describe()
        compiled = session._request.get_compiled_model()
        assert compiled.get_property("INFERENCE_PRECISION_HINT").to_string() == "f32"
        assert "ACCURACY" in str(compiled.get_property("EXECUTION_MODE_HINT"))
        assert compiled.get_property("INFERENCE_NUM_THREADS") == 1
    assert (info.engine, info.provider, info.threads) == ("openvino", "CPU", 1)
    assert info.computed_in.startswith("OpenVINO 20")


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_the_packaged_files_give_their_golden_answers(precision: str) -> None:
    bundle = load_bundle(packaged_bundle_path())
    manifest = bundle.manifest
    golden = read_golden(bundle.path(manifest.golden))
    artifact = next(
        item for item in manifest.artifacts if (item.runtime, item.precision) == ("onnxruntime", precision)
    )
    with open_session("openvino", bundle.path(artifact.file), threads=1) as session:
        check_golden(golden, artifact, session, manifest.input, manifest.labels)


def test_a_device_that_is_not_there_is_an_error(tiny_onnx, tmp_path: Path) -> None:
    tiny_onnx(tmp_path / "model.onnx", None)
    with pytest.raises(EngineError, match="finds no device 'NPU7' here; it finds .*CPU"):
        open_session("openvino", tmp_path / "model.onnx", provider="NPU7")


def test_a_file_that_is_no_network_is_an_error_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"nothing of use")
    with pytest.raises(EngineError, match=r"OpenVINO refuses model\.onnx: \w+") as caught:
        open_session("openvino", tmp_path / "model.onnx")
    assert "\n" not in str(caught.value)


def test_crops_of_another_size_are_an_error_in_one_line(tiny_onnx, tmp_path: Path) -> None:
    tiny_onnx(tmp_path / "model.onnx", None)
    with (
        open_session("openvino", tmp_path / "model.onnx") as session,
        pytest.raises(EngineError, match=r"\(1, 3, 8, 8\)") as caught,
    ):
        session.run(np.zeros((1, 3, 8, 8), np.float32))
    assert "\n" not in str(caught.value)


def test_a_missing_engine_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(DependencyError, match=r"pip install 'edgeau\[openvino\]'"):
        open_session("openvino", tmp_path / "model.onnx")


def test_closing_twice_does_nothing_and_running_after_it_is_our_bug(tiny_onnx, tmp_path: Path) -> None:
    tiny_onnx(tmp_path / "model.onnx", None)
    session = open_session("openvino", tmp_path / "model.onnx")
    session.close()
    session.close()
    with pytest.raises(ValueError, match="closed"):
        session.run(np.zeros((1, 3, 224, 224), np.float32))


def test_its_part_that_reports_usage_is_not_loaded(tiny_onnx, tmp_path: Path) -> None:
    """tests/architecture/test_silence.py watches the sockets."""
    tiny_onnx(tmp_path / "model.onnx", None)
    program = (
        "import sys; from pathlib import Path; from edgeau.runtimes import open_session\n"
        f"open_session('openvino', Path({str(tmp_path / 'model.onnx')!r}), threads=1)\n"
        "assert sys.modules['openvino_telemetry'] is None"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
