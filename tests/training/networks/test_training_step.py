"""Gradients reach every weight of every system, in full and in mixed precision."""

import pytest
import torch

from edgeau_training.losses import build_loss
from edgeau_training.networks import build_network
from edgeau_training.networks.catalogue import network_facts

LABELS = ("AU1", "AU4", "AU12")
SMALL_IR = {"units": (1, 2, 1, 1), "size": 32}
# One attention network: of several, one that is nowhere the strongest rightly learns nothing.
SMALL_USTC = {"blocks": (1, 2, 1, 1), "size": 32, "neighbours": 2, "lanets": 1}
CASES = [
    ("drml", {"mode": "modern"}, "drml"),
    ("siat-ir50", SMALL_IR, "cross-entropy"),
    ("siat-two-view", {**SMALL_IR, "members": ("siat-ir50", "siat-ir50")}, "cross-entropy"),
    ("ustc-fixed", SMALL_USTC, "circle"),
    ("ustc-attn", SMALL_USTC, "circle"),
]


@pytest.mark.parametrize("mixed", [False, True], ids=("float32", "mixed"))
@pytest.mark.parametrize(("name", "options", "loss"), CASES, ids=[case[0] for case in CASES])
def test_every_weight_learns(name, options, loss, mixed):
    torch.manual_seed(0)
    network = build_network(name, LABELS, **options).train()
    side = network_facts(name, **options).input.size[0]
    # Three to one: a balanced batch on fresh logits would cancel in the last bias.
    images, occurrence = torch.randn(4, 3, side, side), torch.tensor([[1.0, 0, 1], *([[0.0, 1, 0]] * 3)])
    with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
        logits = network(images)
    value = build_loss(loss)(logits, occurrence, torch.ones(4, 3))
    assert value.dtype == torch.float32
    value.backward()
    frozen = [name for name, one in network.named_parameters() if not one.requires_grad]
    assert all(name.endswith("backbone.features.weight") for name in frozen)
    grown = {name: one.grad for name, one in network.named_parameters() if one.requires_grad}
    assert all(gradient is not None and gradient.isfinite().all() for gradient in grown.values())
    assert [name for name, gradient in grown.items() if not gradient.any()] == []


def test_a_small_ustc_learns_four_faces_by_heart():
    torch.manual_seed(0)
    network, loss = build_network("ustc-fixed", LABELS, **SMALL_USTC), build_loss("circle")
    images, occurrence = torch.randn(4, 3, 32, 32), torch.tensor([[1.0, 0, 1], [0, 1, 0]] * 2)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.02, momentum=0.9)
    values = []
    for _ in range(6):
        value = loss(network(images), occurrence, torch.ones(4, 3))
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        values.append(value.item())
    assert values[-1] < values[0] / 4
