"""The study of the papers' questions: what a difference, its interval and its verdict are; every question can be asked."""

import importlib

import numpy as np
import pytest

from edgeau_training.evaluation.predictions import Predictions

LABELS = ("AU1", "AU4")


@pytest.fixture(scope="module")
def study(root):
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root / "benchmarks"))
        yield importlib.import_module("study")


def answers(seed, wrong, persons=40):
    """Ten faces a person; a share of the decisions is wrong."""
    random = np.random.default_rng(seed)
    truth = (np.random.default_rng(0).random((10 * persons, 2)) < 0.4).astype(np.int8)
    flipped = random.random(truth.shape) < wrong
    logits = np.where((truth == 1) ^ flipped, 2.0, -2.0).astype(np.float32)
    return Predictions(LABELS, logits, truth, np.full(2, 0.5), groups=np.repeat(np.arange(persons), 10))


def test_the_mean_f1_is_that_of_the_decisions(study):
    table = answers(1, 0.2)
    decided = table.decisions
    each = []
    for column in range(2):
        hits = (decided[:, column] & (table.truth[:, column] == 1)).sum()
        each.append(2 * hits / (decided[:, column].sum() + table.truth[:, column].sum()))
    assert study.mean_f1([table], np.ones((1, 400)))[0] == pytest.approx(np.mean(each))
    doubled = study.mean_f1([table, answers(2, 0.2)], np.full((1, 400), 2.0))[0]
    assert doubled == pytest.approx(
        np.mean([study.mean_f1([one], np.ones((1, 400)))[0] for one in (table, answers(2, 0.2))])
    )


def test_a_real_difference_is_told_and_none_is_not(study):
    better = [answers(seed, 0.1) for seed in (1, 2, 3)]
    worse = [answers(seed, 0.3) for seed in (4, 5, 6)]
    found = study.difference(better, worse)
    assert found.low < found.value < found.high
    assert (study.verdict(found, 2.8), study.verdict(found, -1.0), study.verdict(found, None)) == (
        "agrees",
        "disagrees",
        "better",
    )
    alike = study.difference(better, [answers(seed, 0.1) for seed in (7, 8, 9)])
    assert study.verdict(alike, 2.8) == "cannot tell"
    same = study.difference(better, better)
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_every_variant_is_a_recipe_and_every_published_pair_is_printed(study):
    for name, variant in study.VARIANTS.items():
        recipe = variant.made(2, 5)
        assert recipe.seed == 2, name
        assert [stage.steps for stage in recipe.stages] == [5]
        assert not recipe.auxiliary
    sides = {side.partition("@")[0] for one in study.QUESTIONS for side in (one.ours, one.other)}
    assert sides <= set(study.VARIANTS)
    printed = {one.title: study.published(one) for one in study.QUESTIONS if one.paper}
    assert printed["regions against global pooling"] == pytest.approx(2.8)
    assert printed["BBL against CE"] == pytest.approx(2.3)
    assert printed["MLROS and selective learning against neither"] == pytest.approx(2.5)
    assert all(value is not None for value in printed.values())


def test_a_table_without_runs_says_that_nothing_is_measured(study, tmp_path):
    text, rows = study.table(tmp_path, 3)
    assert rows == []
    assert len(text.splitlines()) == 2
