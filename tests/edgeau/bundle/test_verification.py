"""Files that crash an engine, and engines that crash: named, and the next artifact runs.

The programs run in processes of their own: what this is about would end the tests.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest

from edgeau.bundle.files import record_of
from edgeau.bundle.golden import read_golden, write_golden
from edgeau_export.onnx_to_tflite import tflite_bytes
from tests.tflite_files import with_missing_input

SELECT = """
import logging, sys
logging.basicConfig(format="%(message)s")
from edgeau import AUDetector, EdgeauError
import numpy as np
try:
    with AUDetector.load(sys.argv[1], artifact=sys.argv[2] or None, threads=1) as detector:
        print(detector.artifact.file, len(detector.detect([np.full((224, 224, 3), 128, np.uint8)]).probabilities))
except EdgeauError as error:
    print("refused:", error)
"""

FAULTS = {
    "crashes as it opens": ("os.kill(os.getpid(), 11)", "", "SIGSEGV"),
    "crashes as it runs": ("pass", "os.abort()", "SIGABRT"),
    "is ended for its memory": ("self.kept = bytearray(5 << 30)", "", "more than 4 GiB of memory"),
}
ENGINE = """
import os
from edgeau.runtimes.onnxruntime import OnnxRuntimeSession
from edgeau.runtimes.table import Runtime

class OddSession(OnnxRuntimeSession):
    def __init__(self, file, **options):
        super().__init__(file, **options)
        {opening}

    def run(self, batch):
        {running}
        return super().run(batch)

ROW = Runtime(
    name="odd", title="Odd", session="odd_engine:OddSession",
    converter="edgeau_export.converters.onnxruntime:convert", suffix=".onnx", precisions=("fp32",),
    distributions=("odd-engine",), modules=("odd_engine",), install="odd-engine",
)
"""


def run(
    bundle: Path, cache: Path, artifact: str = "", path: Path | None = None, program: str = SELECT
) -> tuple[str, str]:
    """What a program says on stdout and stderr; it must come to its end."""
    more = [] if path is None else [str(path)]
    environment = {
        **os.environ,
        "XDG_CACHE_HOME": str(cache),
        "PYTHONPATH": os.pathsep.join([*more, *sys.path]),
    }
    done = subprocess.run(
        [sys.executable, "-c", program, str(bundle), artifact],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, (done.returncode, done.stderr[-2000:])
    return done.stdout.strip(), done.stderr


def change_first(folder: Path, file: str, content: bytes, runtime: str) -> None:
    """Another file and runtime for the first artifact, with right digests and golden answers."""
    (folder / file).write_bytes(content)
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    first = manifest["artifacts"][0]
    before, first["file"], first["runtime"] = first["file"], file, runtime
    golden = read_golden(folder / "golden.npz")
    write_golden(
        folder / "golden.npz", replace(golden, answers={**golden.answers, file: golden.answers[before]})
    )
    for item in (first, *manifest["files"]):
        item["file"] = file if item["file"] == before else item["file"]
        record = record_of(folder, item["file"])
        item.update(bytes=record.bytes, sha256=record.sha256)
    path.write_text(json.dumps(manifest))


@pytest.fixture
def mutated(make_bundle, tiny_onnx: Callable[..., None], tmp_path: Path) -> Path:
    """A bundle whose first artifact LiteRT dies of, with right digests; an ONNX file stands beside it."""
    tiny_onnx(tmp_path / "tiny.onnx", None)
    whole = tflite_bytes(onnx.load(tmp_path / "tiny.onnx"), precision="fp32", metadata={})
    folder = make_bundle(files={"first.onnx": None, "model.onnx": None})
    change_first(folder, "mutated.tflite", with_missing_input(whole, "RESHAPE"), "litert")
    return folder


def test_the_file_does_kill_litert(mutated: Path) -> None:
    """Else the tests below would show nothing."""
    code = f"""
from pathlib import Path
import numpy as np
from edgeau.runtimes import open_session
with open_session("litert", Path({str(mutated)!r}) / "mutated.tflite", threads=1) as session:
    session.run(np.zeros((1, 3, 224, 224), np.float32))
