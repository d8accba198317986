"""The C++ example, built and run: the same golden answers, and a picture as Python reads it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeau import Pipeline
from edgeau.bundle import PACKAGED, load_bundle, packaged_bundle_path
from edgeau.bundle.files import record_of
from edgeau.bundle.golden import Answer, Golden, read_golden, write_golden
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.metrics import sigmoid
from edgeau.runtimes import open_session

_NEEDS = "cmake, g++, nlohmann-json3-dev, libjpeg-dev, libssl-dev and zlib1g-dev"


@pytest.fixture(scope="session")
def program(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    openvino_utils = pytest.importorskip("openvino.utils")
    if shutil.which("cmake") is None or shutil.which("g++") is None:
        pytest.skip(f"no cmake or g++: the C++ example needs {_NEEDS}")
    out = tmp_path_factory.mktemp("cpp")
    where = f"-DOpenVINO_DIR={openvino_utils.get_cmake_path()}"
    done = subprocess.run(
        ["cmake", "-S", root / "examples" / "cpp", "-B", out, where],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode and "Could not find" in done.stderr:
        pytest.skip(f"cmake misses a header: the C++ example needs {_NEEDS}")
    assert done.returncode == 0, done.stderr
    built = subprocess.run(["cmake", "--build", out], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return out / "edgeau_run"


def run(program: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", PACKAGED)
@pytest.mark.parametrize("artifact", ["model.fp32.onnx", "model.int8.onnx", "model.int8.tflite"])
def test_packaged_bundles_give_their_golden_answers(program: Path, name: str, artifact: str) -> None:
    done = run(program, packaged_bundle_path(name), "--artifact", artifact)
    assert done.returncode == 0, done.stderr
    assert f"golden answers of {artifact}: 8 crops" in done.stdout
    if artifact == "model.fp32.onnx":
        assert "0 decisions differ" in done.stdout


def test_a_picture_is_read_as_python_reads_it(program: Path, root: Path, tmp_path: Path) -> None:
    picture = cv2.imread(str(root / "docs" / "portrait.jpg"))
    with Pipeline.load("light", artifact="onnxruntime/fp32", threads=1) as pipeline:
        (face,) = pipeline.process(picture).faces
    landmarks = tmp_path / "landmarks.txt"
    np.savetxt(landmarks, face.landmarks)
    bundle = load_bundle(packaged_bundle_path("light"))
    crop = bundle.manifest.alignment.crop(picture, face.landmarks)
    (artifact,) = bundle.artifacts("model.fp32.onnx")
    with open_session("onnxruntime", bundle.path(artifact.file), threads=1) as session:
        wanted = sigmoid(session.run(Preprocessor(bundle.manifest.input, "BGR").batch([crop])))[0]
    done = run(
        program, bundle.directory, "--picture", root / "docs" / "portrait.jpg", "--landmarks", landmarks
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()[1:]]
    assert [line[0] for line in lines] == list(bundle.manifest.labels)
    # OpenCV weighs neighbours in steps of 1/32 pixel, this program exactly.
    assert np.abs(np.array([float(line[1]) for line in lines]) - wanted).max() < 0.02
    thresholds = [artifact.thresholds[label] for label in bundle.manifest.labels]
    assert [line[2] == "active" for line in lines] == list(wanted >= thresholds)


def test_a_batch_of_crops_becomes_logits(program: Path, tmp_path: Path) -> None:
    bundle = load_bundle(packaged_bundle_path("light"))
    golden = read_golden(bundle.path(bundle.manifest.golden))
    np.save(tmp_path / "crops.npy", golden.crops[:3])
    done = run(program, bundle.directory, "--crops", tmp_path / "crops.npy", "--out", tmp_path / "logits.npy")
    assert done.returncode == 0, done.stderr
    logits = np.load(tmp_path / "logits.npy")
    assert logits.dtype == np.float32
    assert np.allclose(logits, golden.answers["model.fp32.onnx"].logits[:3], atol=1e-3)


def _changed(folder: Path, change) -> None:
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")


def _flip_a_byte(folder: Path) -> None:
    content = bytearray((folder / "model.fp32.onnx").read_bytes())
    content[1000] ^= 1
    (folder / "model.fp32.onnx").write_bytes(content)


def _golden(change):
    """Change the golden answers of a bundle, which lists them as they are then."""

    def damage(folder: Path) -> None:
        golden = read_golden(folder / "golden.npz")
        write_golden(folder / "golden.npz", change(golden))

        def listed(manifest) -> None:
            (record,) = (record for record in manifest["files"] if record["file"] == "golden.npz")
            record |= asdict(record_of(folder, "golden.npz"))

        _changed(folder, listed)

    return damage


def _answers(golden: Golden, change) -> Golden:
    return replace(golden, answers={name: change(answer) for name, answer in golden.answers.items()})


DAMAGE = {
    "a changed file": (_flip_a_byte, "model.fp32.onnx is missing or not as the manifest has it"),
    "a missing file": (lambda folder: (folder / "golden.npz").unlink(), "golden.npz is missing or not"),
    "no manifest": (lambda folder: (folder / "manifest.json").unlink(), "it has no manifest.json"),
    "a cut manifest": (
        lambda folder: (folder / "manifest.json").write_text('{"labels": ['),
        "manifest.json is damaged",
    ),
    "a newer one": (
        lambda folder: _changed(folder, lambda m: m.update(schema_version=99)),
        "schema version 99, this program reads up to 3",
    ),
    "a path out of it": (
        lambda folder: _changed(folder, lambda m: m["files"][0].update(file="../x")),
        "names a file outside the bundle: ../x",
    ),
    "a file that is not listed": (
        lambda folder: _changed(
            folder, lambda m: m.update(files=[r for r in m["files"] if r["file"] != "model.fp32.onnx"])
        ),
        "does not list model.fp32.onnx, so it cannot be verified",
    ),
    "unknown colours": (
        lambda folder: _changed(folder, lambda m: m["input"].update(color="YUV")),
        "color YUV; this program knows RGB, BGR and GRAY",
    ),
    "colours of another number": (
        lambda folder: _changed(folder, lambda m: m["input"].update(mean=[0.5])),
        "mean and std do not fit RGB",
    ),
    "a crop of another size": (
        lambda folder: _changed(folder, lambda m: m["alignment"].update(size=96)),
        "the input's size is not the alignment's",
    ),
    "golden answers that no answer could differ from": (
        _golden(lambda g: _answers(g, lambda a: replace(a, logits=a.logits * np.float32(np.nan)))),
        "the golden answers are not finite",
    ),
    "no golden crop": (
        _golden(
            lambda g: Golden(
                g.crops[:0],
                _answers(g, lambda a: Answer(a.logits[:0], a.decisions[:0])).answers,
            )
        ),
        "the golden answers have no crop",
    ),
    "a field of another type": (
        lambda folder: _changed(folder, lambda m: m.update(labels="AU1")),
        "manifest.json is damaged",
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_one_sentence(program: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(packaged_bundle_path("light"), folder)
    damage, said = DAMAGE[name]
    damage(folder)
    done = run(program, folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_decisions_that_are_clearly_others_are_refused(program: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(packaged_bundle_path("light"), folder)
    _golden(lambda g: _answers(g, lambda a: replace(a, decisions=~a.decisions)))(folder)
    done = run(program, folder)
    assert done.returncode == 2
    assert "OpenVINO does not give the golden answers of model." in done.stderr


def test_a_full_disk_is_one_sentence(program: Path, tmp_path: Path) -> None:
    bundle = load_bundle(packaged_bundle_path("light"))
    np.save(tmp_path / "crops.npy", read_golden(bundle.path(bundle.manifest.golden)).crops[:1])
    done = run(program, bundle.directory, "--crops", tmp_path / "crops.npy", "--out", "/dev/full")
    assert done.returncode == 2
    assert done.stderr == "edgeau_run: /dev/full cannot be written\n"


def test_an_unknown_option_shows_what_there_is(program: Path) -> None:
    done = run(program, "bundle", "--pictrue", "x")
    assert done.returncode == 2
    assert "unexpected --pictrue; edgeau_run BUNDLE" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="Linux's loader lists them")
def test_it_is_linked_without_python(program: Path) -> None:
    said = subprocess.run(["readelf", "-d", program], capture_output=True, text=True, check=True).stdout
    needed = [line for line in said.splitlines() if "(NEEDED)" in line]
    assert any("libopenvino.so" in line for line in needed)
    assert not any("python" in line for line in needed)
