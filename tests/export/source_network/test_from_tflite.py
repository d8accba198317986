"""A ``.tflite`` file as the network: described, bundled and run as it is, or refused in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch
from torch import nn

from edgeau import Pipeline, open_source
from edgeau._system.file_digest import file_digest
from edgeau.bundle import load_bundle
from edgeau.bundle.manifest import InputSpec
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.metrics import f1_scores
from edgeau.runtimes import open_session
from edgeau_apps.bench.command import main as bench
from edgeau_apps.report.command import main as account
from edgeau_calibration.quantizer import static_int8
from edgeau_calibration.recipe import load_recipe
from edgeau_export.command import main
from edgeau_export.onnx_to_tflite import tflite_bytes
from edgeau_export.source_network.onnx_from_network import onnx_from_module
from edgeau_export.source_network.onnx_graph import simplify_graph
from edgeau_export.source_network.tflite_facts import read_tflite_facts
from tests.tflite_files import with_another, with_custom_operator, with_integer_ends, with_open_size

SPEC = """title = "mine"
weights = "net.tflite"
labels = ["AU4", "AU12L", "smile"]
output = "{output}"
[input]
size = [40, 48]
mean = [0.485, 0.456, 0.406]
std = [0.229, 0.224, 0.225]
layout = "NHWC"
[alignment]
kind = "box"
margin = 0.2
"""
INPUT = InputSpec(size=(40, 48))


def graph(last: nn.Module | None = None) -> onnx.ModelProto:
    torch.manual_seed(0)
    layers = [
        nn.Conv2d(3, 8, 3, stride=2),
        nn.BatchNorm2d(8),
        nn.Hardswish(),
        nn.Conv2d(8, 512, 1),  # large enough to be stored in half precision or integers
        nn.ReLU(),
        nn.AvgPool2d(9),
        nn.Flatten(),
        nn.Linear(2048, 3),
    ]
    network = nn.Sequential(*layers, *([] if last is None else [last])).eval()
    network[7].weight.data *= 20
    return simplify_graph(onnx_from_module(network, (3, 40, 48), 17))


@pytest.fixture(scope="module")
def made(persons_crops: np.ndarray) -> Callable[[str], bytes]:
    """Files by what they are."""
    crops = persons_crops[:32, :40, :48]

    def make(kind: str) -> bytes:
        if kind == "probabilities":
            return tflite_bytes(graph(nn.Sigmoid()), precision="fp32", metadata={})
        if kind in ("fp32", "fp16", "dynamic"):
            return tflite_bytes(graph(), precision=kind, metadata={})
        quantized = static_int8(graph(), crops, INPUT, load_recipe("eight-bit"))
        content = tflite_bytes(quantized, precision="int8", metadata={})
        ends = {"int8 ends": np.int8, "uint8 ends": np.uint8}
        return with_integer_ends(content, np.dtype(ends[kind])) if kind in ends else content

    return make


def exported(folder: Path, content: bytes, output: str = "logits", *more: str) -> tuple[int, Path]:
    (folder / "net.tflite").write_bytes(content)
    (folder / "model.toml").write_text(SPEC.format(output=output))
    out = folder / "bundle"
    line = ["--model", str(folder / "model.toml"), "--target", "raspberrypi", "--out", str(out), *more]
    return main(line), out


@pytest.mark.parametrize(
    ("kind", "precision"),
    [
        ("fp32", "fp32"),
        ("fp16", "fp16"),
        ("dynamic", "dynamic"),
        ("int8", "int8"),
        ("int8 ends", "int8"),
        ("uint8 ends", "int8"),
    ],
)
def test_a_file_is_bundled_as_it_is_and_runs(
    tmp_path: Path, made: Callable[[str], bytes], kind: str, precision: str
) -> None:
    code, out = exported(tmp_path, made(kind))
    assert code == 0
    manifest = load_bundle(out).manifest
    (artifact,) = manifest.artifacts
    assert (artifact.runtime, artifact.precision, artifact.answers) == ("litert", precision, "logits")
    assert (out / artifact.file).read_bytes() == (tmp_path / "net.tflite").read_bytes()
    assert manifest.network.provenance is not None
    assert manifest.network.provenance.weights == file_digest(tmp_path / "net.tflite")
    with Pipeline.load(out) as pipeline, open_source("clip") as frames:
        (face,) = pipeline.process(next(iter(frames)).image).faces
    assert set(face.aus) == {"AU4", "AU12L", "smile"}
    found = face.aus["smile"].probability
    assert found is not None
    assert 0 < found < 1


def test_probabilities_are_given_back_as_probabilities(tmp_path: Path, made: Callable[[str], bytes]) -> None:
    answers = {}
    for output, kind in (("logits", "fp32"), ("probabilities", "probabilities")):
        folder = tmp_path / output
        folder.mkdir()
        code, out = exported(folder, made(kind), output)
        assert code == 0
        (artifact,) = load_bundle(out).manifest.artifacts
        assert artifact.answers == output
        with Pipeline.load(out) as pipeline, open_source("clip") as frames:
            (face,) = pipeline.process(next(iter(frames)).image).faces
        answers[output] = [au.probability for au in face.aus.values()]
    assert answers["logits"] == pytest.approx(answers["probabilities"], abs=1e-4)


@pytest.mark.parametrize("kind", ["fp32", "probabilities", "uint8 ends"])
def test_faces_with_labels_measure_it_and_what_is_not_done_is_said(
    tmp_path: Path,
    made: Callable[[str], bytes],
    persons_crops: np.ndarray,
    kind: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """F1 at the thresholds of the model.toml, on the test part of the table; probabilities and integers alike."""
    crops = persons_crops[:80, :40, :48]
    (tmp_path / "net.tflite").write_bytes(made(kind))
    with open_session("litert", tmp_path / "net.tflite", probabilities=kind == "probabilities") as session:
        logits = session.run(Preprocessor(INPUT).batch(crops))
    assert len(np.unique(logits >= 0, axis=0)) > 1, (
        "a network that always decides alike has no F1 to tell apart"
    )
    present = logits + np.random.default_rng(0).normal(0, logits.std(axis=0), logits.shape) >= 0
    rows = ["picture,split,AU4,AU12L,smile"]
    for number, (crop, truth) in enumerate(zip(crops, present, strict=True)):
        cv2.imwrite(str(tmp_path / f"{number}.png"), crop[..., ::-1])
        rows.append(
            f"{number}.png,{'val' if number < 30 else 'test'},{','.join(str(int(one)) for one in truth)}"
        )
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    output = "probabilities" if kind == "probabilities" else "logits"
    code, out = exported(tmp_path, made(kind), output, "--calib", str(tmp_path / "labels.csv"))
    assert code == 0
    assert "nothing is calibrated, and thresholds are those of the model.toml" in capsys.readouterr().err
    (artifact,) = load_bundle(out).manifest.artifacts
    accuracy = artifact.accuracy
    assert accuracy is not None
    assert accuracy.count == 50
    expected = f1_scores(logits[30:] >= 0, present[30:])
    found = [np.nan if value is None else value for value in accuracy.f1.values()]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert set(artifact.thresholds.values()) == {0.5}
    text = (out / "report.md").read_text()
    assert "was not compared with the network that it was made from, nothing was calibrated" in text
    assert f"F1 {accuracy.f1_mean:.3f} on 50 faces" in text


def test_faces_without_labels_are_not_taken_in_silence(
    tmp_path: Path,
    made: Callable[[str], bytes],
    persons_crops: np.ndarray,
    capsys: pytest.CaptureFixture[str],
) -> None:
    np.savez(tmp_path / "faces.npz", crops=persons_crops[:32, :40, :48])
    code, out = exported(tmp_path, made("fp32"), "logits", "--calib", str(tmp_path / "faces.npz"))
    assert code == 0
    assert (
        "faces.npz has no labels to measure F1 on: a .tflite file is not calibrated"
        in capsys.readouterr().err
    )
    assert "Its F1 was not measured" in (out / "report.md").read_text()


def test_report_and_bench_take_it(
    tmp_path: Path, made: Callable[[str], bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = exported(tmp_path, made("int8 ends"))
    assert code == 0
    capsys.readouterr()
    assert account([str(tmp_path / "net.tflite"), str(out), "--json"]) == 0
    alone, bundled = json.loads(capsys.readouterr().out)["models"]
    assert alone["macs"] == bundled["macs"] > 8 * 19 * 23 * 27
    assert alone["unknown"] == {}
    assert bench([str(out), "--seconds", "0.1", "--threads", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda content: with_custom_operator(content, "TFLite_Detection"),
            "not LiteRT's own (TFLite_Detection)",
        ),
        (lambda content: with_another(content, "input"), "has 2 inputs"),
        (lambda content: with_another(content, "output"), "has 2 outputs"),
        (with_open_size, "takes input: FLOAT32 1 x ? x ? x 3; an AU network takes a picture of one size"),
        (lambda content: content[: len(content) // 2], "is damaged"),
        (lambda content: b"version https://git-lfs", "is not a .tflite file"),
    ],
    ids=["custom", "inputs", "outputs", "open", "cut", "pointer"],
)
def test_what_cannot_run_is_one_line(
    tmp_path: Path,
    made: Callable[[str], bytes],
    change: Callable[[bytes], bytes],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out = exported(tmp_path, change(made("fp32")))
    said = capsys.readouterr().err.strip()
    assert code == 2
    assert message.lower() in said.lower()
    assert len(said.splitlines()) == 1
    assert not out.exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"smile"]', '"smile", "AU1"]', "has 3 outputs, its model.toml 4 labels"),
        ("size = [40, 48]", "size = [48, 40]", "its model.toml says NHWC 48 x 40 x 3"),
        ('output = "logits"', 'output = "probabilities"', "which are not probabilities"),
        ("std = [0.229, 0.224, 0.225]", "std = [58.4, 57.1, 57.4]", "nearly constant"),
    ],
)
def test_what_the_model_file_says_is_checked(
    tmp_path: Path,
    made: Callable[[str], bytes],
    old: str,
    new: str,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "net.tflite").write_bytes(made("fp32"))
    (tmp_path / "model.toml").write_text(SPEC.format(output="logits").replace(old, new))
    line = ["--model", str(tmp_path / "model.toml"), "--target", "cpu", "--out", str(tmp_path / "b")]
    assert main(line) == 2
    assert message in capsys.readouterr().err


def test_a_board_without_litert_and_another_precision_are_refused(
    tmp_path: Path, made: Callable[[str], bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    content = made("fp32")
    assert exported(tmp_path, content, "logits", "--precision", "int8")[0] == 2
    assert "is fp32, but int8 was asked for" in capsys.readouterr().err
    line = ["--model", str(tmp_path / "model.toml"), "--target", "jetson", "--out", str(tmp_path / "b")]
    assert main(line) == 2
    assert "is a LiteRT file, and target jetson-orin runs none" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["fp32", "probabilities", "uint8 ends"])
def test_describe_prints_a_model_file_that_works(
    tmp_path: Path, made: Callable[[str], bytes], kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "net.tflite").write_bytes(made(kind))
    assert main(["--describe", str(tmp_path / "net.tflite")]) == 0
    text = capsys.readouterr().out
    assert "size = [40, 48]" in text
    assert f'output = "{"probabilities" if kind == "probabilities" else "logits"}"' in text
    assert 'labels = ["label1", "label2", "label3"]' in text
    (tmp_path / "model.toml").write_text(text)
    out = tmp_path / "bundle"
    assert main(["--model", str(tmp_path / "model.toml"), "--target", "android", "--out", str(out)]) == 0
    assert load_bundle(out).manifest.labels == ("label1", "label2", "label3")


def test_the_levels_of_a_quantized_input_give_its_normalisation(
    tmp_path: Path, made: Callable[[str], bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "net.tflite").write_bytes(made("uint8 ends"))
    (entry,) = read_tflite_facts(tmp_path / "net.tflite").inputs
    assert (entry.kind, entry.zero_point) == ("UINT8", 128)
    assert main(["--describe", str(tmp_path / "net.tflite")]) == 0
    text = capsys.readouterr().out
    assert f"mean = [{round(128 / 255, 6)}, " in text
    assert f"std = [{round(1 / (255 * entry.scale), 6)}, " in text


def test_a_damaged_file_is_one_line(tmp_path: Path, made: Callable[[str], bytes]) -> None:
    """Of flatbuffers' own errors: it follows whatever number stands where an offset should."""
    import random

    from edgeau.errors import EdgeauError
    from edgeau_export.profiling.from_tflite import profile_of_tflite

    good, dice = made("fp32"), random.Random(5)
    file = tmp_path / "w.tflite"
    damaged = 0
    for _ in range(120):
        content = bytearray(good)
        for _ in range(4):
            content[-1 - dice.randrange(min(len(content), 4000))] = dice.randrange(256)
        file.write_bytes(content)
        for read in (read_tflite_facts, profile_of_tflite):
            try:
                read(file)
            except EdgeauError as error:  # noqa: PERF203 - what is tested
                damaged += "is damaged (" in str(error)
    assert damaged > 0
