"""Weights of other labels are matched by name, never by place."""

import pytest
import torch

from edgeau_training.checkpoint import CheckpointInfo, save_checkpoint
from edgeau_training.networks import build_network
from edgeau_training.networks.label_rows import label_axes, matched_rows
from edgeau_training.trainer.recipe import Recipe
from edgeau_training.trainer.stage import Stage
from edgeau_training.trainer.starting_weights import start_from

MRPNET = ("mrpnet", {"stem": "test_efficientnet"})
USTC = ("ustc-fixed", {"blocks": (1, 1, 1, 1), "size": 16, "neighbours": 2})
OLD, NEW = ("AU12", "AU14", "AU17"), ("AU12", "AU15", "AU17")


def network(kind, labels, seed):
    torch.manual_seed(seed)
    return build_network(kind[0], labels, **kind[1])


def recipe(kind):
    return Recipe("a test", kind[0], (Stage("all", steps=1),), options=kind[1])


@pytest.mark.parametrize("kind", [MRPNET, USTC], ids=["mrpnet", "ustc"])
def test_au14_never_becomes_au15(tmp_path, kind):
    trained, fresh = network(kind, OLD, 1), network(kind, NEW, 2)
    before = {name: tensor.clone() for name, tensor in fresh.state_dict().items()}
    path = tmp_path / "old.safetensors"
    save_checkpoint(path, trained, CheckpointInfo(kind[0], OLD, dict(kind[1])))
    started, said = start_from(fresh, recipe(kind), NEW, path)
    assert (started.taken, started.fresh) == (("AU12", "AU17"), ("AU15",))
    assert "outputs of AU12 AU17 by name" in said
    assert "AU15 begin at random" in said
    axes = label_axes(kind[0], NEW, kind[1])
    assert axes
    theirs, ours = trained.state_dict(), fresh.state_dict()
    for name in ours:
        if name not in axes:
            torch.testing.assert_close(ours[name], theirs[name])
            continue
        mine, other, random = (by_label(tensor[name], axes[name]) for tensor in (ours, theirs, before))
        torch.testing.assert_close(mine[0], other[0])
        torch.testing.assert_close(mine[2], other[2])
        torch.testing.assert_close(mine[1], random[1])


def by_label(tensor, axes):
    """Its entries of each of three labels; those of a label with itself, where there are two axes."""
    parts = tensor.chunk(3, axes[0])
    return parts if len(axes) == 1 else [part.chunk(3, axes[1])[place] for place, part in enumerate(parts)]


@pytest.mark.parametrize(("kind", "size"), [(MRPNET, 224), (USTC, 16)], ids=["mrpnet", "ustc"])
def test_another_order_is_put_right(tmp_path, kind, size):
    trained, fresh = network(kind, OLD, 1), network(kind, OLD[::-1], 2)
    path = tmp_path / "old.safetensors"
    save_checkpoint(path, trained, CheckpointInfo(kind[0], OLD, dict(kind[1])))
    start_from(fresh, recipe(kind), OLD[::-1], path)
    faces = torch.randn(2, 3, size, size)
    with torch.no_grad():
        torch.testing.assert_close(fresh.eval()(faces), trained.eval()(faces).flip(1))


def test_rows_of_a_file_that_does_not_say_its_labels_are_not_taken(tmp_path):
    trained, fresh = network(MRPNET, OLD, 1), network(MRPNET, OLD, 2)
    before = fresh.classifier.weight.clone()
    torch.save(trained.state_dict(), tmp_path / "bare.pth")
    started, said = start_from(fresh, recipe(MRPNET), OLD, tmp_path / "bare.pth")
    torch.testing.assert_close(fresh.classifier.weight, before)
    assert (started.labels, started.fresh) == ((), OLD)
    assert "AU12 AU14 AU17 begin at random" in said


def test_entries_of_pairs_are_matched_on_both_axes():
    old, own = torch.arange(9.0).reshape(3, 3), torch.full((2, 2), -1.0)
    found = matched_rows(old, own, (0, 1), ("a", "b", "c"), ("c", "a"))
    assert found.tolist() == [[8, 6], [2, 0]]
    assert matched_rows(torch.zeros(4, 3), own, (0,), ("a",), ("c", "a")) is None
