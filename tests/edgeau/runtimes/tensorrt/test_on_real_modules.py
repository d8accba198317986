"""Our code on the real modules, as far as it goes without a GPU: what is made of their classes, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from . import real_modules
from .real_modules import HERE, ROOT, RealModule, environment_of, run_python

pytestmark = pytest.mark.slow

EXPLICIT_BATCH = 1 << 0
STRONGLY_TYPED = 1 << 1


@pytest.fixture(scope="session")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nvidia")


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory, tiny_onnx: Callable[..., None]) -> Path:
    file = tmp_path_factory.mktemp("network") / "tiny.onnx"
    tiny_onnx(file, 1)
    return file


@pytest.fixture(scope="session", params=real_modules.TENSORRT, ids=lambda module: module.name)
def module(request: pytest.FixtureRequest) -> RealModule:
    return request.param


@pytest.fixture(scope="session")
def answers(module: RealModule, fetched: Path, network: Path) -> dict:
    done = run_python(environment_of(module, fetched), str(HERE / "behaviour.py"), str(network))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def major(module: RealModule) -> int:
    return int(module.name.split(".")[0])


def test_each_release_gets_its_generation(module: RealModule, answers: dict):
    assert answers["generation"] == {8: "Generation86", 10: "Generation10", 11: "Generation11"}[major(module)]


def test_errors_are_collected_in_order_and_warnings_are_none(answers: dict):
    assert answers["errors"] == ["first", "second"]


def test_network_flags(module: RealModule, answers: dict):
    assert answers["flags"] == {8: EXPLICIT_BATCH, 10: STRONGLY_TYPED, 11: 0}[major(module)]
    assert answers["flags for DLA"] == {8: EXPLICIT_BATCH, 10: 0, 11: 0}[major(module)]


def test_a_library_that_gives_no_builder_is_one_clear_line(module: RealModule, answers: dict):
    for what in ("build", "load"):
        assert answers[what].startswith(f"EngineError: TensorRT {module.name} does not start"), answers[what]
        assert "\n" not in answers[what]


def test_implicit_int8_gets_a_cache_of_its_own_version_or_a_refusal(module: RealModule, answers: dict):
    if major(module) == 11:
        assert "TensorRT 11 has no implicit INT8" in answers["calibration"]
    else:
        number = {"8.6.1": 8601, "10.3.0": 100300, "10.7.0": 100700, "10.13.0.35": 101300}[module.name]
        assert answers["calibration"] == f"TRT-{number}-EntropyCalibration2\ninput: 3c010a14\n"


def test_progress_lets_the_build_go_on(module: RealModule, answers: dict):
    assert answers.get("goes on") is (None if major(module) == 8 else True)


SESSION = """
import os, sys
from importlib import import_module
from pathlib import Path
sys.setdlopenflags(os.RTLD_LAZY)
sys.modules["tensorrt"] = import_module("tensorrt_bindings")
from edgeau.runtimes import open_session
from edgeau.errors import EdgeauError
try:
    open_session("tensorrt", Path(sys.argv[1]))
except EdgeauError as error:
    print(error)
"""


@pytest.mark.parametrize("cuda", real_modules.CUDA, ids=lambda module: module.name)
def test_no_gpu_is_one_clear_line(cuda: RealModule, fetched: Path, network: Path):
    if Path("/dev/nvidia0").exists():
        pytest.skip("there is a GPU")
    tensorrt = real_modules.TENSORRT[1]
    environment = environment_of(tensorrt, fetched)
    environment["PYTHONPATH"] += f":{environment_of(cuda, fetched)['PYTHONPATH'].removesuffix(str(ROOT))}"
    done = run_python(environment, "-c", SESSION, str(network))
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert "GPU" in line
    assert "--artifact onnxruntime" in line
