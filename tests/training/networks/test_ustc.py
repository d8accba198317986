import pytest
import torch
from torch import nn
from torch.nn import functional

from edgeau.action_units.names import DISFA, labels
from edgeau.errors import UsageError
from edgeau_training.networks import build_network
from edgeau_training.networks.counting import mac_count, parameter_count, skeleton
from edgeau_training.networks.ustc.encoder_layer import EncoderLayer
from edgeau_training.networks.ustc.facial_graph import (
    FacialGraph,
    NodeFeatures,
    adjacency,
    normalise_adjacency,
)
from edgeau_training.networks.ustc.fusion import AttentionShare, FixedShare
from edgeau_training.networks.ustc.iresnet import IBlock, IResNet
from edgeau_training.networks.ustc.local_region_perception import LANet, LocalRegionPerception

AFF_WILD2 = labels((1, 2, 4, 6, 7, 10, 12, 15, 23, 24, 25, 26))
TINY = {"blocks": (1, 1, 1, 1), "size": 32}


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("ustc-fixed", {}, 69_007_797),
        ("ustc-attn", {}, 75_313_590),
        ("ustc-attn", {"share_of_each": True}, 75_313_590 + 11 * 513),
        ("ustc-fixed", {"lanets": 4}, 69_007_797 - 16_449),
        ("ustc-fixed", {"reduction": 8}, 69_007_797 + 5 * (32_897 - 16_449)),
        # The ablation's: what a row lacks is not carried along.
        ("ustc-backbone", {}, 65_156_160 + 6_156),
        ("ustc-relations", {}, 52_309_568 + 82_245 + 3_164_160 + 525_336 + 73_740),
        ("ustc-relations", {"lanets": 0}, 52_309_568 + 3_164_160 + 525_336 + 73_740),
    ],
)
def test_parameters(name, options, expected):
    assert parameter_count(skeleton(name, AFF_WILD2, **options)) == expected


@pytest.mark.parametrize(("reduction", "expected"), [(16, 16_449), (8, 32_897), (2, 131_585)])
def test_parameters_of_one_attention_network(reduction, expected):
    assert parameter_count(LANet(512, reduction)) == expected


def test_parameters_of_the_parts():
    network = skeleton("ustc-attn", AFF_WILD2)
    parts = {
        "backbone": 65_156_160,
        "perception": 82_245,
        "node_features": 3_164_160,
        "graph": 525_336,
        "au_classifier": 73_740,
        "backbone_classifier": 6_156,
        "fusion.encoder": 6_304_768,
    }
    assert {part: parameter_count(network.get_submodule(part)) for part in parts} == parts
    assert parameter_count(network.fusion.encoder[0]) == 3_152_384
    assert parameter_count(network.backbone) - parameter_count(network.backbone.fc) - 1024 == 52_309_568


@pytest.mark.parametrize(("name", "expected"), [("ustc-fixed", 12.25), ("ustc-attn", 12.25 + 2 * 0.0442)])
def test_multiply_accumulates(name, expected):
    assert mac_count(skeleton(name, AFF_WILD2), 112) / 1e9 == pytest.approx(expected, abs=0.006)


def test_shapes():
    network = skeleton("ustc-attn", AFF_WILD2)
    images = torch.empty(2, 3, 112, 112, device="meta")
    maps = network.backbone.maps(images)
    nodes = network.nodes(maps)
    assert (maps.shape, nodes.shape) == ((2, 512, 7, 7), (2, 12, 512))
    assert network.fusion.tokens(network.backbone.embedding(maps), nodes).shape == (2, 14, 512)
    assert network(images).shape == (2, 12)


def test_tensor_names_are_those_of_insightface():
    names = set(IResNet((2, 1, 1, 1)).state_dict())
    expected = {"conv1.weight", "prelu.weight", "layer1.0.downsample.0.weight", "layer1.1.bn3.bias"}
    assert expected | {"layer4.0.prelu.weight", "bn2.running_mean", "fc.bias", "features.weight"} <= names
    assert not any(name.startswith("layer1.1.downsample") for name in names)


