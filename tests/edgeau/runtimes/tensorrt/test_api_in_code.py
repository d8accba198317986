"""The code uses what the table lists, the table lists what the code uses, and no generation calls what it lacks."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import edgeau.runtimes.tensorrt
from edgeau.runtimes.tensorrt import generations
from edgeau.runtimes.tensorrt.api import CUDA, CUDA_VARIABLES, TENSORRT, TENSORRT_VARIABLES, Member
from edgeau.runtimes.tensorrt.generations import GENERATIONS

from .used_members import methods_of, used_in

FOLDER = Path(edgeau.runtimes.tensorrt.__file__).parent
SOURCES = {file.name: file.read_text("utf-8") for file in FOLDER.glob("*.py") if file.name != "api.py"}
TABLE = {member.name: member for member in TENSORRT}
# Modules that only one generation calls: they are checked with the method that calls this function of theirs.
OF_A_GENERATION = {"calibration.py": "make_calibrator", "progress.py": "make_progress_monitor"}
VERSIONS = [(8, 5), (8, 6), (10, 0), (10, 3), (10, 7), (10, 13), (11, 0), (11, 4)]


def used_tensorrt(name: str) -> set[str]:
    used = used_in(SOURCES[name], TENSORRT_VARIABLES)
    if name == "execution.py":
        # getattr(trt.TensorIOMode, mode): both members.
        used |= {"TensorIOMode.INPUT", "TensorIOMode.OUTPUT"}
    return used


def lacking(used: set[str], version: tuple[int, int]) -> set[str]:
    return {name for name in used if not TABLE[name].exists_in(version)}


def test_code_and_table_agree():
    used = set().union(*(used_tensorrt(name) for name in SOURCES))
    assert used == set(TABLE)


def test_cuda_code_and_table_agree():
    used = set().union(*(used_in(source, CUDA_VARIABLES) for source in SOURCES.values()))
    assert used == {member.name for member in CUDA}


@pytest.mark.parametrize("name", sorted(set(SOURCES) - set(OF_A_GENERATION) - {"generations.py"}))
@pytest.mark.parametrize("version", VERSIONS)
def test_what_every_version_runs_is_in_every_version(name: str, version: tuple[int, int]):
    assert not lacking(used_tensorrt(name), version)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_generation_calls_only_what_its_versions_have(version: tuple[int, int]):
    kind = next(kind for since, kind in reversed(GENERATIONS) if since <= version)
    for name, source in methods_of(kind).items():
        used = used_in(source, TENSORRT_VARIABLES)
        for module, function in OF_A_GENERATION.items():
            if function in source:
                used |= used_tensorrt(module)
        assert not lacking(used, version), f"{kind.__name__}.{name} on TensorRT {version}"


def test_no_generation_hides_calls_behind_super():
    """Otherwise the methods of a class would not be all that it runs."""
    assert "super()" not in inspect.getsource(generations)


def test_no_calibrator_on_the_tensorrt_11_path():
    methods = methods_of(generations.Generation11)
    assert not any("make_calibrator" in source for source in methods.values())
    assert {"FP16", "INT8"}.isdisjoint(
        part
        for source in methods.values()
        for used in used_in(source, TENSORRT_VARIABLES)
        for part in used.split(".")
    )


def test_the_check_sees_a_call_outside_the_table():
    source = "def f(self, config):\n    trt = self._trt\n    config.set_flag(trt.BuilderFlag.STRICT_TYPES)\n"
    assert used_in(source, TENSORRT_VARIABLES) == {
        "IBuilderConfig.set_flag",
        "BuilderFlag",
        "BuilderFlag.STRICT_TYPES",
    }


def test_the_check_sees_what_a_version_lacks():
    assert lacking({"BuilderFlag.FP16"}, (11, 0)) == {"BuilderFlag.FP16"}
    assert Member("x", before=(11, 0)).exists_in((10, 13))
