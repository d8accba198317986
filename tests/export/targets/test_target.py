from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from edgeau.errors import TargetError, UsageError
from edgeau_calibration.recipe import recipes
from edgeau_export.targets.selection import make_plan
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


def test_an_unknown_target_lists_the_known_ones() -> None:
    with pytest.raises(
        TargetError, match=r"'toaster' is not known.*cpu, jetson-jp5.*raspberrypi5 \(= raspberrypi\)"
    ):
        load_target("toaster")


def test_no_name_stands_for_two_boards() -> None:
    names = [name for target in targets().values() for name in (target.name, *target.aliases)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("target", targets().values(), ids=targets())
def test_every_board_can_be_served(target) -> None:
    files = [artifact.file for artifact in target.artifact]
    assert len(files) == len(set(files))
    assert any(artifact.batch is None for artifact in target.artifact), "several faces at once"
    for artifact in target.artifact:
        assert (artifact.recipe in recipes()) == (artifact.precision in ("int8", "w8a16"))
    for stage in target.pending:
        assert f"--onnx={stage.source} " in stage.command or stage.command == "python -m edgeau.board ."


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
            "starts from y",
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


def test_a_stage_for_the_board_brings_the_artifact_it_starts_from() -> None:
    plan = make_plan(load_target("jetson"), ("fp16",))
    assert [artifact.file for artifact in plan.artifacts] == ["model.trt.fp16.onnx"]
    assert [stage.precision for stage in plan.pending] == ["fp16"]


def test_without_quantization_its_stages_on_the_board_go_too() -> None:
    plan = make_plan(load_target("jetson"), None).without_quantization()
    assert {artifact.precision for artifact in plan.artifacts} == {"fp16", "fp32"}
    assert [stage.precision for stage in plan.pending] == ["fp16"]


@pytest.mark.parametrize("asked", [("fp16",), ("fp32", "int4"), ()])
def test_a_precision_that_the_board_does_not_have_lists_those_it_has(asked: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="target cpu has fp32, int8"):
        make_plan(load_target("cpu"), asked)
