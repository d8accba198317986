"""The table against the real Python modules of three TensorRT generations and two layouts of cuda-python.

``api_facts.json`` holds what the modules said; ``python tests/edgeau/runtimes/tensorrt/record_facts.py FOLDER`` writes it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeau.runtimes.tensorrt.api import CUDA, TENSORRT, Member

from . import real_modules
from .real_modules import HERE, RealModule, environment_of, run_python

FACTS = json.loads((HERE / "api_facts.json").read_text("utf-8"))


def accepts(signatures: list[list[str]], takes: tuple[str, ...]) -> bool:
    """Whether some overload takes these arguments first, in this order."""
    return any(tuple(names[: len(takes)]) == takes for names in signatures)


def check(member: Member, said: list | None, version: tuple[int, int]) -> None:
    if not member.exists_in(version):
        assert said is None, f"{member.name} is there, the table says it is not"
        return
    assert said is not None, f"{member.name} is missing"
    # The module names no arguments of what it only calls on classes of ours in some releases.
    if member.takes is not None and not (member.overridden and not said):
        assert accepts(said, member.takes), f"{member.name}{member.takes} against {said}"


@pytest.mark.parametrize("release", sorted(FACTS["tensorrt"]))
@pytest.mark.parametrize("member", TENSORRT, ids=lambda member: member.name)
def test_tensorrt_has_what_the_table_says(release: str, member: Member):
    version = tuple(int(part) for part in release.split(".")[:2])
    check(member, FACTS["tensorrt"][release][member.name], version)


@pytest.mark.parametrize("release", sorted(FACTS["cuda"]))
@pytest.mark.parametrize("member", CUDA, ids=lambda member: member.name)
def test_cuda_has_what_the_table_says(release: str, member: Member):
    check(member, FACTS["cuda"][release]["members"][member.name], (8, 5))


def test_both_layouts_of_cuda_python_are_among_the_facts():
    assert {facts["module"] for facts in FACTS["cuda"].values()} == {"cuda.cudart", "cuda.bindings.runtime"}


@pytest.fixture(scope="session")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nvidia")


@pytest.mark.slow
@pytest.mark.parametrize("module", real_modules.TENSORRT, ids=lambda module: module.name)
def test_recorded_facts_are_those_of_the_real_module(module: RealModule, fetched: Path):
    done = run_python(environment_of(module, fetched), str(HERE / "probe.py"), "tensorrt_bindings")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["version"] == module.name
    assert said["members"] == FACTS["tensorrt"][module.name]


@pytest.mark.slow
@pytest.mark.parametrize("module", real_modules.CUDA, ids=lambda module: module.name)
def test_recorded_facts_are_those_of_real_cuda_python(module: RealModule, fetched: Path):
    done = run_python(environment_of(module, fetched), str(HERE / "probe.py"), "cuda")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert {key: said[key] for key in ("module", "members")} == FACTS["cuda"][module.name]
