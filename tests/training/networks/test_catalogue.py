import pytest

from edgeau._system.named_object import named_object
from edgeau._system.records import from_dict, to_dict
from edgeau.action_units.names import DEFAULT
from edgeau.bundle.manifest import InputSpec
from edgeau.errors import UsageError
from edgeau.faces.alignment import Alignment
from edgeau_training.checkpoint import IMAGENET_INPUT, make_seeded_checkpoint
from edgeau_training.networks.catalogue import CATALOGUE, network_facts
from edgeau_training.networks.counting import skeleton


def test_every_network_has_a_builder():
    assert all(callable(named_object(facts.builder)) for facts in CATALOGUE.values())


@pytest.mark.parametrize("name", CATALOGUE)
def test_facts_hold_together(name):
    facts = CATALOGUE[name]
    assert facts.title
    assert facts.fidelity.endswith(".")
    assert facts.input.size == (facts.alignment.size, facts.alignment.size)
    assert from_dict(InputSpec, to_dict(facts.input), "input") == facts.input
    assert bool(facts.pretrained) == (facts.backbone is not None)


@pytest.mark.parametrize("name", [name for name, facts in CATALOGUE.items() if facts.backbone])
def test_backbones_are_there(name):
    network = skeleton(name, CATALOGUE[name].labels)
    assert next(network.get_submodule(CATALOGUE[name].backbone).parameters()) is not None


def test_only_mrp_net_is_called_a_reconstruction_and_always_is():
    assert CATALOGUE["mrpnet"].title == "MRP-Net (reconstruction)"
    assert [name for name, facts in CATALOGUE.items() if "MRP-Net" in facts.title] == ["mrpnet"]


def test_mrp_nets_input_is_what_checkpoints_default_to():
    assert to_dict(CATALOGUE["mrpnet"].input) == IMAGENET_INPUT
    assert CATALOGUE["mrpnet"].alignment == Alignment()


@pytest.mark.parametrize(
    ("name", "options", "size", "color", "mean"),
    [
        ("drml", {}, 170, "BGR", 0.0),
        ("drml", {"mode": "modern"}, 170, "RGB", 0.5),
        ("drml-alexnet", {}, 227, "BGR", 0.0),
        ("mrpnet", {"mrp_variant": "A"}, 224, "RGB", 0.485),
        ("siat-ir152", {}, 224, "RGB", 0.5),
        ("siat-ir50", {"size": 112}, 112, "RGB", 0.5),
        ("ustc-attn", {"size": 64}, 64, "RGB", 0.5),
    ],
)
def test_options_change_the_input(name, options, size, color, mean):
    facts = network_facts(name, **options)
    assert (facts.input.size, facts.input.color, facts.input.mean[0]) == ((size, size), color, mean)
    assert facts.alignment.size == size


def test_drmls_faithful_input_is_in_0_to_255():
    spec = network_facts("drml").input
    assert [(1.0 - mean) / std for mean, std in zip(spec.mean, spec.std, strict=True)] == [255] * 3


def test_an_unknown_network_is_refused():
    with pytest.raises(UsageError, match="known networks: drml, "):
        network_facts("drlm")


def test_a_seeded_checkpoint_says_what_its_network_wants(tmp_path):
    options = {"blocks": (1, 1, 1, 1), "size": 32}
    info = make_seeded_checkpoint(tmp_path / "ustc.safetensors", "ustc-fixed", DEFAULT, **options)
    facts = network_facts("ustc-fixed", **options)
    assert info.input == to_dict(facts.input)
    assert info.alignment == facts.alignment.to_dict()
