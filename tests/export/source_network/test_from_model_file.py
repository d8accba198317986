"""Networks of other programs through a ``model.toml``: weights in every wrapper, ONNX of every kind, and the contract."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, numpy_helper
from torch import nn

from edgeau import Pipeline, open_source
from edgeau.bundle import load_bundle
from edgeau.errors import CheckpointError, UsageError
from edgeau_export.command import main
from edgeau_export.export import export_bundle, open_source_network
from edgeau_export.progress import ProgressReporter
from edgeau_export.source_network.from_model_file import ModelFileSource

NETS = """
from torch import nn

def build(outputs=3, channels=3):
    return nn.Sequential(
        nn.Conv2d(channels, 8, 3, stride=2), nn.BatchNorm2d(8), nn.Hardswish(), nn.AvgPool2d(9), nn.Flatten(),
        nn.Linear(32, outputs),
    )

def grey():
    return build(channels=1)

class Wave(nn.Module):
    def forward(self, x):
        return x.sin()

def with_sine():
    return nn.Sequential(build(), Wave())

class Half(nn.Module):
    def forward(self, x):
        return x.mean((1, 2, 3)).unsqueeze(1)

def fails():
    raise RuntimeError("no weights for you")

def nothing():
    return 3

def empty():
    return nn.Flatten()