def test_a_block_is_what_it_says(randomised):
    torch.manual_seed(0)
    block = randomised(IBlock(3, 5, 2))
    maps = torch.randn(2, 3, 6, 6)
    answer = block.prelu(block.bn2(block.conv1(block.bn1(maps))))
    torch.testing.assert_close(block(maps), block.bn3(block.conv2(answer)) + block.downsample(maps))
    assert block.conv2.stride == (2, 2)


def test_the_embeddings_scale_stays_at_one():
    assert not IResNet((1, 1, 1, 1)).features.weight.requires_grad


def test_the_strongest_attention_counts():
    torch.manual_seed(0)
    module = LocalRegionPerception(8, lanets=3, reduction=2)
    maps = torch.randn(2, 8, 4, 4)
    each = torch.stack(
        [lanet(maps).sigmoid() for lanet in module.lanets]
    )  # sigmoid before the maximum: the same
    torch.testing.assert_close(module(maps), maps * each.max(dim=0).values)
    assert module.attention(maps).shape == (2, 1, 4, 4)


def test_nodes_are_a_layer_for_each_au(randomised):
    torch.manual_seed(0)
    module = randomised(NodeFeatures(6, nodes=3))
    maps = torch.randn(2, 6, 4, 4)
    positions = maps.flatten(2).transpose(1, 2)  # 16 x 6
    for node in range(3):
        part = slice(6 * node, 6 * node + 6)
        linear = functional.linear(positions, module.linear.weight[part, :, 0, 0], module.linear.bias[part])
        mean, variance = module.norm.running_mean[part], module.norm.running_var[part]
        weight, bias = module.norm.weight[part], module.norm.bias[part]
        normed = functional.batch_norm(linear.transpose(1, 2), mean, variance, weight, bias)
        torch.testing.assert_close(module(maps)[:, node], normed.relu().mean(dim=2))


def test_the_worked_example_of_the_graph():
    nodes = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    edges = adjacency(nodes, 2)
    assert edges.tolist() == [[1, 0, 1], [0, 1, 1], [1, 1, 1]]  # the last row has a tie
    expected = torch.tensor([[0.5, 0, 0.408248], [0, 0.5, 0.408248], [0.408248, 0.408248, 0.333333]])
    torch.testing.assert_close(normalise_adjacency(edges), expected, atol=1e-6, rtol=0)


def test_the_graph_layer_is_its_formula_and_sends_no_gradient_through_the_edges():
    torch.manual_seed(0)
    layer = FacialGraph(4, nodes=3, neighbours=2).eval()
    nodes = torch.randn(2, 3, 4, requires_grad=True)
    edges = normalise_adjacency(adjacency(nodes.detach(), 2))
    heard = edges @ (nodes @ layer.value.weight.T + layer.value.bias) + layer.update(nodes)
    expected = functional.relu(nodes + heard / (1 + layer.norm.eps) ** 0.5)
    torch.testing.assert_close(layer(nodes), expected)
    assert layer.norm.num_features == 3
    assert not adjacency(nodes.detach(), 2).requires_grad
    wide = FacialGraph(400, nodes=3, neighbours=2)
    assert wide.value.weight.std().item() == pytest.approx((2 / 400) ** 0.5, rel=0.03)


def test_mixed_precision_has_the_edges_of_float32(monkeypatch):
    """In bfloat16 itself a third of these nodes would hear more than four others."""
    torch.manual_seed(0)
    nodes = torch.rand(16, 12, 64) + 0.5
    seen = []

    def noted(vectors, neighbours):
        seen.append(adjacency(vectors, neighbours))
        return seen[-1]

    monkeypatch.setattr("edgeau_training.networks.ustc.facial_graph.adjacency", noted)
    with torch.autocast("cpu", torch.bfloat16):
        FacialGraph(64, 12)(nodes)
    assert torch.equal(seen[0], adjacency(nodes, 4))
    assert (seen[0].sum(-1) == 4).all()
    assert not torch.equal(seen[0], adjacency(nodes.bfloat16(), 4).float())


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_a_fixed_share_mixes_the_two_branches(share):
    torch.manual_seed(0)
    network = build_network("ustc-fixed", DISFA, share=share, neighbours=3, **TINY).eval()
    images = torch.randn(2, 3, 32, 32)
    maps = network.backbone.maps(images)
    from_aus = network.au_classifier(network.nodes(maps).flatten(1))
    from_backbone = network.backbone_classifier(network.backbone.embedding(maps))
    torch.testing.assert_close(network(images), share * from_aus + (1 - share) * from_backbone)


