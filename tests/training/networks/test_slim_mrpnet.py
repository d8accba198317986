"""The slim network is the wide one without what was cut."""

from __future__ import annotations

import pytest
import torch

from edgeau.action_units.names import BP4D
from edgeau_training.networks import build_network
from edgeau_training.networks.counting import mac_count, parameter_count, skeleton
from edgeau_training.networks.region_pooling import RegionPooling, fit_map
from edgeau_training.networks.slim_mrpnet import BLOCKS, CELLS, SIZE
from edgeau_training.networks.slimming import _merged, slim_network


def test_it_is_small():
    network = skeleton("mrpnet-slim", BP4D)
    images = torch.empty(2, 3, SIZE, SIZE, device="meta")
    assert network.stem(images).shape == (2, 1280, CELLS, CELLS)
    assert network(images).shape == (2, 12)
    assert [len(stage) for stage in network.stem.blocks] == list(BLOCKS)
    assert parameter_count(network) < 4.4e6
    # A third of MRP-Net's.
    assert mac_count(network, SIZE) < 0.31 * mac_count(skeleton("mrpnet", BP4D), 224)


@pytest.mark.parametrize("grid", [1, 2, 3, 7])
def test_resize_pooling_and_weighing_merge_into_one_kernel(grid):
    torch.manual_seed(grid)
    region = RegionPooling(6, grid).eval()
    maps = torch.rand(3, 6, CELLS, CELLS)
    kernel = _merged(region)
    merged = torch.nn.functional.conv2d(maps, kernel, groups=6)
    whole = region.weigh(region.pool(fit_map(maps)))
    torch.testing.assert_close(merged, whole, rtol=1e-4, atol=1e-5)


def test_a_slimmed_network_keeps_the_weights_of_the_channels_that_it_keeps():
    torch.manual_seed(0)
    wide = build_network("mrpnet", BP4D).eval()
    slim = slim_network(wide, 256).eval()  # all channels: only blocks were cut
    assert torch.equal(slim.classifier.weight, wide.classifier.weight)
    maps = torch.rand(1, 1280, CELLS, CELLS)
    torch.testing.assert_close(slim.head(maps), wide.head(maps), rtol=1e-3, atol=1e-4)
    assert slim_network(wide, 64).classifier.in_features == 256


@torch.no_grad()
def test_with_all_blocks_and_channels_it_is_mrp_net_on_the_same_pixels():
    torch.manual_seed(1)
    wide = build_network("mrpnet", BP4D).eval()
    whole = slim_network(wide, 256, blocks=(2, 3, 3, 4, 4, 5, 2)).eval()
    images = torch.rand(1, 3, SIZE, SIZE)
    torch.testing.assert_close(whole(images), wide(images), rtol=1e-3, atol=1e-4)


def test_it_exports(onnx_difference):
    torch.manual_seed(0)
    assert onnx_difference(build_network("mrpnet-slim", BP4D), 3, SIZE, SIZE) <= 1e-4
