"""What stands in the way of TensorRT is one clear line; this machine has neither TensorRT nor a GPU."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from edgeau.errors import DependencyError, EngineError
from edgeau.runtimes import open_session
from edgeau.runtimes.tensorrt.build import is_quantized
from edgeau.runtimes.tensorrt.calibration import read_scales
from edgeau.runtimes.tensorrt.cuda import import_cudart
from edgeau.runtimes.tensorrt.engines import remember_options, remembered_options
from edgeau.runtimes.tensorrt.generations import GENERATIONS, generation_of
from edgeau.runtimes.tensorrt.module import version_of
from edgeau.runtimes.tensorrt.options import EngineOptions, dla_core_of


@pytest.fixture
def network(tmp_path: Path, tiny_onnx) -> Path:
    file = tmp_path / "tiny.onnx"
    tiny_onnx(file, 1)
    return file


def of_version(version: str) -> ModuleType:
    module = ModuleType("tensorrt")
    module.__version__ = version
    return module


@pytest.fixture
def no_tensorrt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)


def test_no_tensorrt(network: Path, no_tensorrt: None):
    with pytest.raises(DependencyError, match="python3-libnvinfer.*--system-site-packages"):
        open_session("tensorrt", network)


@pytest.mark.parametrize("version", ["7.2.3", "8.2.1.8", "8.4.0"])
def test_too_old(network: Path, monkeypatch: pytest.MonkeyPatch, version: str):
    monkeypatch.setitem(sys.modules, "tensorrt", of_version(version))
    with pytest.raises(EngineError, match=f"TensorRT {version} is too old, 8.5 is the oldest"):
        open_session("tensorrt", network)


def test_no_cuda_python(monkeypatch: pytest.MonkeyPatch):
    for name in ("cuda", "cuda.bindings", "cuda.bindings.runtime", "cuda.cudart"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(DependencyError, match=r"pip install 'edgeau\[tensorrt\]'"):
        import_cudart()


@pytest.mark.parametrize(
    ("version", "since"),
    [
        ("8.5.2.2", (8, 5)),
        ("8.6.1", (8, 6)),
        ("9.3.0", (8, 6)),
        ("10.3.0", (10, 0)),
        ("11.4.0.106", (11, 0)),
        ("12.0", (11, 0)),
    ],
)
def test_generation_of_a_version(version: str, since: tuple[int, int]):
    assert isinstance(generation_of(of_version(version)), dict(GENERATIONS)[since])


def test_versions_are_read_as_numbers():
    assert version_of(of_version("10.13.0.35")) == (10, 13)
    assert version_of(of_version("8.5.2-1+cuda11.4")) == (8, 5)
    assert version_of(of_version("11")) == (11, 0)


@pytest.mark.parametrize(("provider", "core"), [(None, None), ("gpu", None), ("dla:0", 0), ("dla:1", 1)])
def test_providers(provider: str | None, core: int | None):
    assert dla_core_of(provider) == core


@pytest.mark.parametrize("provider", ["cuda", "dla", "dla:", "dla:x", "CPUExecutionProvider"])
def test_unknown_providers_name_the_known_ones(provider: str):
    with pytest.raises(EngineError, match="it has gpu, and dla:0 or dla:1"):
        dla_core_of(provider)


@pytest.mark.parametrize(
    ("options", "fault"),
    [({"workspace_mib": 0}, "workspace of 0 MiB"), ({"optimization_level": 6}, "TensorRT has 0 to 5")],
)
def test_options_that_do_not_fit(options: dict, fault: str):
    with pytest.raises(EngineError, match=fault):
        EngineOptions(**options)


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_options_are_remembered_by_the_artifact(network: Path, own_cache: None):
    assert remembered_options(network) == EngineOptions()
    chosen = EngineOptions(workspace_mib=64, dla_core=1, optimization_level=5)
    remember_options(network, chosen)
    assert remembered_options(network) == chosen
    renamed = network.rename(network.with_name("renamed.onnx"))
    assert remembered_options(renamed) == chosen


def test_damaged_options_are_the_defaults(network: Path, own_cache: None):
    remember_options(network, EngineOptions(workspace_mib=64))
    from edgeau._system.cache import cache_directory

    (file,) = (cache_directory() / "tensorrt").rglob("options.json")
    for content in ("{", "[]", '{"workspace_mib": 0}', '{"else": 1}'):
        file.write_text(content)
        assert remembered_options(network) == EngineOptions()


def test_a_file_of_another_engine_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "model.tflite"
    file.write_bytes(b"x")
    with pytest.raises(EngineError, match="TensorRT opens .onnx, .engine, .plan files, not model.tflite"):
        open_session("tensorrt", file)


@pytest.mark.parametrize("name", ["gone.onnx", "gone.engine"])
def test_a_missing_file_is_named(tmp_path: Path, name: str):
    with pytest.raises(EngineError, match=f"{name} cannot be read: No such file"):
        open_session("tensorrt", tmp_path / name)


def test_quantized_networks_are_told_from_float_ones(network: Path):
    assert not is_quantized(network.read_bytes())


@pytest.mark.parametrize("content", ["", "no cache\n", "TRT-8502-EntropyCalibration2\n"])
def test_what_is_no_calibration_cache_is_refused(tmp_path: Path, content: str):
    file = tmp_path / "calibration.cache"
    file.write_text(content)
    with pytest.raises(EngineError, match="is not a TensorRT calibration cache"):
        read_scales(file)


def test_a_missing_calibration_cache_is_named(tmp_path: Path):
    with pytest.raises(EngineError, match="nowhere.cache cannot be read"):
        read_scales(tmp_path / "nowhere.cache")
