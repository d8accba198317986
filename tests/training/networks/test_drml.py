import pytest
import torch
from torch import nn
from torch.nn import functional

from edgeau.action_units.names import BP4D, DISFA
from edgeau.errors import UsageError
from edgeau_training.networks import build_network
from edgeau_training.networks.catalogue import network_facts
from edgeau_training.networks.counting import mac_count, parameter_count, skeleton
from edgeau_training.networks.drml.fillers import fill
from edgeau_training.networks.drml.layers import (
    LocallyConnected,
    LocalResponseNorm,
    MeanImage,
    PlainBatchNorm,
)
from edgeau_training.networks.drml.region_layer import RegionLayer


@pytest.mark.parametrize(
    ("name", "labels", "options", "expected"),
    [
        ("drml", BP4D, {}, 56_863_436),
        ("drml", DISFA, {}, 56_855_240),
        ("drml", BP4D, {"mode": "modern"}, 56_863_436),
        ("drml", BP4D, {"affine": True}, 56_863_436 + 4096),
        ("drml", BP4D, {"affine": True, "norm": "batch"}, 56_867_596),
        ("drml-convnet", BP4D, {}, 56_271_564),
        ("drml-alexnet", BP4D, {}, 56_917_388),
        ("drml-lcn", BP4D, {}, 141_227_132),
    ],
)
def test_parameters(name, labels, options, expected):
    assert parameter_count(skeleton(name, labels, **options)) == expected


def test_alexnet_with_a_thousand_outputs_is_caffes():
    assert parameter_count(skeleton("drml-alexnet", [f"AU{n}" for n in range(1000)])) == 60_965_224


def test_multiply_accumulates():
    assert mac_count(skeleton("drml", BP4D), 170) == 848_999_680


def test_shapes_of_every_layer():
    network = skeleton("drml", BP4D)
    shapes = {}
    for name, layer in network.named_modules():
        layer.register_forward_hook(lambda _, __, out, name=name: shapes.update({name: tuple(out.shape[1:])}))
    logits = network(torch.empty(2, 3, 170, 170, device="meta"))
    assert logits.shape == (2, 12)
    assert shapes["conv1"] == shapes["second"] == (32, 160, 160)
    assert shapes["norm"] == (32, 80, 80)
    assert [shapes[f"upper.{index}"] for index in (0, 2, 4, 6)] == [
        (16, 73, 73),
        (16, 66, 66),
        (16, 31, 31),
        (16, 27, 27),
    ]
    assert network.fc8.in_features == 11_664
    assert network.features(torch.empty(2, 3, 170, 170, device="meta")).shape == (2, 2048)


@pytest.mark.parametrize(("name", "size"), [("drml-convnet", 170), ("drml-lcn", 170), ("drml-alexnet", 227)])
def test_the_posters_other_networks_give_a_logit_per_label(name, size):
    assert skeleton(name, DISFA)(torch.empty(2, 3, size, size, device="meta")).shape == (2, 8)


@pytest.mark.parametrize("name", ["drml", "drml-convnet", "drml-lcn", "drml-alexnet"])
@pytest.mark.parametrize("size", [74, 90, 170])
def test_all_four_stand_beside_each_other_at_any_size(name, size):
    network = skeleton(name, DISFA, mode="modern", size=size)
    assert network(torch.empty(2, 3, size, size, device="meta")).shape == (2, 8)
    assert network_facts(name, size=size).input.size == (size, size)


def test_an_alexnet_of_too_few_pixels_is_refused():
    with pytest.raises(UsageError, match="67 pixels or more"):
        skeleton("drml-alexnet", DISFA, size=66)
    assert skeleton("drml-alexnet", DISFA, size=67)(torch.empty(1, 3, 67, 67, device="meta")).shape == (1, 8)


@pytest.mark.parametrize("size", [74, 90, 170])
def test_smaller_inputs_keep_every_layer(size):
    network = build_network("drml", ("AU1", "AU4"), mode="modern", size=size).eval()
    assert network.second.patch == (size - 10) // 8
    assert network(torch.zeros(2, 3, size, size)).shape == (2, 2)


def test_squares_of_large_values_do_not_overflow_in_half_precision():
    maps = torch.full((1, 8, 2, 2), 300.0)
    expected = nn.LocalResponseNorm(5, 1e-4, 0.75, 1.0)(maps)
    halves = LocalResponseNorm()(maps.half())
    assert halves.dtype == torch.float16
    torch.testing.assert_close(halves.float(), expected, rtol=2e-3, atol=0)


def test_the_region_layer_is_sixty_four_convolutions_on_their_own_patches(randomised):
    torch.manual_seed(0)
    layer = randomised(RegionLayer(channels=4, size=40))
    maps = torch.randn(2, 4, 40, 40)
    expected = maps.clone()
    for i in range(8):
        for j in range(8):
            block = slice(4 * (8 * i + j), 4 * (8 * i + j + 1))
            rows, columns = slice(5 * i, 5 * i + 5), slice(5 * j, 5 * j + 5)
            patch = maps[:, :, rows, columns]
            mean, variance = layer.norm.running_mean[block], layer.norm.running_var[block]
            patch = functional.batch_norm(patch, mean, variance)
            weight, bias = layer.conv.weight[block], layer.conv.bias[block]
            expected[:, :, rows, columns] += functional.conv2d(patch.relu(), weight, bias, padding=1)
    torch.testing.assert_close(layer(maps), expected.relu())


