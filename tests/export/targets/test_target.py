from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest

from edgeau.bundle import PACKAGED
from edgeau.errors import TargetError, UsageError
from edgeau.runtimes.table import runtimes
from edgeau_calibration.recipe import recipes
from edgeau_export.command import main
from edgeau_export.export import _of_target
from edgeau_export.progress import ProgressReporter
from edgeau_export.targets.selection import select_artifacts
from edgeau_export.targets.target import load_target, targets

CPU = (files("edgeau_export.targets") / "cpu.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("cpu", "cpu"),
        ("raspberrypi", "raspberrypi5"),
        ("raspberrypi4", "raspberrypi4"),
        ("jetson", "jetson-orin"),
        ("jetson-jp5", "jetson-jp5"),
        ("jetson-jp7", "jetson-jp7"),
    ],
)
def test_names_and_aliases(name: str, canonical: str) -> None:
    assert load_target(name).name == canonical


def test_small_boards_take_the_light_network_and_others_the_default() -> None:
    assert {name for name, target in targets().items() if target.model == "light"} == {
        "android",
        "ethos-u",
        "raspberrypi4",
    }
    assert {target.model for target in targets().values()} == set(PACKAGED)


@pytest.mark.parametrize(("name", "model"), [("raspberrypi4", "light"), ("raspberrypi5", "default")])
def test_an_export_says_when_it_takes_the_light_network(name: str, model: str, capsys) -> None:
    assert _of_target(load_target(name), ProgressReporter("edgeau-export")) == model
    assert ("uses light" in capsys.readouterr().err) == (model == "light")


def test_a_target_of_a_network_that_is_not_packaged_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(CPU.replace('name = "cpu"', 'name = "cpu"\nmodel = "huge"'))
    with pytest.raises(TargetError, match="model 'huge' is not known; .*default, light"):
        load_target(str(tmp_path / "mine.toml"))


def test_an_unknown_target_lists_the_known_ones() -> None:
    with pytest.raises(
        TargetError,
        match=r"'toaster' is not known.*cpu, ethos-u, executorch, intel, jetson-jp5.*raspberrypi5 \(= raspberrypi\)",
    ):
        load_target("toaster")


def test_no_name_stands_for_two_boards() -> None:
    names = [name for target in targets().values() for name in (target.name, *target.aliases)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("target", targets().values(), ids=targets())
def test_every_board_can_be_served(target) -> None:
    files = [artifact.file for artifact in target.artifact]
    assert len(files) == len(set(files))
    # A page runs one face after the other.
    assert target.page or any(artifact.batch is None for artifact in target.artifact), "several faces at once"
    for artifact in target.artifact:
        assert (artifact.recipe in recipes()) == (artifact.precision in ("int8", "w8a16"))
    for stage in target.pending:
        assert f"--onnx={stage.source} " in stage.command or stage.command == "edgeau finish ."


def test_a_board_of_ones_own_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(CPU.replace('"cpu"', '"mine"'))
    assert load_target(str(tmp_path / "mine.toml")).name == "mine"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = ", "is not TOML"),
        ('name = "mine"', "field 'title' is missing"),
        (CPU.replace("opset = 17", 'opset = "17"'), "opset: expected int, got str"),
        (
            CPU + '\n[[pending]]\nstage = "x"\nprecision = "fp32"\nsource = "y"\nreason = ""\ncommand = ""',
            "source 'y' is not known; known: model.fp32.onnx",
        ),
        (None, "cannot be read"),
    ],
)
def test_a_target_file_that_does_not_fit_says_why(tmp_path: Path, text: str | None, said: str) -> None:
    file = tmp_path / "mine.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(TargetError, match=said) as caught:
        load_target(str(file))
    assert "export the bundle again" not in str(caught.value)


LYING = """
name = "kiosk"
title = "A kiosk"
opset = 17
install = ""
"""


def _artifact(**changed: object) -> str:
    values = {"file": "a.onnx", "runtime": "onnxruntime", "precision": "fp32"} | changed
    lines = (f"{key} = {json.dumps(value)}" for key, value in values.items() if value is not None)
    return "\n[[artifact]]\n" + "\n".join(lines) + "\n"


