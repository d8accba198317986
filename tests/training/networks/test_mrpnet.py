import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from edgeau.action_units.names import BP4D, DISFA
from edgeau.errors import UsageError
from edgeau_training.networks import build_network
from edgeau_training.networks.mrpnet import MRPHead
from edgeau_training.networks.region_pooling import RegionPooling, fit_map


def parameters(module):
    return sum(one.numel() for one in module.parameters())


@pytest.mark.parametrize(
    ("labels", "variant", "count"),
    [
        (BP4D, "R", 9_906_988),
        (DISFA, "R", 9_902_888),
        (BP4D, "A", 9_906_988 - 412_160),
        (BP4D, "gap", 6_528_556),
    ],
)
def test_parameter_counts_are_those_of_the_specification(labels, variant, count):
    assert parameters(build_network("mrpnet", labels, mrp_variant=variant)) == count


def test_the_parts_count_as_specified():
    network = build_network("mrpnet", BP4D)
    assert parameters(network.stem) == 6_513_184
    assert [parameters(group) for group in network.head.groups] == [840_832] * 4
    assert [parameters(region) for region in network.head.regions] == [768, 1_536, 2_816, 13_056]
    assert parameters(network.classifier) == 12_300


def test_multiply_accumulates_at_224():
    network = build_network("mrpnet", BP4D).eval()
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(torch.zeros(1, 3, 224, 224))
    assert counter.get_total_flops() / 2 == 732_977_376


def test_shapes():
    network = build_network("mrpnet", BP4D).eval()
    with torch.inference_mode():
        assert network.stem(torch.zeros(1, 3, 224, 224)).shape == (1, 1280, 7, 7)
        assert network.features(torch.zeros(1, 3, 224, 224)).shape == (1, 1024)
        assert network(torch.zeros(2, 3, 224, 224)).shape == (2, 12)


@pytest.mark.parametrize("grid", [1, 2, 3, 7])
def test_plain_pooling_has_the_cells_of_the_adaptive_one(grid):
    maps = torch.rand(2, 5, 7, 7)
    expected = torch.nn.functional.adaptive_avg_pool2d(maps, grid)
    torch.testing.assert_close(RegionPooling(5, grid).pool(maps), expected)


def test_groups_see_their_own_channels_only():
    head = MRPHead(1280).eval()
    maps = torch.rand(1, 1280, 7, 7)
    changed = maps.clone()
    changed[:, 320:640] += 1
    with torch.inference_mode():
        moved = (head(maps) != head(changed)).any(dim=0)
    assert moved[256:512].any()
    assert not moved[:256].any()
    assert not moved[512:].any()


def test_a_seven_by_seven_map_passes_untouched():
    maps = torch.rand(1, 4, 7, 7)
    assert fit_map(maps) is maps


def test_a_partial_view_fills_the_cells_that_it_saw():
    maps = torch.arange(25.0).reshape(1, 1, 5, 5)
    fitted = fit_map(maps, field=5)
    assert fitted.shape == (1, 1, 7, 7)
    torch.testing.assert_close(fitted[..., 1:6, 1:6], maps)
    assert fitted[0, 0, 0, 0] == maps[0, 0, 0, 0]


@pytest.mark.parametrize("pixels", [96, 128, 160])
def test_low_resolutions_run(pixels):
    network = build_network("mrpnet", BP4D, stem="test_efficientnet").eval()
    with torch.inference_mode():
        assert network.features(torch.zeros(1, 3, pixels, pixels), 5).shape == (1, 1024)


def test_head_initialisation_is_he_fan_out():
    head = build_network("mrpnet", BP4D).head
    three = head.groups[0][3].weight
    assert three.std().item() == pytest.approx((2 / (256 * 9)) ** 0.5, rel=0.02)
    regions = head.regions[3].weigh.weight
    assert regions.std().item() == pytest.approx((2 / 49) ** 0.5, rel=0.05)


def test_unknown_names_are_refused_with_the_known_ones():
    with pytest.raises(UsageError, match="known: .*mrpnet"):
        build_network("mrp-net", BP4D)
    with pytest.raises(UsageError, match="known variants: R, A, gap"):
        build_network("mrpnet", BP4D, mrp_variant="B")
    with pytest.raises(UsageError, match="does not take"):
        build_network("mrpnet", BP4D, layers=3)
