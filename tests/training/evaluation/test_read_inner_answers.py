"""Attention, edges, shares and patches that the published networks weigh."""

import numpy as np
import pytest
import torch

from edgeau_training.evaluation.inner_answers import InnerMap, InnerTable
from edgeau_training.evaluation.read_inner_answers import read_inner_answers
from edgeau_training.networks import build_network
from edgeau_training.networks.ustc.facial_graph import adjacency

LABELS = ("AU1", "AU4", "AU12")
USTC = {"blocks": [1, 1, 1, 1], "size": 32, "lanets": 2, "neighbours": 2}


@pytest.mark.parametrize(("name", "share"), [("ustc-fixed", "0.50"), ("ustc-attn", None)])
def test_ustc_shows_its_attention_edges_and_shares(name, share):
    torch.manual_seed(0)
    network = build_network(name, LABELS, **USTC).eval()
    batch = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        before = network(batch)
    attention, edges, shares = read_inner_answers(network, batch, LABELS)
    assert isinstance(attention, InnerMap)
    with torch.no_grad():
        maps = network.backbone.maps(batch)
        np.testing.assert_allclose(attention.values, network.perception.attention(maps)[0, 0], atol=1e-6)
        hears = adjacency(network.node_features(network.perception(maps)), 2)[0]
    assert isinstance(edges, InnerTable)
    for row, (label, others) in enumerate(edges.rows):
        heard = [LABELS[column] for column in range(3) if hears[row, column] and column != row]
        assert (label, others) == (LABELS[row], ", ".join(heard) or "itself alone")
    assert isinstance(shares, InnerTable)
    ((_, own, other),) = shares.rows
    assert float(own) + float(other) == pytest.approx(1, abs=0.011)
    assert share is None or own == share
    with torch.no_grad():  # listening leaves nothing behind
        assert torch.equal(network(batch), before)
    assert not any(module._forward_hooks for module in network.modules())


def test_drml_shows_which_patches_count_for_an_au():
    torch.manual_seed(0)
    network = build_network("drml", LABELS, mode="modern", size=74).eval()
    batch = torch.randn(1, 3, 74, 74)
    maps = read_inner_answers(network, batch, LABELS)
    assert [one.title for one in maps] == [f"{label}: patches of the region layer" for label in LABELS]
    assert all(one.values.shape == (8, 8) and (one.values >= 0).all() and one.values.any() for one in maps)
    # What an answer does not hang on counts for nothing.
    with torch.no_grad():
        network.classifier.weight[1].zero_()
    assert not read_inner_answers(network, batch, LABELS)[1].values.any()


def test_other_networks_show_nothing():
    network = build_network("siat-ir50", LABELS, units=[1, 1, 1, 1], size=16).eval()
    assert read_inner_answers(network, torch.randn(1, 3, 16, 16), LABELS) == []
