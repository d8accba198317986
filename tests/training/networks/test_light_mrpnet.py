import pytest
import torch

from edgeau.action_units.names import BP4D
from edgeau_training.networks import build_network
from edgeau_training.networks.counting import mac_count, parameter_count, skeleton

STEMS = {"mrpnet-lite1": 4_135_680, "mrpnet-mnv4s": 2_493_024, "mrpnet-mnv4m": 8_434_512}
HEAD_AND_CLASSIFIER = 3_393_804


@pytest.mark.parametrize("name", STEMS)
def test_a_lighter_stem_under_the_same_head(name):
    network = skeleton(name, BP4D)
    images = torch.empty(2, 3, 224, 224, device="meta")
    assert network.stem(images).shape == (2, 1280, 7, 7)
    assert [stop - start for start, stop in network.head.slices] == [320] * 4
    assert network(images).shape == (2, 12)
    assert parameter_count(network.stem) == STEMS[name]
    assert parameter_count(network) == STEMS[name] + HEAD_AND_CLASSIFIER


@pytest.mark.parametrize(
    ("name", "millions"), [("mrpnet-lite1", 501), ("mrpnet-mnv4s", 244), ("mrpnet-mnv4m", 885)]
)
def test_multiply_accumulates_of_the_stem(name, millions):
    assert round(mac_count(skeleton(name, BP4D).stem, 224) / 1e6) == millions


def test_options_of_mrpnet_reach_it():
    network = skeleton("mrpnet-mnv4s", BP4D, mrp_variant="gap", dropout=0.5)
    assert parameter_count(network) == STEMS["mrpnet-mnv4s"] + 1280 * 12 + 12
    assert network.dropout.p == 0.5


@pytest.mark.parametrize("name", STEMS)
def test_they_have_neither_silu_nor_squeeze_and_excite(name):
    kinds = {type(module).__name__ for module in skeleton(name, BP4D).modules()}
    assert not kinds & {"SiLU", "SqueezeExcite", "SEModule", "Sigmoid"}


def test_the_smallest_exports(onnx_difference):
    torch.manual_seed(0)
    assert onnx_difference(build_network("mrpnet-mnv4s", BP4D), 3, 224, 224) <= 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mrpnet-lite1", "mrpnet-mnv4m"])
def test_the_larger_ones_export(onnx_difference, name):
    torch.manual_seed(0)
    assert onnx_difference(build_network(name, BP4D), 3, 224, 224) <= 1e-4
