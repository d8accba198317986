from __future__ import annotations

import os
import random
import struct
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from edgeau.errors import DependencyError, EngineError
from edgeau.runtimes import litert_interpreter as litert_runtime
from edgeau.runtimes.litert_interpreter import PACKAGES, install_advice, interpreter, litert
from edgeau.runtimes.tflite_file import check_tflite

mediapipe = pytest.importorskip("mediapipe")
pytest.importorskip("ai_edge_litert")


@pytest.fixture(scope="module")
def model() -> Path:
    path = Path(mediapipe.__file__).parent / "modules/face_landmark/face_landmark.tflite"
    if not path.is_file():
        pytest.skip("this mediapipe carries no models")
    return path


@pytest.mark.parametrize("as_bytes", [False, True], ids=["file", "content"])
def test_a_model_opens_with_its_tensors_allocated(model: Path, as_bytes: bool) -> None:
    opened = interpreter(model.read_bytes() if as_bytes else model, 1)
    assert opened.package == "ai-edge-litert"
    assert opened.version.startswith("2.")
    picture = np.zeros((1, 192, 192, 3), np.float32)
    opened.interpreter.set_tensor(opened.interpreter.get_input_details()[0]["index"], picture)
    opened.interpreter.invoke()


def test_nothing_is_written_to_stderr(model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    interpreter(model, 1)
    assert capfd.readouterr().err == ""


FAULTS = {
    "empty": (b"", "is empty|is not a .tflite"),
    "text": (b"junk" * 100, r"not a \.tflite file"),
    "onnx": (b"\x08\x08\x12\x07pytorch" * 9, r"not a \.tflite file"),
    "identifier alone": (struct.pack("<I", 20) + b"TFL3", "is damaged"),
    "a root far away": (struct.pack("<I", 2**31) + b"TFL3" + bytes(100), "is damaged"),
}


@pytest.mark.parametrize(("content", "message"), FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("as_bytes", [False, True], ids=["file", "content"])
def test_what_is_no_model_is_refused_in_one_line(
    tmp_path: Path, content: bytes, message: str, as_bytes: bool
) -> None:
    file = tmp_path / "model.tflite"
    file.write_bytes(content)
    with pytest.raises(EngineError, match=message) as caught:
        interpreter(content if as_bytes else file, 1)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"none\.tflite cannot be read: No such file"):
        interpreter(tmp_path / "none.tflite", 1)


def test_a_cut_file_is_refused_before_a_runtime_sees_it(model: Path) -> None:
    # tflite-runtime 2.14 dies of these together with the program: that the check finds them is what keeps us alive.
    content = model.read_bytes()
    check_tflite(content, "whole")
    chance = random.Random(0)
    for length in (
        8,
        100,
        len(content) - 1000,
        *(chance.randrange(9, len(content) - 500) for _ in range(60)),
    ):
        with pytest.raises(EngineError, match="it ends too early"):
            check_tflite(content[:length], "cut")


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> dict[str, type | Exception]:
    """Stand-ins for the packages by module: an Interpreter class, or what importing it raises."""
    installed: dict[str, type | Exception] = {}

    def import_stand_in(name: str) -> types.SimpleNamespace:
        if isinstance(installed[name], Exception):
            raise installed[name]
        return types.SimpleNamespace(Interpreter=installed[name])

    monkeypatch.setattr(
        litert_runtime, "find_spec", lambda top: any(m.startswith(top) for m in installed) or None
    )
    monkeypatch.setattr(litert_runtime, "import_module", import_stand_in)
    return installed


def test_the_newer_package_is_preferred_and_either_is_enough(modules) -> None:
    old, new = type("Old", (), {}), type("New", (), {})
    modules[PACKAGES["tflite-runtime"]] = old
    assert litert().interpreter_class is old
    modules[PACKAGES["ai-edge-litert"]] = new
    assert litert().interpreter_class is new


def test_a_broken_package_is_said_and_the_other_is_used(modules, caplog) -> None:
    modules[PACKAGES["ai-edge-litert"]] = ImportError("libLiteRt.so: cannot open\nsecond line")
    modules[PACKAGES["tflite-runtime"]] = object
    assert litert().package == "tflite-runtime"
    assert "ai-edge-litert is installed but cannot be imported (libLiteRt.so: cannot open)" in caplog.text
    del modules[PACKAGES["tflite-runtime"]]
    with pytest.raises(DependencyError, match="ai-edge-litert is installed but cannot be imported"):
        litert()


def test_without_a_package_the_install_line_is_said(modules) -> None:
    with pytest.raises(
        DependencyError, match=r"ai-edge-litert or tflite-runtime is not installed; .*pip install"
    ):
        litert()


@pytest.mark.parametrize(
    ("system", "machine", "python", "advice"),
    [
        ("Linux", "aarch64", (3, 11), r"^pip install 'edgeau\[litert\]'$"),
        ("Linux", "aarch64", (3, 13), r"^pip install 'edgeau\[litert\]'$"),
        ("Linux", "x86_64", (3, 10), r"^pip install 'edgeau\[litert\]'$"),
        ("Darwin", "arm64", (3, 12), r"^pip install 'edgeau\[litert\]'$"),
        ("Linux", "armv7l", (3, 11), "tflite-runtime==2.14.0' 'numpy<2'"),
        ("Linux", "armv7l", (3, 13), "no LiteRT exists for Python 3.13 on Linux armv7l"),
        ("Linux", "aarch64", (3, 15), "no LiteRT exists for Python 3.15"),
        ("Darwin", "x86_64", (3, 11), r"use the bundle's \.onnx files"),
    ],
)
def test_the_advice_fits_the_machine(system: str, machine: str, python: tuple[int, int], advice: str) -> None:
    import re

    assert re.search(advice, install_advice(system, machine, python))


def test_importing_it_imports_no_runtime(root: Path) -> None:
    import subprocess

    code = "import sys, edgeau.runtimes.litert_interpreter; assert not {'ai_edge_litert', 'tflite_runtime'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root, env={**os.environ})
