"""tflite-runtime 2.14, the last of its name, in an environment of its own: it wants Python 3.11 and numpy 1."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from edgeau.bundle.golden import Answer, Golden, write_golden
from edgeau.bundle.manifest import InputSpec
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.metrics import sigmoid
from edgeau.runtimes import open_session
from edgeau_export.command import main as export
from edgeau_export.onnx_to_tflite import tflite_bytes

pytestmark = pytest.mark.slow

_ANSWERS = """
import json, sys
from pathlib import Path
from edgeau.action_units.names import DEFAULT
from edgeau.runtimes import open_session
from edgeau.bundle.golden import check_golden, read_golden
from edgeau.bundle.manifest import Artifact, InputSpec
from edgeau.errors import EngineError

golden, said = read_golden(Path("golden.npz")), {}
for file, precision in json.loads(sys.argv[1]).items():
    artifact = Artifact(file, "litert", precision, 1, 0, "", dict.fromkeys(DEFAULT, 0.5))
    try:
        with open_session("litert", Path(file), threads=1) as session:
            said["engine"] = str(session.describe())
            check_golden(golden, artifact, session, InputSpec(), DEFAULT)
        said[file] = "right"
    except EngineError as error:
        said[file] = str(error)
print(json.dumps(said))
"""

_CHOOSE = """
import logging, sys
from edgeau.bundle import load_bundle
from edgeau.bundle.select import select_artifact

logging.basicConfig(level=logging.WARNING, format="%(message)s")
engine = select_artifact(load_bundle(sys.argv[1]), "litert", threads=1)
print(engine.artifact.file, "in", engine.session.describe())
"""


@pytest.fixture(scope="module")
def old_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with tflite-runtime 2.14 and nothing newer."""
    if sys.version_info[:2] != (3, 11):
        pytest.skip("tflite-runtime 2.14 has wheels up to Python 3.11, and this test for 3.11 only")
    folder = tmp_path_factory.mktemp("tflite-runtime")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    wanted = ["tflite-runtime==2.14.0", "numpy<2", "opencv-python-headless<4.11"]
    done = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", *wanted], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"tflite-runtime cannot be installed here: {done.stderr.strip().splitlines()[-1]}")
    return python


def test_golden_answers_tell_right_files_from_silently_wrong_ones(
    old_python: Path, root: Path, tiny_onnx: Callable[..., None], tmp_path: Path
) -> None:
    """It takes int8 weights with a scale per row in FULLY_CONNECTED, and computes something else without a word."""
    crops = np.random.default_rng(0).integers(0, 255, (4, 224, 224, 3), np.uint8)
    tiny_onnx(tmp_path / "model.onnx", None)
    model = onnx.load(tmp_path / "model.onnx")
    files = {"model.fp32.tflite": "fp32", "model.fp16.tflite": "fp16", "model.dynamic.tflite": "dynamic"}
    for file, precision in files.items():
        (tmp_path / file).write_bytes(tflite_bytes(model, precision=precision, metadata={}))
    files["foreign.tflite"] = "dynamic"
    (tmp_path / "foreign.tflite").write_bytes(_as_other_tools_write_it(model))
    answers = {}
    for file in files:
        with open_session("litert", tmp_path / file, threads=1) as session:
            logits = session.run(Preprocessor(InputSpec()).batch(crops))
        answers[file] = Answer(logits, sigmoid(logits) >= 0.5)
    write_golden(tmp_path / "golden.npz", Golden(crops, answers))
    said = _said(old_python, root, tmp_path, files)
    assert said.pop("engine").startswith("litert tflite-runtime 2.14.0")
    foreign = said.pop("foreign.tflite")
    assert set(said.values()) == {"right"}
    assert "tflite-runtime 2.14.0" in foreign
    assert "answers wrongly on foreign.tflite" in foreign


def test_int8_that_it_computes_slowly_is_said_and_not_chosen(
    old_python: Path, root: Path, tmp_path: Path
) -> None:
    """Its plain kernels compute INT8: the default took 207 ms there, and 24 ms in float."""
    assert export(["--target", "raspberrypi", "--out", str(tmp_path / "bundle")]) == 0
    chosen = _run(old_python, root, tmp_path, _CHOOSE, "bundle")
    assert chosen.stdout.startswith("model.fp32.tflite in litert tflite-runtime 2.14.0")
    assert "int8 is slower than float on this machine: model.int8.tflite" in chosen.stderr
    assert "against model.fp32.tflite" in chosen.stderr
    assert "it is not used" in chosen.stderr


def _as_other_tools_write_it(model: onnx.ModelProto) -> bytes:
    """The dynamic-range file with the matrix in FULLY_CONNECTED, as ai-edge-quantizer has it."""
    from unittest import mock

    from edgeau_export.onnx_to_tflite import values
    from edgeau_export.onnx_to_tflite.lowering import linear

    def connected(op, tensor, matrix, beta):
        filters = matrix.stored_constant(op)
        bias = linear.bias_of(op, 2, tensor, filters, beta)
        table = linear.options("FullyConnected")
        return op.emit(linear.Op.FULLY_CONNECTED, [tensor, filters, bias], op.output((0, 1)), table)

    with (
        mock.patch.object(linear, "_as_convolution", connected),
        mock.patch.object(linear, "WORTH_PACKING", 0),
        mock.patch.object(values, "WORTH_PACKING", 0),
    ):
        return tflite_bytes(model, precision="dynamic", metadata={})


def _said(python: Path, root: Path, folder: Path, files: dict[str, str]) -> dict[str, str]:
    answer: dict[str, str] = json.loads(_run(python, root, folder, _ANSWERS, json.dumps(files)).stdout)
    return answer


def _run(
    python: Path, root: Path, folder: Path, code: str, argument: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-c", code, argument],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(root), "XDG_CACHE_HOME": str(folder / "cache")},
    )
