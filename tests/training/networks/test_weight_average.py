from dataclasses import replace

import pytest
import torch
from torch import nn

from edgeau.bundle.provenance import Provenance, TrainedOn
from edgeau.errors import UsageError
from edgeau_training.checkpoint import load_checkpoint, make_seeded_checkpoint, read_info, save_checkpoint
from edgeau_training.networks.weight_average import average_weights, main


def test_weights_and_statistics_lie_between():
    earlier, later = (nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)) for _ in range(2))
    earlier[1].running_mean.fill_(1.0)
    wanted = 0.3 * earlier[0].weight + 0.7 * later[0].weight
    between = average_weights(earlier, later, 0.7)
    torch.testing.assert_close(between[0].weight, wanted)
    torch.testing.assert_close(between[1].running_mean, torch.full((3,), 0.3))


def test_the_average_keeps_what_both_were_trained_on(tmp_path):
    paths = [tmp_path / "earlier.safetensors", tmp_path / "later.safetensors"]
    for number, path in enumerate(paths):
        make_seeded_checkpoint(path, "siat-ir50", ("AU1", "AU12"), seed=number, units=[1, 1, 1, 1], size=16)
        network, info = load_checkpoint(path)
        told = Provenance(trained_on=TrainedOn("bp4d", str(number)))
        save_checkpoint(path, network, replace(info, provenance=told, licences=(f"licence {number}",)))
    out = tmp_path / "average.safetensors"
    assert main([*map(str, paths), "--out", str(out)]) == 0
    info = read_info(out)
    assert info.provenance.folds("bp4d") == ("0", "1")
    assert info.licences == ("licence 1", "licence 0")


def test_other_networks_are_refused():
    with pytest.raises(UsageError, match="different networks"):
        average_weights(nn.Linear(2, 3), nn.Linear(3, 2), 0.5)