def test_patches_and_tiles_are_inverse():
    layer = RegionLayer(channels=3, size=4, grid=2)
    maps = torch.arange(2 * 3 * 4 * 4.0).reshape(2, 3, 4, 4)
    torch.testing.assert_close(layer.patches(maps)[:, 3:6], maps[:, :, :2, 2:])  # patch (0, 1)
    torch.testing.assert_close(layer.tile(layer.patches(maps)), maps)


def test_the_plain_batch_norm_is_torchs_without_scale_and_shift():
    ours, theirs = PlainBatchNorm(3), nn.BatchNorm2d(3, affine=False)
    for maps in torch.randn(4, 2, 3, 5, 5):
        torch.testing.assert_close(ours(maps), theirs(maps))
    torch.testing.assert_close(ours.eval()(maps), theirs.eval()(maps))
    assert list(ours.parameters()) == []


def test_the_response_norm_is_torchs():
    maps = 50 * torch.randn(2, 7, 5, 6)
    torch.testing.assert_close(LocalResponseNorm()(maps), nn.LocalResponseNorm(5, 1e-4, 0.75, 1.0)(maps))


@pytest.mark.parametrize(("size", "kernel", "stride"), [(7, 3, 1), (8, 4, 2)])
def test_locally_connected_with_equal_weights_is_a_convolution(size, kernel, stride):
    torch.manual_seed(0)
    layer = LocallyConnected(3, 5, size, kernel, stride)
    conv = nn.Conv2d(3, 5, kernel, stride)
    with torch.no_grad():
        layer.weight.copy_(conv.weight.flatten(1).T.expand_as(layer.weight))
        layer.bias.copy_(conv.bias.expand_as(layer.bias))
    maps = torch.randn(2, 3, size, size)
    torch.testing.assert_close(layer(maps), conv(maps))


def test_locally_connected_has_its_own_weights_at_every_position():
    layer = LocallyConnected(2, 3, size=6, kernel=3)
    maps = torch.randn(1, 2, 6, 6)
    before = layer(maps)
    with torch.no_grad():
        layer.bias[5] += 1  # position 5 of 4x4: row 1, column 1
    changed = layer(maps) - before
    assert changed[0, :, 1, 1].tolist() == pytest.approx([1, 1, 1])
    assert int((changed.abs() > 1e-6).sum()) == 3


def small_network():
    return nn.Sequential(
        nn.Conv2d(3, 32, 5), RegionLayer(32, 8, 4), nn.Flatten(), nn.Linear(3200, 400), nn.Linear(400, 300)
    )


def test_faithful_fillers_are_the_released_ones():
    torch.manual_seed(0)
    network = small_network()
    fill(network, "faithful")
    first, region, fc, output = network[0], network[1].conv, network[3], network[4]
    assert [layer.bias.unique().tolist() for layer in (first, region, fc, output)] == [[0], [1], [1], [0]]
    stds = [layer.weight.std().item() for layer in (region, fc, output)]
    assert stds == pytest.approx([0.01, 0.005, 0.01], rel=0.03)


def test_modern_fillers_are_he():
    torch.manual_seed(0)
    network = small_network()
    fill(network, "modern")
    assert all(not layer.bias.any() for layer in (network[0], network[1].conv, network[3], network[4]))
    assert network[1].conv.weight.std().item() == pytest.approx((2 / 288) ** 0.5, rel=0.03)
    assert network[3].weight.std().item() == pytest.approx((2 / 3200) ** 0.5, rel=0.03)


def test_the_mean_image_is_kept_with_the_weights_by_its_centre():
    module = MeanImage(4)
    assert module(torch.full((1, 3, 4, 4), 128.0)).abs().max() == 0
    mean = torch.arange(3 * 6 * 6.0).reshape(3, 6, 6)
    module.set(mean)
    torch.testing.assert_close(module.state_dict()["mean"], mean[:, 1:5, 1:5])
    assert list(module.parameters()) == []
    with pytest.raises(UsageError, match=r"must be \(3, 4 or more"):
        module.set(torch.zeros(3, 3, 3))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "caffe"}, "faithful, modern"),
        ({"norm": "group"}, "lrn, batch"),
        ({"grid": 3}, "does not take"),
    ],
)
def test_what_does_not_exist_is_refused_by_name(options, message):
    with pytest.raises(UsageError, match=message):
        build_network("drml", BP4D, **options)


@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (RegionLayer(channels=4, size=40), (4, 40, 40)),
        (LocalResponseNorm(), (8, 6, 6)),
        (LocallyConnected(3, 4, 10, 4, 2), (3, 10, 10)),
    ],
    ids=("region layer", "response norm", "locally connected"),
)
def test_the_unusual_layers_export(onnx_difference, randomised, module, shape):
    assert onnx_difference(randomised(module), *shape) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["faithful", "modern"])
@pytest.mark.parametrize(
    ("name", "size"), [("drml", 170), ("drml-convnet", 170), ("drml-lcn", 170), ("drml-alexnet", 227)]
)
def test_the_whole_network_exports(onnx_difference, randomised, name, size, mode):
    torch.manual_seed(0)
    network = randomised(build_network(name, BP4D, mode=mode))
    pixels = {"mean": 128, "std": 60} if mode == "faithful" else {}
    assert onnx_difference(network, 3, size, size, **pixels) <= 1e-4
