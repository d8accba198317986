"""The device library is light to import and never reaches for a training framework, or for a package that a device may not have."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

# typing_extensions is no dependency of a device.
BLOCKED = ("torch", "timm", "onnx", "tensorflow", "typing_extensions")
ENGINES = (
    "onnxruntime",
    "mediapipe",
    "ai_edge_litert",
    "tflite_runtime",
    "tensorrt",
    "matplotlib",
    "pyarrow",
)

IMPORT_EVERYTHING = """
import importlib, pkgutil, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in BLOCKED:
            raise ImportError(f"{name} must not be imported here")

sys.meta_path.insert(0, Blocker())
import edgeau
names = [module.name for module in pkgutil.walk_packages(edgeau.__path__, "edgeau.")]
for name in names:
    importlib.import_module(name)
print(len(names))
"""

EACH_FIRST = """
import importlib, pkgutil, sys
import edgeau
for module in list(pkgutil.walk_packages(edgeau.__path__, "edgeau.")):
    for loaded in [name for name in sys.modules if name.split(".")[0] == "edgeau"]:
        del sys.modules[loaded]
    importlib.import_module(module.name)
"""

TIME_IMPORT = """
import time, json, sys
import numpy, cv2
before, start = set(sys.modules), time.process_time()
import edgeau
print(json.dumps([time.process_time() - start, sorted(set(sys.modules) - before)]))
"""


def python(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_module_imports_without_a_training_framework() -> None:
    assert int(python(f"BLOCKED = {BLOCKED!r}\n{IMPORT_EVERYTHING}")) > 30


def test_every_module_can_be_the_first_that_is_imported() -> None:
    python(EACH_FIRST)


def test_every_public_name_is_there() -> None:
    import edgeau

    assert (
        {name for name in edgeau.__all__ if hasattr(edgeau, name)} == set(edgeau.__all__) <= set(dir(edgeau))
    )
    with pytest.raises(AttributeError, match="no attribute 'Pipelin'"):
        edgeau.Pipelin  # noqa: B018


def test_the_blocker_blocks() -> None:
    program = f"BLOCKED = {BLOCKED!r}\n{IMPORT_EVERYTHING}\nimport onnx"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "must not be imported here" in done.stderr


def test_importing_edgeau_is_quick_and_pulls_no_engine() -> None:
    runs = [json.loads(python(TIME_IMPORT)) for _ in range(3)]
    assert min(seconds for seconds, _ in runs) < 0.3
    loaded = {name.split(".")[0] for name in runs[0][1]}
    assert not loaded & {*BLOCKED, *ENGINES}


def test_the_public_list_is_what_it_is_meant_to_be() -> None:
    import edgeau

    assert edgeau.__all__ == sorted(edgeau.__all__)
    assert all(hasattr(edgeau, name) for name in edgeau.__all__)
    assert {"Pipeline", "open_source", "AUDetector", "load_bundle", "FrameResult"} <= set(edgeau.__all__)
