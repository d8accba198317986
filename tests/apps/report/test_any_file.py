"""The report and the bench on files of other programs: nothing is counted as 0 in silence."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_dynamic, quantize_static
from torch import nn

from edgeau_apps.bench.command import main as bench
from edgeau_apps.report.command import main

# Convolutions of 3x3x3x8 and 8x8x3x3 on 16 x 16, of 8x16 on 8 x 8, and two matrices.
MACS = 16 * 16 * 27 * 8 + 16 * 16 * 72 * 8 + 8 * 8 * 8 * 16 + 16 * 32 + 32 * 4
PARAMETERS = 8 * 27 + 8 + 8 * 72 + 8 + 16 * 8 + 16 + 16 * 32 + 32 + 32 * 4 + 4


class Network(nn.Module):
    """Every kind of operator that onnxruntime.quantization has a form of its own for."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 1, 1)
        self.third, self.pool = nn.Conv2d(8, 16, 1), nn.AvgPool2d(2)
        self.wide, self.last = nn.Linear(16, 32), nn.Linear(32, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.first(x))
        y = self.second(x)
        x = self.pool(torch.cat([x + y * torch.sigmoid(y), x], 1))
        x = nn.functional.leaky_relu(self.third(x[:, :8])).mean((2, 3))
        return self.last(self.wide(x))


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    made = Network().eval()
    made.last.weight.data *= 40  # logits of order 1, which nobody takes for probabilities
    return made


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, network: nn.Module) -> Path:
    file = tmp_path_factory.mktemp("plain") / "plain.onnx"
    write(file, network, 13)
    return file


def write(file: Path, network: nn.Module, opset: int) -> None:
    torch.onnx.export(
        network,
        (torch.zeros(1, 3, 32, 32),),
        str(file),
        dynamo=False,
        opset_version=opset,
        input_names=["x"],
        output_names=["y"],
        dynamic_axes={"x": {0: "n"}, "y": {0: "n"}},
    )


class Faces(CalibrationDataReader):
    def __init__(self) -> None:
        random = np.random.default_rng(0)
        self._batches: Iterator[dict[str, np.ndarray]] = iter(
            [{"x": random.random((1, 3, 32, 32), np.float32)} for _ in range(4)]
        )

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self._batches, None)


def q_operator(plain: Path, file: Path) -> None:
    quantize_static(plain, file, Faces(), quant_format=QuantFormat.QOperator)


def q_dq(plain: Path, file: Path) -> None:
    quantize_static(plain, file, Faces(), quant_format=QuantFormat.QDQ)


def dynamic(plain: Path, file: Path) -> None:
    quantize_dynamic(plain, file)


