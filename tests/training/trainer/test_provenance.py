"""A checkpoint says what it was trained on and under which terms, and so does whatever starts from it."""

import pytest
import torch

from edgeau._system.file_digest import file_digest
from edgeau_export.source_network.from_checkpoint import CheckpointSource
from edgeau_training.checkpoint import read_info
from edgeau_training.datasets import LICENCES, open_data_set
from edgeau_training.networks import build_network
from edgeau_training.trainer.delivery import LATEST, Delivery
from edgeau_training.trainer.framing import framing_of
from edgeau_training.trainer.recipe import read_recipe
from edgeau_training.trainer.starting_weights import start_from
from edgeau_training.trainer.training_data import open_training_data


@pytest.fixture
def delivered(tmp_path, written_recipe, trees):
    """Writes the checkpoint of a run on a set, without its steps; gives recipe and file."""

    def deliver(name, out, start=None, fold="", options="{}"):
        path = written_recipe(name, "ir", options)
        recipe = read_recipe(path)
        framing = framing_of(recipe.network, recipe.options, name)
        data = open_training_data(recipe, trees[name], tmp_path / "crops", framing, fold)
        torch.manual_seed(0)
        network = build_network(recipe.network, data.labels, **recipe.options)
        started = None if start is None else start_from(network, recipe, data.labels, start)[0]
        delivery = Delivery(tmp_path / out, recipe, data, framing, started)
        delivery.latest(network, 1, {"thresholds": {}})
        return recipe, tmp_path / out / LATEST

    return deliver


def test_set_fold_digest_recipe_and_terms_go_into_checkpoint_and_manifest(delivered, trees):
    recipe, path = delivered("aff-wild2", "a", fold="2")
    info = read_info(path)
    on = info.provenance.trained_on
    assert (on.set, on.fold) == ("aff-wild2", "2")
    assert on.digest == info.dataset_digest == open_data_set("aff-wild2", trees["aff-wild2"]).read().digest
    assert info.provenance.recipe == recipe.digest
    assert info.provenance.started_from is None
    assert info.licences == (LICENCES["aff-wild2"],)
    description = CheckpointSource(path).description
    assert description.licences == info.licences
    assert description.network.provenance.weights == file_digest(path)
    assert description.network.provenance.trained_on == on


def test_the_terms_of_what_it_started_from_stay_with_the_weights(delivered):
    _, first = delivered("aff-wild2", "a")
    _, second = delivered("pictures", "b", first, options="{ count = 3, aligned = true }")
    info = read_info(second)
    started = info.provenance.started_from
    assert (started.file, started.sha256) == (first.name, file_digest(first))
    assert started.labels == read_info(first).labels
    assert started.taken == ("AU4", "AU12")
    assert info.licences == (LICENCES["aff-wild2"],)
    assert info.training.endswith(f"started from {first.name}")