STAGE = '\n[[pending]]\nstage = "{}"\nprecision = "{}"\nsource = "{}"\nreason = ""\ncommand = "run it"\n'
NPU = {"file": "a.tflite", "runtime": "ethos-u", "precision": "int8", "batch": 1, "recipe": "integer"}
TFLITE = {"file": "a.tflite", "runtime": "litert", "batch": 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LYING + _artifact(precision="int8"), "a.onnx: int8 needs a recipe; one of .*robust"),
        (LYING + _artifact(**TFLITE, precision="w8a16"), "w8a16 needs a recipe"),
        (LYING + _artifact(recipe="robust"), "fp32 is not calibrated, so it takes no recipe"),
        (LYING + _artifact(**TFLITE, precision="fp16", recipe="robust"), "fp16 is not calibrated"),
        (LYING + _artifact(precision="fp16"), "ONNX Runtime has no fp16; it has fp32, int8"),
        (LYING + _artifact(precision="INT8", recipe="robust"), "'INT8' is not known; did you mean 'int8'"),
        (LYING + _artifact(precision="i9"), "'i9' is not known; .*known: fp32, fp16, dynamic, int8, w8a16"),
        (LYING + _artifact(runtime="onnxruntme"), "did you mean 'onnxruntime'"),
        (
            LYING + _artifact(runtime="abacus"),
            f"'abacus' is not known; known: {', '.join(runtimes())}",
        ),
        (
            LYING + _artifact(precision="int8", recipe="robst"),
            "recipe 'robst' is not known; did you mean 'robust'",
        ),
        (LYING + _artifact() * 2, "two artifacts have the file name a.onnx"),
        (LYING + _artifact() + _artifact(file="A.onnx"), "two artifacts have the file name a.onnx"),
        (LYING + _artifact(file="a.tflite"), "files of ONNX Runtime end in .onnx"),
        (LYING + _artifact(file="manifest.json"), "a file of this name is in every bundle"),
        (LYING + _artifact(file="Golden.npz"), "a file of this name is in every bundle"),
        (LYING + _artifact(batch=0), "batch 0 is less than 1"),
        (LYING + _artifact(**TFLITE | {"batch": 4}), "files of LiteRT have batch 1, not 4"),
        (LYING + _artifact(**TFLITE | {"batch": None}), "have a fixed batch size; write batch = 1"),
        (LYING + _artifact(runtime="tensorrt", precision="fp16"), "TensorRT have a fixed batch size"),
        (LYING + _artifact(**NPU, device=None), "are compiled for a device; write one of .*ethos-u55-256"),
        (
            LYING + _artifact(**NPU, device="ethos-u55-265"),
            "'ethos-u55-265' is not known; did you mean 'ethos-u55-2",
        ),
        (LYING + _artifact(device="rk3588"), "ONNX Runtime are not compiled for a device; leave it out"),
        (LYING + _artifact(**NPU, device="ethos-u55-256"), "name it as compiled_from"),
        (
            LYING + _artifact(**NPU, device="ethos-u55-256", compiled_from="b.tflite"),
            "compiled_from 'b.tflite' is not known",
        ),
        (
            LYING
            + _artifact(**TFLITE | {"file": "b.tflite"}, precision="int8", recipe="robust")
            + _artifact(**NPU, device="ethos-u55-256", compiled_from="b.tflite"),
            "a.tflite and b.tflite, which it is compiled from, have two recipes",
        ),
        (LYING + _artifact(integer_ends=True), "integer_ends is of int8 files of LiteRT"),
        *(
            (LYING.replace("17", opset) + _artifact(), f"a.onnx: .*ONNX opset 9 to 20, not {opset}")
            for opset in ("0", "8", "21", "99")
        ),
        *(
            (
                LYING.replace("17", opset) + _artifact(precision="int8", recipe="robust"),
                f"a.onnx: int8 files of ONNX Runtime are made of ONNX opset 13 to 20, not {opset}",
            )
            for opset in ("9", "12", "21")
        ),
        (LYING.replace("17", "9") + _artifact(**TFLITE, precision="fp32"), "opset 10 to 20, not 9"),
        (
            LYING.replace("17", "12") + _artifact(**TFLITE, precision="w8a16", recipe="wide"),
            "opset 13 to 20, not 12",
        ),
        (
            LYING.replace("17", "18") + _artifact(runtime="tensorrt", precision="fp16", batch=1),
            "files of TensorRT are made of ONNX opset 9 to 17, not 18",
        ),
        (LYING + 'aliases = ["k", "k"]' + _artifact(), "two names or aliases are k"),
        (LYING + 'aliases = ["kiosk"]' + _artifact(), "two names or aliases are kiosk"),
        (LYING + "artifact = []", "lists no artifact"),
        (
            LYING + _artifact() + STAGE.format("x", "fp32", "b.onnx"),
            "source 'b.onnx' is not known; did you mean 'a.onnx'",
        ),
        (LYING + _artifact() + STAGE.format("", "fp32", "a.onnx"), "lacks its name or its command"),
        (LYING + _artifact() + STAGE.format("x", "FP32", "a.onnx"), "precision 'FP32' is not known"),
        *(
            (LYING + _artifact(file=file), "is not a plain file name")
            for file in (
                "../../x.onnx",
                "/etc/x.onnx",
                "a/x.onnx",
                "..\\x.onnx",
                "C:x.onnx",
                "",
                "..",
                ".float.onnx",
                "a b.onnx",
                "a\u0000.onnx",
                "a\n.onnx",
                "NUL.onnx",
                "x" * 300 + ".onnx",
            )
        ),
    ],
)
def test_a_target_that_lies_is_refused_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "kiosk.toml").write_text(text)
    with pytest.raises(TargetError, match=said) as caught:
        load_target(str(tmp_path / "kiosk.toml"))
    assert "kiosk.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nothing_is_written_for_a_target_that_lies(tmp_path: Path, capsys) -> None:
    (tmp_path / "kiosk.toml").write_text(LYING + _artifact(file="../../x.onnx"))
    out = tmp_path / "deep" / "er" / "bundle"
    assert main(["--target", str(tmp_path / "kiosk.toml"), "--out", str(out)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert [path.name for path in tmp_path.rglob("*")] == ["kiosk.toml"]


def test_a_misspelt_precision_is_suggested() -> None:
    with pytest.raises(UsageError, match="did you mean 'int8'"):
        select_artifacts(load_target("cpu"), ("INT8",))


def test_a_stage_for_the_board_brings_the_artifact_it_starts_from() -> None:
    plan = select_artifacts(load_target("jetson"), ("fp16",))
    assert [artifact.file for artifact in plan.artifacts] == ["model.trt.fp16.onnx"]
    assert [stage.precision for stage in plan.pending] == ["fp16"]


def test_without_quantization_its_stages_on_the_board_go_too() -> None:
    plan = select_artifacts(load_target("jetson"), None).without_quantization()
    assert {artifact.precision for artifact in plan.artifacts} == {"fp16", "fp32"}
    assert [stage.precision for stage in plan.pending] == ["fp16"]


@pytest.mark.parametrize("asked", [("fp16",), ("fp32", "int4"), ()])
def test_a_precision_that_the_board_does_not_have_lists_those_it_has(asked: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="target cpu has fp32, int8"):
        select_artifacts(load_target("cpu"), asked)