def optimised(plain: Path, file: Path) -> None:
    """As ONNX Runtime saves what it runs: FusedConv and others of its own."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(file)
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    onnxruntime.InferenceSession(str(plain), options, providers=["CPUExecutionProvider"])


def external(plain: Path, file: Path) -> None:
    onnx.save(
        onnx.load(plain), file, save_as_external_data=True, location=f"{file.name}.data", size_threshold=0
    )


def initializers_as_inputs(plain: Path, file: Path) -> None:
    model = onnx.load(plain)
    for item in model.graph.initializer:
        entry = helper.make_tensor_value_info(item.name, item.data_type, item.dims)
        model.graph.input.insert(0, entry)
    onnx.save(model, file)


FORMS = [q_operator, q_dq, dynamic, optimised, external, initializers_as_inputs]


def counted(capsys: pytest.CaptureFixture[str], *what: Path) -> list[dict[str, object]]:
    capsys.readouterr()
    assert main([*map(str, what), "--json"]) == 0
    models: list[dict[str, object]] = json.loads(capsys.readouterr().out)["models"]
    return models


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_network_has_its_multiply_accumulates(
    plain: Path, tmp_path: Path, form: Callable[[Path, Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "other.onnx"
    form(plain, file)
    (model,) = counted(capsys, file)
    assert model["macs"] == MACS
    assert model["unknown"] == {}
    # ConvInteger has its bias in an Add.
    if form is not dynamic:
        assert model["parameters"] == PARAMETERS
    if form in (q_operator, q_dq, dynamic):
        assert model["integer_mac_share"] == 1


def test_the_forms_hold_what_they_are_meant_to(plain: Path, tmp_path: Path) -> None:
    kinds = {}
    for form in (q_operator, dynamic):
        form(plain, tmp_path / "a.onnx")
        kinds[form] = {node.op_type for node in onnx.load(tmp_path / "a.onnx").graph.node}
    assert {"QLinearConv", "QLinearAdd", "QLinearMul", "QLinearSigmoid", "QLinearConcat", "QGemm"} <= kinds[
        q_operator
    ]
    assert {"ConvInteger", "MatMulInteger"} <= kinds[dynamic]


@pytest.mark.parametrize("opset", [9, 11, 17, 20])
def test_every_operator_set(
    tmp_path: Path, network: nn.Module, opset: int, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "a.onnx", network, opset)
    (model,) = counted(capsys, tmp_path / "a.onnx")
    assert (model["macs"], model["unknown"]) == (MACS, {})


def test_operators_without_a_rule_are_listed_by_name(
    plain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = onnx.load(plain)
    (relu,) = (node for node in model.graph.node if node.op_type == "Relu")
    relu.op_type, relu.domain = "Shiny", "my.company"
    model.opset_import.append(helper.make_opsetid("my.company", 1))
    onnx.save(model, tmp_path / "a.onnx")
    assert main([str(tmp_path / "a.onnx")]) == 0
    printed = capsys.readouterr().out
    assert "a.onnx: NOT COUNTED Shiny x 1" in printed
    # What comes behind it has no shapes any more.
    assert "NOT COUNTED Conv, whose shape is not known x 2" in printed
    assert "NOT COUNTED Gemm, whose shape is not known x 2" in printed


def test_products_over_any_axes_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = numpy_helper.from_array(np.ones((5, 7), np.float32), "w")
    node = helper.make_node("Einsum", ["x", "w"], ["y"], equation="bij,jk->bik")
    ends = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        for name, shape in (("x", [1, 3, 5]), ("y", [1, 3, 7]))
    ]
    graph = helper.make_graph([node], "einsum", ends[:1], ends[1:], [weights])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]), tmp_path / "a.onnx")
    (model,) = counted(capsys, tmp_path / "a.onnx")
    assert (model["macs"], model["unknown"]) == (3 * 5 * 7, {})


SPEC = """title = "mine"
weights = "{weights}"
{builder}labels = ["AU1", "AU2", "AU4", "AU6"]
[input]
size = [32, 32]
mean = [0.5, 0.5, 0.5]
std = [0.2, 0.2, 0.2]
[alignment]
kind = "box"
"""


@pytest.fixture
def described(tmp_path: Path) -> Callable[..., Path]:
    """Writes a model.toml for a file of weights, and the builder."""

    def make(weights: str, *, builder: bool = True) -> Path:
        module = Path(__file__).as_posix()
        (tmp_path / "nets.py").write_text(
            f"import runpy\n\n\ndef build():\n    return runpy.run_path({module!r})['Network']()\n"
        )
        line = 'builder = "nets.py:build"\n' if builder else ""
        (tmp_path / "model.toml").write_text(SPEC.format(weights=weights, builder=line))
        return tmp_path / "model.toml"

    return make


def test_weights_in_any_wrapper_through_their_model_file(
    tmp_path: Path, network: nn.Module, described: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    wrapped = {"state_dict": {f"model.{name}": value for name, value in network.state_dict().items()}}
    torch.save(wrapped, tmp_path / "w.ckpt")
    (model,) = counted(capsys, described("w.ckpt"))
    assert (model["macs"], model["unknown"], model["title"]) == (MACS, {}, "mine")
    assert main([str(tmp_path / "w.ckpt")]) == 2
    assert "describe it in a model.toml" in capsys.readouterr().err
    assert bench([str(tmp_path / "model.toml"), "--seconds", "0.05", "--threads", "1", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert row["runs"] >= 3


def test_torchscript_through_its_model_file(
    tmp_path: Path, network: nn.Module, described: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    torch.jit.trace(network, torch.zeros(1, 3, 32, 32)).save(str(tmp_path / "w.pt"))
    (model,) = counted(capsys, described("w.pt", builder=False))
    assert model["macs"] == MACS


def test_an_exported_program_says_its_own_size(
    tmp_path: Path, network: nn.Module, capsys: pytest.CaptureFixture[str]
) -> None:
    program = torch.export.export(network, (torch.zeros(1, 3, 32, 32),))
    torch.export.save(program, tmp_path / "w.pt2")
    (model,) = counted(capsys, tmp_path / "w.pt2")
    assert (model["macs"], model["unknown"]) == (MACS, {})
    (tmp_path / "broken.pt2").write_bytes(b"PK\x03\x04")
    assert main([str(tmp_path / "broken.pt2")]) == 2


@pytest.mark.parametrize("form", [q_operator, q_dq, dynamic, external, initializers_as_inputs])
def test_a_file_is_measured_as_it_is(
    plain: Path, tmp_path: Path, form: Callable[[Path, Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "other.onnx"
    form(plain, file)
    capsys.readouterr()
    assert bench([str(file), "--seconds", "0.05", "--threads", "1", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert (row["artifact"], row["runtime"], row["fault"]) == ("other.onnx", "onnxruntime", "")
    assert row["p50_ms"] > 0


def test_what_cannot_be_measured_is_one_line(
    plain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench([str(tmp_path / "gone.onnx")]) == 2
    assert "does not exist" in capsys.readouterr().err
    assert bench([str(plain), "--batch", "2"]) == 2
    assert "--artifact and --batch are of bundles" in capsys.readouterr().err
    (tmp_path / "cut.onnx").write_bytes(plain.read_bytes()[:200])
    assert bench([str(tmp_path / "cut.onnx"), "--threads", "1"]) == 1
    assert "ONNX Runtime refuses cut.onnx" in capsys.readouterr().out


def test_a_file_that_does_not_run_on_random_inputs_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graph = helper.make_graph(
        [helper.make_node("Gather", ["w", "x"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", onnx.TensorProto.INT64, [50])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [50])],
        [numpy_helper.from_array(np.ones(4, np.float32), "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "gather.onnx")
    assert bench([str(tmp_path / "gather.onnx"), "--threads", "1", "--seconds", "0.05"]) == 1
    assert "cannot run gather.onnx on random inputs" in capsys.readouterr().out


def test_weights_beside_the_file_belong_to_its_size(
    plain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "other.onnx"
    external(plain, file)
    (model,) = counted(capsys, file)
    beside = (tmp_path / "other.onnx.data").stat().st_size
    assert model["file_bytes"] == file.stat().st_size + beside > 4 * PARAMETERS


def test_names_that_are_no_text_are_shown_in_every_form(
    plain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / os.fsdecode(b"caf\xe9.onnx")
    file.write_bytes(plain.read_bytes())
    result, page = tmp_path / "bench.json", tmp_path / "page.html"
    # ONNX Runtime opens no file of such a name, which is said in the result.
    assert bench([str(file), "--threads", "1", "--seconds", "0.05", "--out", str(result)]) == 1
    assert "ONNX Runtime refuses" in json.loads(result.read_text("utf-8"))["rows"][0]["fault"]
    assert main([str(file), "--bench", str(result), "--html", str(page)]) == 0
    assert "caf\\xe9.onnx" in page.read_text("utf-8")
    assert "caf\\xe9.onnx" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("form", "precision"), [(None, "fp32"), (q_dq, "int8"), (dynamic, "dynamic"), ("half", "fp16")]
)
def test_what_a_file_costs_on_a_board_is_by_its_own_precision(
    plain: Path, tmp_path: Path, form: object, precision: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "other.onnx"
    if callable(form):
        form(plain, file)
    else:
        model = onnx.load(plain)
        for item in model.graph.initializer:
            if form and item.data_type == onnx.TensorProto.FLOAT:
                values = numpy_helper.to_array(item).astype(np.float16)
                item.CopyFrom(numpy_helper.from_array(values, item.name))
        if form:
            (entry,), (answer,) = model.graph.input, model.graph.output
            for end in (entry, answer):
                end.type.tensor_type.elem_type = onnx.TensorProto.FLOAT16
        onnx.save(model, file)
    capsys.readouterr()
    assert main([str(file), "--target", "raspberrypi5", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["models"][0]["precision"] == precision
    costs, left_out = document["expected"]["costs"], document["expected"]["left_out"]
    if precision in ("fp32", "int8"):
        assert [(cost["runtime"], cost["precision"]) for cost in costs] == [("onnxruntime", precision)]
        assert not left_out
    else:
        assert not costs
        assert f"onnxruntime {precision} were not counted" in left_out[0]
