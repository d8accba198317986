import pytest
import torch
from torch import nn

from edgeau.errors import UsageError
from edgeau_training.networks.weight_average import average_weights


def test_weights_and_statistics_lie_between():
    earlier, later = (nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)) for _ in range(2))
    earlier[1].running_mean.fill_(1.0)
    wanted = 0.3 * earlier[0].weight + 0.7 * later[0].weight
    between = average_weights(earlier, later, 0.7)
    torch.testing.assert_close(between[0].weight, wanted)
    torch.testing.assert_close(between[1].running_mean, torch.full((3,), 0.3))


def test_other_networks_are_refused():
    with pytest.raises(UsageError, match="different networks"):
        average_weights(nn.Linear(2, 3), nn.Linear(3, 2), 0.5)
