"""The study of the papers' questions: what a difference, its interval and its verdict are; every question can be asked."""

import json

import numpy as np
import pytest

from edgeau.action_units.names import DEFAULT
from edgeau_training.evaluation.predictions import Predictions, save_predictions
from edgeau_training.networks.counting import skeleton

LABELS = ("AU1", "AU4")


@pytest.fixture(scope="module")
def study(benchmark):
    return benchmark("study")


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
        assert recipe.precision == "32-true"
        assert variant.made(2, 5, "bf16-mixed").precision == "bf16-mixed"
    sides = {side.partition("@")[0] for one in study.QUESTIONS for side in (one.ours, one.other)}
    assert sides <= set(study.VARIANTS)
    printed = {one.title: study.published(one) for one in study.QUESTIONS if one.paper}
    assert printed["regions against global pooling"] == pytest.approx(2.8)
    assert printed["BBL against CE"] == pytest.approx(2.3)
    assert printed["MLROS and selective learning against neither"] == pytest.approx(2.5)
    assert all(value is not None for value in printed.values())


def test_every_variant_builds_its_network(study):
    for variant in study.VARIANTS.values():
        recipe = variant.made(0, 1)
        skeleton(recipe.network, DEFAULT, **recipe.options)


def test_a_table_without_runs_says_that_nothing_is_measured(study, tmp_path):
    rows = study.measured(tmp_path, 3)
    assert rows == {}
    assert (
        f"{len(study.QUESTIONS)} of {len(study.QUESTIONS)} questions are not measured"
        in study.as_markdown(rows)
    )


def test_runs_that_are_there_become_rows_and_others_wait(study, tmp_path):
    for name, wrong in (("mrp-ce", 0.1), ("mrp-gap", 0.3)):
        for seed in range(2):
            folder = tmp_path / f"{name}-{seed}"
            folder.mkdir()
            one = answers(seed, wrong)
            save_predictions(folder / study.ANSWERS, {"validation": one, "test": one})
            cost = {
                "steps": 1,
                "pictures": 32,
                "cpu_minutes": 0.5,
                "machine": "a machine",
                "date": "2026-11-29",
            }
            (folder / study.RESULT).write_text(json.dumps(cost))
    rows = study.measured(tmp_path, 2)
    assert list(rows) == ["regions against global pooling"]
    assert rows["regions against global pooling"]["cpu_minutes"] == 2.0
    text = study.as_markdown(json.loads(json.dumps(rows)))
    assert "| agrees | 2 x 32 pictures a side, 2 CPU minutes, 2026-11-29 |" in text
    assert f"{len(study.QUESTIONS) - 1} of {len(study.QUESTIONS)} questions are not measured" in text


def test_a_pair_averages_the_logits_of_two_seeds_and_the_plot_names_every_question(study, tmp_path):
    names = {side.partition("@")[0] for one in study.QUESTIONS for side in (one.ours, one.other)}
    for place, name in enumerate(sorted(names)):
        for seed in range(3):
            folder = tmp_path / f"{name}-{seed}"
            folder.mkdir()
            table = answers(100 * place + seed, 0.2)
            save_predictions(folder / study.ANSWERS, {"validation": table, "test": table})
            told = {"pictures": 10, "cpu_minutes": 1, "machine": "any", "date": "2026-01-01"}
            (folder / study.RESULT).write_text(json.dumps(told))
    single = study.decisions("siat-selective", tmp_path, 3, "half")
    paired = study.decisions("siat-selective@pairs", tmp_path, 3, "half")
    np.testing.assert_allclose(paired[2].logits, (single[2].logits + single[0].logits) / 2)
    rows = study.measured(tmp_path, 3)
    assert len(rows) == len(study.QUESTIONS)
    study.plot(rows, tmp_path / "study.svg")
    first = (tmp_path / "study.svg").read_bytes()
    study.plot(rows, tmp_path / "study.svg")
    assert (tmp_path / "study.svg").read_bytes() == first
    assert b"<svg" in first