@pytest.mark.parametrize(("weights", "shape"), [(1, (3, 1)), (5, (3, 5))])
def test_the_attention_share_is_between_the_branches(weights, shape):
    torch.manual_seed(0)
    share = AttentionShare(16, weights).eval()
    answer = share(torch.randn(3, 16), torch.randn(3, 5, 16))
    assert answer.shape == shape
    assert ((answer > 0) & (answer < 1)).all()


def test_the_encoder_layer_is_torchs():
    torch.manual_seed(0)
    ours = EncoderLayer(16, heads=4, hidden=24).eval()
    theirs = nn.TransformerEncoderLayer(16, 4, 24, batch_first=True).eval()
    for parameter in theirs.parameters():
        nn.init.normal_(parameter)
    pairs = [
        (ours.query_key_value.weight, theirs.self_attn.in_proj_weight),
        (ours.query_key_value.bias, theirs.self_attn.in_proj_bias),
    ]
    twins = {
        ours.attended: theirs.self_attn.out_proj,
        ours.widen: theirs.linear1,
        ours.narrow: theirs.linear2,
        ours.norm1: theirs.norm1,
        ours.norm2: theirs.norm2,
    }
    for mine, yours in twins.items():
        pairs += zip(mine.parameters(), yours.parameters(), strict=True)
    for mine, yours in pairs:
        mine.data.copy_(yours.data)
    tokens = torch.randn(2, 5, 16)
    torch.testing.assert_close(ours(tokens), theirs(tokens))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"share": 1.5}, "share 1.5"),
        ({"neighbours": 13}, "1 to 12"),
        ({"lanets": 0}, "lanets 0"),
        ({"reduction": 513}, "reduction 513"),
        ({"size": 111}, "size 111"),
        ({"blocks": (3, 13)}, "four stages"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(UsageError, match=message):
        build_network("ustc-fixed", AFF_WILD2, **{**TINY, **options})


@pytest.mark.parametrize("name", ["ustc-fixed", "ustc-attn"])
def test_a_small_one_exports(onnx_difference, randomised, name):
    torch.manual_seed(0)
    network = build_network(name, AFF_WILD2, **TINY)
    assert onnx_difference(randomised(network), 3, 32, 32) <= 1e-4


def test_a_fixed_share_has_no_weights():
    assert list(FixedShare().parameters()) == []
    assert isinstance(build_network("ustc-fixed", AFF_WILD2, **TINY).fusion, nn.Module)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ustc-fixed", "ustc-attn"])
def test_the_whole_network_exports(onnx_difference, name):
    torch.manual_seed(0)
    assert onnx_difference(build_network(name, AFF_WILD2), 3, 112, 112) <= 1e-4


@pytest.mark.parametrize("options", [{"lanets": 0}, {"lanets": 2}])
def test_the_ablations_branches_are_those_of_the_whole_network(options):
    """With the same weights each answers what its branch of the fused network answers."""
    torch.manual_seed(0)
    images = torch.randn(2, 3, 32, 32)
    relations = build_network("ustc-relations", AFF_WILD2, **TINY, **options).eval()
    backbone = build_network("ustc-backbone", AFF_WILD2, **TINY).eval()
    whole = build_network("ustc-fixed", AFF_WILD2, **TINY, lanets=2).eval()
    weights = {**whole.state_dict(), **relations.state_dict(), **backbone.state_dict()}
    whole.load_state_dict(weights)
    relations.load_state_dict({name: weights[name] for name in relations.state_dict()})
    if not options["lanets"]:
        whole.perception = nn.Identity()
    with torch.no_grad():
        whole.fusion = FixedShare(1.0)
        torch.testing.assert_close(relations(images), whole(images))
        whole.fusion = FixedShare(0.0)
        torch.testing.assert_close(backbone(images), whole(images))
