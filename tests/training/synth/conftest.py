"""The small rig, written once a session, and its renderer."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from edgeau_training.synth.renderer import Renderer
from edgeau_training.synth.rig import load_rig


def _generator():
    spec = importlib.util.spec_from_file_location("tiny_rig", Path(__file__).with_name("tiny_rig.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def tiny_rig(tmp_path_factory) -> Path:
    return _generator().write_tiny_rig(tmp_path_factory.mktemp("rig"))


@pytest.fixture(scope="session")
def rig_cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("rig-cache")


@pytest.fixture(scope="session")
def renderer(tiny_rig, rig_cache) -> Renderer:
    return Renderer(load_rig(tiny_rig, rig_cache), 128)