"""
    pytest.importorskip("ai_edge_litert")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, timeout=120)
    if done.returncode >= 0:
        pytest.fail(f"this LiteRT takes the file (exit {done.returncode}): find another one")


def test_a_file_that_kills_litert_is_named_and_the_next_artifact_runs(mutated: Path, tmp_path: Path) -> None:
    for _ in range(2):  # met for the first time, then remembered
        says, errors = run(mutated, tmp_path / "cache")
        assert says == "model.onnx 1"
        (line,) = [line for line in errors.splitlines() if "mutated.tflite" in line]
        assert line.startswith(
            "mutated.tflite is not used: LiteRT crashed the process that tested mutated.tflite (SIGSEGV)"
        )
        assert "Traceback" not in errors


def test_asked_for_alone_it_is_one_clear_error(mutated: Path, tmp_path: Path) -> None:
    says, _ = run(mutated, tmp_path / "cache", "mutated.tflite")
    assert says.startswith("refused: LiteRT crashed the process that tested mutated.tflite (SIGSEGV)")


def test_where_the_cache_cannot_be_written_it_is_caught_as_well(mutated: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").touch()
    says, errors = run(mutated, tmp_path / "cache")
    assert says == "model.onnx 1"
    assert "SIGSEGV" in errors


def test_a_program_of_a_user_goes_on(mutated: Path, tmp_path: Path, astronaut: np.ndarray) -> None:
    """`edgeau analyze` from the shell."""
    picture = tmp_path / "astronaut.png"
    cv2.imwrite(str(picture), astronaut)
    program = (
        "import sys; from edgeau_apps.analyze.command import main\n"
        f"sys.exit(main([{str(picture)!r}, '--bundle', sys.argv[1], '--out', {str(tmp_path / 'out')!r}]))"
    )
    _, errors = run(mutated, tmp_path / "cache", program=program)
    assert "mutated.tflite is not used" in errors
    assert (tmp_path / "out" / f"{picture.stem}.csv").is_file()


@pytest.mark.parametrize("fault", FAULTS)
def test_an_engine_of_somebody_else_that(fault: str, make_bundle, tmp_path: Path) -> None:
    opening, running, named = FAULTS[fault]
    about = tmp_path / "site" / "odd_engine-1.0.dist-info"
    about.mkdir(parents=True)
    (about.parent / "odd_engine.py").write_text(ENGINE.format(opening=opening, running=running or "pass"))
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: odd-engine\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[edgeau.runtimes]\nodd = odd_engine:ROW\n")
    folder = make_bundle(files={"first.onnx": None, "model.onnx": None})
    change_first(folder, "odd.onnx", (folder / "first.onnx").read_bytes(), "odd")
    says, errors = run(folder, tmp_path / "cache", path=about.parent)
    assert says == "model.onnx 1"
    assert "odd.onnx is not used" in errors
    assert named in errors


COUNTED = """
import sys
from edgeau._system import child
from edgeau import AUDetector
real, started = child.subprocess.run, []
child.subprocess.run = lambda command, **options: (started.append(command), real(command, **options))[1]
for _ in range(2):
    AUDetector.load(sys.argv[1]).close()
print(len(started))
"""


def test_what_was_met_is_not_tried_again(make_bundle, tmp_path: Path) -> None:
    """One child for all artifacts of a bundle at its first start on a machine, none at the second."""
    folder = make_bundle(files={"first.onnx": None, "second.onnx": 2})
    assert run(folder, tmp_path / "cache", program=COUNTED)[0] == "1"
    assert run(folder, tmp_path / "cache", program=COUNTED)[0] == "0"


def test_a_trial_of_the_doctor_is_the_first_meeting(bundle_path: Path, tmp_path: Path) -> None:
    """The next start tries nothing again, neither in a child process nor the golden answers."""
    trial = [sys.executable, "-m", "edgeau_apps.doctor.trial", "artifact", "model.onnx", str(bundle_path)]
    environment = {
        **os.environ,
        "XDG_CACHE_HOME": str(tmp_path),
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run(trial, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    again = """
import edgeau.bundle.verification as verification
def never(*given, **options):
    raise SystemExit("tried again")
verification.run_in_child = verification.check_golden = never
"""
    said, _ = run(bundle_path, tmp_path, "model.onnx", program=again + SELECT)
    assert said.startswith("model.onnx ")
