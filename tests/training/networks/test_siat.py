import pytest
import torch
from torch import nn

from edgeau.action_units.names import labels
from edgeau.errors import UsageError
from edgeau_training.networks import build_network
from edgeau_training.networks.catalogue import network_facts
from edgeau_training.networks.counting import mac_count, parameter_count, skeleton
from edgeau_training.networks.logit_average import LogitAverage
from edgeau_training.networks.siat.ir import IRBackbone, IRUnit

EMOTIONET = labels((1, 2, 4, 5, 6, 9, 10, 12, 15, 17, 18, 20, 24, 25, 26, 28, 43, 51, 52, 53, 54, 55, 56))
TINY = (1, 1, 1, 1)


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("siat-ir152", {}, 70_749_399),
        ("siat-ir152", {"size": 112}, 70_749_399),
        ("siat-ir50", {}, 43_586_775),
        ("siat-two-view", {}, 2 * 70_749_399),
        ("siat-two-view", {"members": ["siat-ir50"] * 3}, 3 * 43_586_775),
    ],
)
def test_parameters(name, options, expected):
    assert parameter_count(skeleton(name, EMOTIONET, **options)) == expected


def test_parameters_of_trunk_and_embedding():
    backbone = skeleton("siat-ir152", EMOTIONET).backbone
    assert parameter_count(backbone.input_layer) + parameter_count(backbone.body) == 57_889_984
    assert parameter_count(backbone.output_layer) == 12_847_616


@pytest.mark.parametrize(
    ("name", "size", "expected"),
    [("siat-ir152", 112, 12.31), ("siat-ir152", 224, 49.19), ("siat-ir50", 224, 25.15)],
)
def test_multiply_accumulates(name, size, expected):
    assert mac_count(skeleton(name, EMOTIONET, size=size), size) / 1e9 == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(("size", "side"), [(224, 14), (112, 7), (64, 4)])
def test_shapes(size, side):
    network = skeleton("siat-ir152", EMOTIONET, size=size)
    images = torch.empty(2, 3, size, size, device="meta")
    assert network.backbone.maps(images).shape == (2, 512, side, side)
    assert network.features(images).shape == (2, 512)
    assert network(images).shape == (2, 23)


def test_an_embedding_pretrained_at_112_fits_at_224():
    at_112, at_224 = (skeleton("siat-ir50", EMOTIONET, size=size).backbone for size in (112, 224))
    shapes = [{name: weight.shape for name, weight in net.state_dict().items()} for net in (at_112, at_224)]
    assert shapes[0] == shapes[1]


def test_tensor_names_are_those_of_face_evolve():
    names = set(IRBackbone((2, 1, 1, 1), 112).state_dict())
    assert {
        "input_layer.0.weight",
        "input_layer.2.weight",
        "output_layer.3.weight",
        "output_layer.4.bias",
    } <= names
    assert {
        "body.0.res_layer.0.weight",
        "body.1.res_layer.4.running_mean",
        "body.2.shortcut_layer.0.weight",
    } <= names
    assert not any(name.startswith("body.0.shortcut_layer") for name in names)  # equal width: a 1x1 max pool


def test_a_unit_is_what_it_says(randomised):
    torch.manual_seed(0)
    unit = randomised(IRUnit(4, 4, 2))
    maps = torch.randn(2, 4, 6, 6)
    norm, first, prelu, second, last = unit.res_layer
    expected = maps[:, :, ::2, ::2] + last(second(prelu(first(norm(maps)))))
    torch.testing.assert_close(unit(maps), expected)
    assert [type(layer) for layer in unit.res_layer] == [
        nn.BatchNorm2d,
        nn.Conv2d,
        nn.PReLU,
        nn.Conv2d,
        nn.BatchNorm2d,
    ]


def test_views_are_averaged_as_logits():
    torch.manual_seed(0)
    network = build_network(
        "siat-two-view", ("AU1", "AU2"), members=["siat-ir50"] * 2, size=16, units=TINY
    ).eval()
    images = torch.randn(3, 3, 16, 16)
    face, emotion = (member(images) for member in network.members)
    assert not torch.allclose(face, emotion)
    torch.testing.assert_close(network(images), (face + emotion) / 2)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("siat-ir50", {"size": 100}, "size 100"),
        ("siat-ir50", {"units": (3, 4)}, "four stages"),
        ("siat-two-view", {"members": ()}, "at least one member"),
        ("siat-two-view", {"members": ("siat-ir51",)}, "'siat-ir51' is not known"),
        ("siat-two-view", {"colour": 1}, "does not take"),
    ],
)
def test_what_does_not_fit_is_refused(name, options, message):
    with pytest.raises(UsageError, match=message):
        build_network(name, EMOTIONET, **options)


def test_a_small_one_exports(onnx_difference, randomised):
    torch.manual_seed(0)
    network = build_network(
        "siat-ir50", ("AU1", "AU2"), units=TINY, size=224
    )  # the size with the extra pooling
    assert onnx_difference(randomised(network), 3, 224, 224) <= 1e-4


def test_an_average_exports(onnx_difference):
    members = [nn.Sequential(nn.Flatten(), nn.Linear(12, 2)) for _ in range(2)]
    assert onnx_difference(LogitAverage(members), 3, 2, 2) <= 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("name", ["siat-ir50", "siat-ir152", "siat-two-view"])
def test_the_whole_network_exports(onnx_difference, name):
    torch.manual_seed(0)
    assert onnx_difference(build_network(name, EMOTIONET), 3, 224, 224) <= 1e-4


@pytest.mark.parametrize(
    ("name", "backbone", "channels"),
    # Parameters of ResNets without their 1000-way layer (He et al. 2016).
    [
        ("siat-resnet18", 11_176_512, 512),
        ("siat-resnet50", 23_508_032, 2048),
        ("siat-resnet152", 58_143_808, 2048),
    ],
)
def test_the_backbone_studys_networks_have_no_pooling(name, backbone, channels):
    network = skeleton(name, network_facts(name).labels)
    assert parameter_count(network.backbone) == backbone
    assert network.classifier.in_features == channels * 7 * 7
    assert network.classifier.out_features == 23


def test_a_resnet_sees_where_in_the_map_something_is():
    """Pooling would answer the same to the two."""
    torch.manual_seed(0)
    network = build_network("siat-resnet18", ("AU1", "AU2"), size=64).eval()
    picture = torch.zeros(1, 3, 64, 64)
    picture[..., 4:28, 4:28] = 2
    with torch.no_grad():
        assert (network(picture) - network(picture.flip(-1))).abs().max() > 1e-4
    with pytest.raises(UsageError, match="multiples of 32"):
        build_network("siat-resnet18", ("AU1",), size=100)