"""
SPEC = """title = "mine"
weights = "{weights}"
{top}labels = {labels}
[input]
size = [40, 48]
color = "{color}"
{norm}{more}[alignment]
kind = "{kind}"
{alignment}"""
NORM = "mean = [0.485, 0.456, 0.406]\nstd = [0.229, 0.224, 0.225]\n"
BUILDER = 'builder = "nets.py:build"\n'


def written(folder: Path, weights: str, top: str = "", **changed: str) -> Path:
    values = {"labels": '["AU4", "AU12L", "smile"]', "color": "RGB", "norm": NORM, "more": "", "kind": "box"}
    values |= {"alignment": "margin = 0.2\n"} | changed
    (folder / "nets.py").write_text(NETS)
    file = folder / "model.toml"
    file.write_text(SPEC.format(weights=weights, top=top, **values))
    return file


def network(outputs: int = 3, channels: int = 3) -> nn.Module:
    torch.manual_seed(0)
    scope: dict[str, Any] = {}
    exec(NETS, scope)
    built: nn.Module = scope["build"](outputs, channels)
    built[-1].weight.data *= 20  # type: ignore[index]  # logits of order 1, as those of trained networks
    return built.eval()


def dumped(file: Path, wrapped: Callable[[dict[str, torch.Tensor]], Any]) -> None:
    torch.save(wrapped(network().state_dict()), file)


def prefixed(state: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {prefix + name: value for name, value in state.items()}


WRAPPERS: dict[str, Callable[[dict[str, torch.Tensor]], Any]] = {
    "plain": lambda state: state,
    "DataParallel": lambda state: prefixed(state, "module."),
    "compiled": lambda state: prefixed(state, "_orig_mod."),
    "both": lambda state: prefixed(state, "module._orig_mod."),
    "Lightning": lambda state: {
        "state_dict": prefixed(state, "model."),
        "hyper_parameters": {"out": Path("x"), "args": argparse.Namespace(lr=1)},
        "optimizer_states": [{"state": {0: {"exp_avg": torch.zeros(3)}}}],
    },
    "timm": lambda state: {"state_dict": state, "state_dict_ema": prefixed(state, "module."), "epoch": 3},
    "half": lambda state: {name: v.half() if v.is_floating_point() else v for name, v in state.items()},
    "with a loss": lambda state: prefixed(state, "net.") | {"loss.weight": torch.ones(3)},
}


@pytest.mark.parametrize("wrapped", WRAPPERS.values(), ids=WRAPPERS)
def test_weights_are_found_in_what_programs_save(
    tmp_path: Path, wrapped: Callable[[dict[str, torch.Tensor]], Any]
) -> None:
    dumped(tmp_path / "w.pth", wrapped)
    source = ModelFileSource(written(tmp_path, "w.pth", BUILDER))
    inputs = torch.randn(2, 3, 40, 48, generator=torch.Generator().manual_seed(1))
    graph = source.graph(17)
    answers = _run(graph, inputs.numpy())
    expected = network()
    with torch.inference_mode():
        np.testing.assert_allclose(
            answers, expected(inputs).numpy(), atol=0.02 if wrapped is WRAPPERS["half"] else 1e-5
        )


def test_averaged_weights_are_a_choice(tmp_path: Path) -> None:
    dumped(
        tmp_path / "w.pth", lambda state: {"model": state, "model_ema": {n: v * 0 for n, v in state.items()}}
    )
    plain = ModelFileSource(written(tmp_path, "w.pth", BUILDER))
    assert plain.taken == "weights: model; model_ema was left (ema)"
    with pytest.raises(CheckpointError, match="0 to 0 to faces and noise"):
        ModelFileSource(written(tmp_path, "w.pth", BUILDER + "ema = true\n"))
    dumped(tmp_path / "w.pth", lambda state: state)
    with pytest.raises(CheckpointError, match="no averaged"):
        ModelFileSource(written(tmp_path, "w.pth", BUILDER + "ema = true\n"))


def test_a_whole_model_is_not_opened_and_the_refusal_says_what_to_save(tmp_path: Path) -> None:
    torch.save(network(), tmp_path / "w.pt")
    with pytest.raises(CheckpointError, match=r"needs torch\.nn\..* can run code.*model\.state_dict\(\)"):
        ModelFileSource(written(tmp_path, "w.pt", BUILDER))


def test_torchscript_and_exported_programs_need_no_builder(tmp_path: Path) -> None:
    example = torch.zeros(1, 3, 40, 48)
    torch.jit.trace(network(), example).save(tmp_path / "w.pt")
    ModelFileSource(written(tmp_path, "w.pt")).graph(17)
    torch.export.save(
        torch.export.export(
            network(), (torch.zeros(2, 3, 40, 48),), dynamic_shapes=({0: torch.export.Dim("n")},)
        ),
        tmp_path / "w.pt2",
    )
    source = ModelFileSource(written(tmp_path, "w.pt2"))
    assert source.graph(17).graph.output[0].name == "logits"


def test_a_bundle_of_a_state_dict_runs_and_free_labels_travel(tmp_path: Path) -> None:
    dumped(tmp_path / "w.pth", WRAPPERS["DataParallel"])
    manifest = export_bundle("cpu", tmp_path / "b", written(tmp_path, "w.pth", BUILDER), precisions=("fp32",))
    assert manifest.labels == ("AU4", "AU12L", "smile")
    assert (manifest.input.size, manifest.alignment.shape) == ((40, 48), (40, 48))
    assert load_bundle(tmp_path / "b").manifest == manifest
    again = written(tmp_path, "w.pth", BUILDER)
    export_bundle("cpu", tmp_path / "again", again, precisions=("fp32",))
    for file in sorted(path for path in (tmp_path / "b").rglob("*") if path.is_file()):
        twin = tmp_path / "again" / file.relative_to(tmp_path / "b")
        assert file.read_bytes() == twin.read_bytes(), "exporting twice gives the same bytes"
    with Pipeline.load(tmp_path / "b") as pipeline, open_source("clip") as source:
        (face,) = pipeline.process(next(iter(source)).image).faces
    assert list(face.aus) == ["AU4", "AU12L", "smile"]
    assert all(unit.probability is not None or unit.reason for unit in face.aus.values())


def test_an_artifact_that_cannot_be_made_is_left_out_with_its_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dumped(tmp_path / "w.pth", lambda state: prefixed(state, "0."))
    file = written(tmp_path, "w.pth", 'builder = "nets.py:with_sine"\n')
    target = tmp_path / "two.toml"
    target.write_text(
        'name = "two"\ntitle = "Two engines"\nopset = 17\ninstall = ""\n'
        '[[artifact]]\nfile = "m.onnx"\nruntime = "onnxruntime"\nprecision = "fp32"\n'
        '[[artifact]]\nfile = "m.tflite"\nruntime = "litert"\nprecision = "fp32"\nbatch = 1\n'
    )
    given = [
        "--model",
        str(file),
        "--target",
        str(target),
        "--out",
        str(tmp_path / "b"),
        "--landmarks",
        "none",
    ]
    assert main(given) == 1
    said = capsys.readouterr()
    assert "m.tflite is left out: ONNX operator Sin" in said.err
    assert "left out: m.tflite" in said.out
    manifest = load_bundle(tmp_path / "b").manifest
    assert [item.file for item in manifest.artifacts] == ["m.onnx"]
    assert list(manifest.left_out) == ["m.tflite"]
    assert not (tmp_path / "b" / "m.tflite").exists()


def test_a_grey_network_sees_one_channel(tmp_path: Path) -> None:
    torch.save(network(channels=1).state_dict(), tmp_path / "w.pth")
    file = written(
        tmp_path,
        "w.pth",
        'builder = "nets.py:grey"\n',
        color="GRAY",
        norm="mean = [0.5]\nstd = [0.5]\n",
        kind="none",
        alignment="",
    )
    manifest = export_bundle("cpu", tmp_path / "b", file, precisions=("fp32",))
    assert manifest.input.shape == (1, 40, 48)


FIVE_POINTS = "points = [[17, 16], [31, 16], [24, 22], [19, 30], [29, 30]]\n"


@pytest.mark.parametrize("color", ["RGB", "GRAY"])
@pytest.mark.parametrize(
    ("kind", "alignment"), [("five-points", FIVE_POINTS), ("box", "margin = 0.2\n")], ids=["points", "box"]
)
def test_rectangular_crops_of_either_colour_and_alignment_run_in_every_engine(
    tmp_path: Path, color: str, kind: str, alignment: str
) -> None:
    """From the state dict to a face of the packaged clip: both engines say what torch says of the same crop."""
    grey = color == "GRAY"
    module = network(channels=1 if grey else 3)
    torch.save(module.state_dict(), tmp_path / "w.pth")
    top = f'builder = "nets.py:{"grey" if grey else "build"}"\n'
    norm = "mean = [0.45]\nstd = [0.25]\n" if grey else NORM
    file = written(tmp_path, "w.pth", top, color=color, norm=norm, kind=kind, alignment=alignment)
    target = tmp_path / "two.toml"
    target.write_text(
        'name = "two"\ntitle = "Two engines"\nopset = 17\ninstall = ""\n'
        '[[artifact]]\nfile = "m.onnx"\nruntime = "onnxruntime"\nprecision = "fp32"\n'
        '[[artifact]]\nfile = "m.tflite"\nruntime = "litert"\nprecision = "fp32"\nbatch = 1\n'
    )
    manifest = export_bundle(str(target), tmp_path / "b", file)
    assert [artifact.file for artifact in manifest.artifacts] == ["m.onnx", "m.tflite"]
    with open_source("clip") as source:
        image = next(iter(source)).image
    said = {}
    for runtime in ("onnxruntime", "litert"):
        with Pipeline.load(tmp_path / "b", artifact=runtime, filters=()) as pipeline:
            (face,) = pipeline.process(image).faces
        said[runtime] = np.array([unit.probability for unit in face.aus.values()])
    crop = manifest.alignment.crop(image, face.landmarks)
    assert crop.shape[:2] == (40, 48)
    seen = torch.tensor(
        cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)[None] if grey else crop[..., ::-1].transpose(2, 0, 1).copy()
    )
    mean, std = (torch.tensor(value).reshape(-1, 1, 1) for value in (manifest.input.mean, manifest.input.std))
    with torch.inference_mode():
        expected = module.eval()(((seen / 255 - mean) / std)[None].float()).sigmoid()[0].numpy()
    np.testing.assert_allclose(said["litert"], said["onnxruntime"], atol=1e-4)
    np.testing.assert_allclose(said["onnxruntime"], expected, atol=2e-2)


@pytest.mark.parametrize(
    ("top", "changed", "expected"),
    [
        ("", {}, "say builder"),
        ('builder = "nets.py:fails"\n', {}, "no weights for you"),
        ('builder = "nets.py:nothing"\n', {}, "returned a int"),
        ('builder = "absent.py:build"\n', {}, "does not exist"),
        ('builder = "breaks.py:build"\n', {}, "cannot be imported: ZeroDivisionError"),
        ('builder = "lacks.py:build"\n', {}, "cannot be imported: FileNotFoundError"),
        ('builder = "script.py:build"\n', {}, "cannot be imported: SystemExit"),
        (BUILDER + 'licences = "MIT"\n', {}, "licences: expected a list of texts"),
        (BUILDER + 'trained = "no"\n', {}, "trained: 'no' is of the wrong type"),
        (BUILDER + "training = [1]\n", {}, "training: [1] is of the wrong type"),
        ('builder = "nets.py:empty"\n', {}, "has no weights"),
        ('builder = "nets.py:absent"\n', {}, "cannot be found"),
        (BUILDER, {"labels": '["AU4"]'}, "has 3 outputs, its model.toml 1 labels"),
        (BUILDER, {"labels": '["AU4", "AU4", "b"]'}, "AU4 appears twice"),
        (BUILDER, {"labels": '["a,b", "AU4", "b"]'}, "cannot be a column"),
        (BUILDER, {"color": "HSV"}, "known are RGB, BGR, GRAY"),
        (BUILDER, {"kind": "eyes"}, "known are five-points, box, none"),
        (BUILDER + "weight = 3\n", {}, "unknown field 'weight'"),
        (BUILDER, {"norm": "mean = [123.7, 116.3, 103.5]\nstd = [58.4, 57.1, 57.4]\n"}, "nearly constant"),
        (BUILDER, {"norm": "mean = [0.5]\nstd = [0.5]\n"}, "expected 3 numbers"),
        (BUILDER, {"norm": "scale = nan\n"}, "scale: expected a finite number"),
        (BUILDER, {"alignment": "border = inf\n"}, "border: expected a finite number"),
        (BUILDER + 'output = "probabilities"\n', {}, "which are not probabilities"),
        (BUILDER, {"kind": "five-points", "alignment": "points = [[1, 2]]\n"}, "expected 5"),
    ],
)
def test_what_does_not_fit_is_one_clear_line(
    tmp_path: Path, top: str, changed: dict[str, str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    dumped(tmp_path / "w.bin", lambda state: state)
    (tmp_path / "breaks.py").write_text("1 / 0\n")
    (tmp_path / "script.py").write_text("raise SystemExit(0)\n")
    (tmp_path / "lacks.py").write_text("open('classes.txt')\n")
    file = written(tmp_path, "w.bin", top, **changed)
    assert (
        main(["--model", str(file), "--target", "cpu", "--precision", "fp32", "--out", str(tmp_path / "b")])
        == 2
    )
    said = capsys.readouterr().err
    assert expected in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "b").exists()


def test_weights_that_are_not_numbers_are_named(tmp_path: Path) -> None:
    dumped(tmp_path / "w.pth", lambda state: state | {"5.bias": torch.full((3,), torch.nan)})
    with pytest.raises(CheckpointError, match=r"5\.bias holds values that are not finite"):
        ModelFileSource(written(tmp_path, "w.pth", BUILDER))


def exported(file: Path, module: nn.Module, example: torch.Tensor, **options: Any) -> None:
    torch.onnx.export(
        module.eval(), (example,), str(file), dynamo=False, input_names=["x"], opset_version=17, **options
    )


class Wrapped(nn.Module):
    """The network with something around it."""

    def __init__(
        self, before: Callable[[torch.Tensor], torch.Tensor], after: Callable[[torch.Tensor], Any]
    ) -> None:
        super().__init__()
        self.inner, self.before, self.after = network(), before, after

    def forward(self, x: torch.Tensor) -> Any:
        return self.after(self.inner(self.before(x)))


def test_onnx_of_every_convention_becomes_the_same_graph(tmp_path: Path) -> None:
    picture = torch.zeros(1, 3, 40, 48)
    mean, std = (torch.tensor(v).reshape(3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    keep = torch.nn.Identity()
    kinds = {
        "plain": (Wrapped(keep, keep), picture, "", {}),
        "nhwc": (
            Wrapped(lambda x: x.permute(0, 3, 1, 2), keep),
            torch.zeros(1, 40, 48, 3),
            "",
            {"more": 'layout = "NHWC"\n'},
        ),
        "sigmoid": (Wrapped(keep, torch.sigmoid), picture, 'output = "probabilities"\n', {}),
        "clipped": (
            Wrapped(keep, lambda y: torch.sigmoid(y) * 0.999),
            picture,
            'output = "probabilities"\n',
            {},
        ),
        "uint8": (
            Wrapped(lambda x: (x.float() / 255 - mean) / std, keep),
            picture.to(torch.uint8),
            "",
            {"norm": "", "more": 'dtype = "uint8"\n'},
        ),
        "two": (Wrapped(keep, lambda y: (y * 2, y)), picture, 'output_name = "b"\n', {}),
    }
    answers = {}
    crops = np.random.default_rng(0).integers(0, 256, (3, 40, 48, 3), dtype=np.uint8)
    for name, (module, example, top, changed) in kinds.items():
        exported(
            tmp_path / f"{name}.onnx", module, example, output_names=["a", "b"] if name == "two" else ["a"]
        )
        source = ModelFileSource(written(tmp_path, f"{name}.onnx", top, **changed))
        source.graph(17)
        answers[name] = source.reference(crops).logits
    for name, found in answers.items():
        np.testing.assert_allclose(
            found, answers["plain"], atol=0.02 if name == "clipped" else 1e-4, err_msg=name
        )


OLDEST_OPSET, NEWEST_OPSET = 9, onnx.defs.onnx_opset_version()


@pytest.mark.parametrize("opset", [*range(OLDEST_OPSET, 21), *range(21, NEWEST_OPSET + 1)])
def test_onnx_of_every_operator_set_answers_alike(tmp_path: Path, opset: int) -> None:
    """Torch writes up to 20; the newer ones are converted."""
    module = network()
    file = tmp_path / "net.onnx"
    torch.onnx.export(
        module,
        (torch.zeros(1, 3, 40, 48),),
        str(file),
        dynamo=False,
        input_names=["x"],
        opset_version=min(opset, 20),
        dynamic_axes={"x": {0: "n"}},
    )
    if opset > 20:
        onnx.save(onnx.version_converter.convert_version(onnx.load(file), opset), file)
    assert onnx.load(file).opset_import[0].version == opset
    batch = np.random.default_rng(0).normal(size=(2, 3, 40, 48)).astype(np.float32)
    with torch.inference_mode():
        expected = module(torch.from_numpy(batch)).numpy()
    np.testing.assert_allclose(
        _run(ModelFileSource(written(tmp_path, "net.onnx")).graph(17), batch), expected, atol=1e-4
    )


@pytest.mark.parametrize("axes", [(), (0,), (0, 2, 3), (0, 1, 2, 3)], ids=["fixed", "batch", "size", "all"])
def test_onnx_with_shapes_left_open_takes_the_size_of_its_model_file(
    tmp_path: Path, axes: tuple[int, ...]
) -> None:
    torch.onnx.export(
        network(),
        (torch.zeros(1, 3, 40, 48),),
        str(tmp_path / "net.onnx"),
        dynamo=False,
        input_names=["x"],
        dynamic_axes={"x": {axis: f"axis{axis}" for axis in axes}} if axes else None,
    )
    graph = ModelFileSource(written(tmp_path, "net.onnx")).graph(17)
    shape = [size.dim_value or None for size in graph.graph.input[0].type.tensor_type.shape.dim]
    assert shape == [None, 3, 40, 48]
    assert _run(graph, np.zeros((3, 3, 40, 48), np.float32)).shape == (3, 3)


def test_a_builder_in_a_package_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site" / "their_nets"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "small.py").write_text(NETS)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    dumped(tmp_path / "w.pth", WRAPPERS["plain"])
    source = ModelFileSource(written(tmp_path, "w.pth", 'builder = "their_nets.small:build"\n'))
    assert source.graph(17).graph.output[0].name == "logits"


@pytest.mark.parametrize("model", ["default", "light"])
def test_packaged_networks_open_by_name(model: str) -> None:
    source = open_source_network(model, ProgressReporter(silent=True))
    assert source.description.network.trained
    assert len(source.description.labels) >= 12


def test_half_precision_external_data_and_initializers_as_inputs(tmp_path: Path) -> None:
    exported(tmp_path / "plain.onnx", network(), torch.zeros(1, 3, 40, 48))
    model = onnx.load(tmp_path / "plain.onnx")
    for tensor in model.graph.initializer:
        model.graph.input.append(
            onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        )
    onnx.save_model(
        model, tmp_path / "outside.onnx", save_as_external_data=True, location="w.data", size_threshold=0
    )
    graph = ModelFileSource(written(tmp_path, "outside.onnx")).graph(17)
    assert [item.name for item in graph.graph.input] == ["input"]
    (tmp_path / "w.data").unlink()
    onnx.checker.check_model(graph, full_check=True)
    with pytest.raises(CheckpointError, match="external|beside|read"):
        ModelFileSource(written(tmp_path, "outside.onnx"))
    half = onnx.load(tmp_path / "plain.onnx")
    for tensor in half.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT:
            tensor.CopyFrom(
                numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), tensor.name)
            )
    for value in (*half.graph.input, *half.graph.output):
        value.type.tensor_type.elem_type = TensorProto.FLOAT16
    del half.graph.value_info[:]
    onnx.save(half, tmp_path / "half.onnx")
    assert (
        ModelFileSource(written(tmp_path, "half.onnx")).graph(17).graph.initializer[0].data_type
        == TensorProto.FLOAT
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n", "git lfs pull"),
        (b"hello, this is no network", "not an ONNX file"),
    ],
)
def test_a_file_that_is_no_onnx_says_what_it_is(tmp_path: Path, content: bytes, expected: str) -> None:
    (tmp_path / "x.onnx").write_bytes(content)
    with pytest.raises(CheckpointError, match=expected):
        ModelFileSource(written(tmp_path, "x.onnx"))


def test_onnx_that_breaks_the_contract_is_refused_for_its_reason(tmp_path: Path) -> None:
    picture = torch.zeros(1, 3, 40, 48)
    keep = torch.nn.Identity()
    exported(tmp_path / "deep.onnx", Wrapped(keep, lambda y: y.unsqueeze(-1)), picture)
    with pytest.raises(CheckpointError, match="n x 3 x 1, expected n x 3"):
        ModelFileSource(written(tmp_path, "deep.onnx"))
    exported(tmp_path / "two.onnx", Wrapped(keep, lambda y: (y, y + 1)), picture, output_names=["a", "b"])
    with pytest.raises(CheckpointError, match='2 outputs .a, b.: say output_name = "b"'):
        ModelFileSource(written(tmp_path, "two.onnx"))
    exported(tmp_path / "sure.onnx", Wrapped(keep, torch.sigmoid), picture)
    with pytest.raises(CheckpointError, match='say output = "probabilities"'):
        ModelFileSource(written(tmp_path, "sure.onnx"))


def test_a_model_file_to_fill_in_names_what_is_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exported(tmp_path / "net.onnx", Wrapped(torch.nn.Identity(), torch.sigmoid), torch.zeros(1, 3, 40, 48))
    assert main(["--describe", str(tmp_path / "net.onnx")]) == 0
    text = capsys.readouterr().out
    assert 'output = "probabilities"' in text
    assert "size = [40, 48]" in text
    (tmp_path / "model.toml").write_text(text)
    assert ModelFileSource(tmp_path / "model.toml").description.labels == ("label1", "label2", "label3")
    dumped(tmp_path / "w.ckpt", WRAPPERS["timm"])
    assert main(["--describe", str(tmp_path / "w.ckpt")]) == 0
    text = capsys.readouterr().out
    assert '"label3"]' in text
    assert "ema = false" in text


def test_a_missing_model_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--describe FILE prints one"):
        ModelFileSource(tmp_path / "absent.toml")


def _run(graph: onnx.ModelProto, batch: np.ndarray) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    answers: np.ndarray = session.run(None, {"input": batch})[0]
    return answers


SILENT = """
import torch
from torch import nn

class Silent(nn.Module):
    def __init__(self):
        super().__init__()
        self.last = nn.Linear(3, 3)

    def forward(self, x):
        assert not torch.jit.is_tracing()
        return self.last(x.mean((2, 3)))
"""


def test_an_exporter_that_fails_without_a_word_is_named_by_its_error(tmp_path: Path) -> None:
    """A bare ``assert`` has no message, of which a first line could be shown."""
    file = written(tmp_path, "w.pth", 'builder = "silent.py:Silent"\n')
    (tmp_path / "silent.py").write_text(SILENT)
    torch.manual_seed(0)
    torch.save(
        {f"last.{name}": value for name, value in nn.Linear(3, 3).state_dict().items()}, tmp_path / "w.pth"
    )
    with pytest.raises(CheckpointError, match="cannot be written as ONNX by torch: AssertionError"):
        export_bundle("cpu", tmp_path / "b", file, precisions=("fp32",))
