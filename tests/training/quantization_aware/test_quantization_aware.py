"""Fine-tuning with rounding: the rounding is that of the files, and the checkpoint stays a checkpoint."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from edgeau.bundle.manifest import InputSpec
from edgeau.errors import InputError, UsageError
from edgeau.faces.alignment import Alignment, ArcFaceTemplate
from edgeau.faces.warp import warp
from edgeau_training.augmentation import CANVAS, CropView, centre_cut
from edgeau_training.checkpoint import CheckpointInfo, load_checkpoint, save_checkpoint
from edgeau_training.networks import build_network
from edgeau_training.quantization_aware.attachment import attach, detach, watch_ranges
from edgeau_training.quantization_aware.command import main
from edgeau_training.quantization_aware.distillation import Course, distil, loss_of
from edgeau_training.quantization_aware.faces import read_faces
from edgeau_training.quantization_aware.fake_quantization import ActivationRounding, WeightRounding
from edgeau_training.quantization_aware.folding import fold_batch_norms
from edgeau_training.quantization_aware.gates import without_gates

LABELS = ("AU1", "AU4", "AU12")
STEM = "test_efficientnet"  # timm's own: SiLU, squeeze-and-excitation and residual sums in 360 k parameters


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.randn(6, 3, 224, 224, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def network(images: torch.Tensor) -> nn.Module:
    """Seeded, with batch norms that know their statistics and logits of order 1."""
    torch.manual_seed(0)
    made = build_network("mrpnet", LABELS, stem=STEM).train()
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.2)
    with torch.no_grad():
        made(images)
        made.eval().classifier.weight.mul_(3 / made(images).abs().max())
    return made


def rounded(network: nn.Module, images: torch.Tensor, bits: int = 7) -> nn.Module:
    copied = copy.deepcopy(network)
    fold_batch_norms(copied, images[:1])
    attach(copied, images[:1], bits)
    with watch_ranges(copied):
        copied(images)
    return copied


def test_activations_are_rounded_as_onnx_runtime_rounds_them() -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    from onnx import TensorProto, helper, numpy_helper

    values = torch.randn(2, 500) * 3 + 1
    rounding = ActivationRounding()
    rounding(values)
    rounding.watching = False
    low, high = float(values.amin(dim=1).mean()), float(values.amax(dim=1).mean())
    scale = np.float32((high - low) / 255)
    constants = [
        numpy_helper.from_array(scale, "scale"),
        numpy_helper.from_array(np.uint8(round(-low / float(scale))), "zero"),
    ]
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["y"]),
    ]
    shape = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 500]) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "round", shape[:1], shape[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {"x": values.numpy()})
    np.testing.assert_allclose(rounding(values).numpy(), expected, atol=1e-5)


@pytest.mark.parametrize(("bits", "largest"), [(7, 64), (8, 127)])
def test_weights_have_one_scale_an_output_and_so_many_levels(bits: int, largest: int) -> None:
    weights = torch.randn(5, 4, 3, 3) * torch.tensor([0.01, 0.1, 1, 10, 0]).reshape(-1, 1, 1, 1)
    scale = weights.flatten(1).abs().amax(dim=1) / largest
    levels = WeightRounding(bits)(weights).flatten(1)[:4] / scale[:4, None]
    assert torch.allclose(levels, levels.round(), atol=1e-3)
    assert levels.abs().amax(dim=1).round().tolist() == [largest] * 4
    assert (levels - weights.flatten(1)[:4] / scale[:4, None]).abs().max() <= 0.5 + 1e-3


def test_other_numbers_of_bits_are_refused() -> None:
    with pytest.raises(UsageError, match="7 and 8"):
        WeightRounding(4)


def test_one_broken_crop_does_not_widen_the_range() -> None:
    values = torch.rand(100, 50)
    values[7] = 1000.0
    rounding = ActivationRounding()
    rounding(values[:50])
    rounding(values[50:])
    assert float(rounding.high) < 12
    assert float(rounding.low) >= 0


def test_folding_keeps_the_answers_and_leaves_a_bias_of_every_norm(
    network: nn.Module, images: torch.Tensor
) -> None:
    folded = copy.deepcopy(network)
    norms = [module for module in folded.modules() if isinstance(module, nn.BatchNorm2d)]
    assert fold_batch_norms(folded, images[:1]) == len(norms)
    with torch.no_grad():
        torch.testing.assert_close(folded(images), network(images), rtol=1e-3, atol=1e-3)
    assert all(float(norm.running_mean.abs().max()) == 0 for norm in norms)
    assert folded.state_dict().keys() == network.state_dict().keys()


def test_folding_twice_changes_nothing(network: nn.Module, images: torch.Tensor) -> None:
    fold_batch_norms(network, images[:1])
    before = {name: value.clone() for name, value in network.state_dict().items()}
    fold_batch_norms(network, images[:1])
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value, before[name])


def test_every_product_reads_rounded_inputs_and_weights(network: nn.Module, images: torch.Tensor) -> None:
    student = rounded(network, images)
    products = [module for module in student.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    read: dict[int, int] = {}

    def count(module: nn.Module, inputs: tuple[torch.Tensor, ...], _: torch.Tensor) -> None:
        read[id(module)] = len(torch.unique(inputs[0]))

    for module in products:
        module.register_forward_hook(count)
    with torch.no_grad():
        student(images[:2])
    assert len(read) == len(products)
    assert max(read.values()) <= 256
    for module in products:
        assert max(len(torch.unique(row)) for row in module.weight.detach().flatten(1)) <= 129


def test_rounding_moves_the_answers_a_little_and_eight_bits_less(
    network: nn.Module, images: torch.Tensor
) -> None:
    with torch.no_grad():
        reference = network(images)
        seven, eight = ((rounded(network, images, bits)(images) - reference).abs().mean() for bits in (7, 8))
    assert 0 < eight < 1.1 * seven < 0.5


def test_detached_weights_are_those_that_were_trained(network: nn.Module, images: torch.Tensor) -> None:
    student = rounded(network, images)
    detach(student)
    plain = copy.deepcopy(network)
    fold_batch_norms(plain, images[:1])
    values = student.state_dict()
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(values[name], value)


def test_the_teacher_itself_has_no_loss(network: nn.Module, images: torch.Tensor) -> None:
    assert float(loss_of(network, network, images, 1.0)) == pytest.approx(0, abs=1e-6)


def test_a_few_steps_bring_the_rounded_network_nearer(network: nn.Module, images: torch.Tensor) -> None:
    teacher = copy.deepcopy(network).requires_grad_(False)
    student = rounded(network, images)

    def forever() -> object:
        while True:
            yield images

    losses = distil(student, teacher, forever(), Course(steps=16, rate=3e-5))  # type: ignore[arg-type]
    assert np.mean(losses[-3:]) < 0.7 * losses[0]


def test_gates_become_their_mean(network: nn.Module, images: torch.Tensor) -> None:
    with torch.no_grad():
        before = network(images)
        assert without_gates(network, [images[:3], images[3:]]) == 2
        after = network(images)
    assert not any(hasattr(module, "gate") for module in network.modules())
    # The gates of an untrained network hardly vary, so their mean does as well.
    assert float((after - before).abs().mean()) < 0.2 * float(before.abs().mean())


@pytest.mark.parametrize("activation", [None, "hardswish", "relu6"])
def test_an_integer_friendly_stem_has_neither_gates_nor_silu(activation: str | None) -> None:
    made = build_network("mrpnet", LABELS, stem=STEM, activation=activation, squeeze_excite=False)
    kinds = {type(module) for module in made.stem.modules()}
    assert (nn.SiLU in kinds) == (activation is None)
    assert not any("se." in name for name in made.stem.state_dict())


def test_an_unknown_activation_is_refused() -> None:
    with pytest.raises(UsageError, match="hardswish, relu6"):
        build_network("mrpnet", LABELS, stem=STEM, activation="mish")


@pytest.mark.parametrize(
    "surgery", [(), ("--activation", "hardswish", "--no-squeeze-excite")], ids=["as it is", "surgery"]
)
def test_the_command_writes_a_checkpoint_that_loads(
    tmp_path: Path,
    network: nn.Module,
    write_tiny_faces: object,
    capsys: pytest.CaptureFixture[str],
    surgery: tuple[str, ...],
) -> None:
    data, source, out = tmp_path / "data", tmp_path / "float.safetensors", tmp_path / "int8.safetensors"
    write_tiny_faces(data)  # type: ignore[operator]
    info = CheckpointInfo("mrpnet", LABELS, {"stem": STEM}, trained=True, training="made up", step=7)
    save_checkpoint(source, network, info)
    options = ["--steps", "2", "--batch", "4", "--validated", "16", "--json", *surgery]
    assert main([str(source), "--data", str(data), "--out", str(out), *options]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert len(printed["losses"]) == 2
    tuned, said = load_checkpoint(out)
    assert said.step == 9
    assert said.training.startswith("made up; then 2 steps with 7-bit weights")
    assert set(said.thresholds) == set(LABELS)
    assert said.metrics["quantization_aware"]["float"] == printed["float"]
    assert ("activation" in said.options) == bool(surgery)
    with torch.no_grad():
        assert torch.isfinite(tuned(torch.randn(1, 3, 224, 224))).all()


def test_a_checkpoint_without_data_is_a_clear_error(
    tmp_path: Path, network: nn.Module, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "float.safetensors"
    save_checkpoint(source, network, CheckpointInfo("mrpnet", LABELS, {"stem": STEM}))
    out = tmp_path / "out.safetensors"
    assert main([str(source), "--data", str(tmp_path / "absent"), "--out", str(out)]) == 2
    assert "edgeau-synth" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("alignment", [Alignment(), Alignment(size=160, canvas=183)], ids=["mrpnet", "slim"])
def test_the_network_sees_of_a_face_what_it_sees_on_a_device(
    tmp_path: Path, write_tiny_faces: object, alignment: Alignment
) -> None:
    write_tiny_faces(tmp_path)  # type: ignore[operator]
    spec = InputSpec(size=(alignment.size, alignment.size), mean=(0, 0, 0), std=(1, 1, 1))
    found = read_faces(tmp_path, "train", LABELS, spec, alignment, 1)
    stored = found._crops.crops([0], CANVAS)[0]
    field = CANVAS * alignment.size / alignment.canvas
    wanted, narrower = (
        warp(stored, centre_cut(CropView(alignment.size, part)), alignment.size)
        for part in (field, 0.9 * field)
    )
    seen = found.batch(np.arange(1))[0].numpy().transpose(1, 2, 0) * 255
    assert seen.shape == (alignment.size, alignment.size, 3)
    # Resampling once more changes what is small; another field of view changes all of it.
    assert np.abs(seen - wanted).mean() < 0.5 * np.abs(seen - narrower).mean()


def test_faces_that_do_not_fill_a_batch_or_are_cut_otherwise_are_refused(
    tmp_path: Path, write_tiny_faces: object
) -> None:
    write_tiny_faces(tmp_path)  # type: ignore[operator]
    found = read_faces(tmp_path, "train", LABELS, InputSpec(), Alignment(), 1)
    with pytest.raises(InputError, match="cannot be drawn from"):
        found.endless(len(found.faces) + 1, 0)
    with pytest.raises(InputError, match="do not fit the alignment"):
        read_faces(tmp_path, "train", LABELS, InputSpec(size=(112, 112)), ArcFaceTemplate(112), 1)
