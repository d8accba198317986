import json
import sys
from dataclasses import replace

import pytest

from edgeau.errors import UsageError
from edgeau_training.datasets import DATA_SETS
from edgeau_training.losses import build_loss
from edgeau_training.networks.catalogue import network_facts
from edgeau_training.sampling import SAMPLERS
from edgeau_training.train_command import main
from edgeau_training.trainer.framing import framing_of
from edgeau_training.trainer.optimisation import Optimiser
from edgeau_training.trainer.recipe import RECIPES, read_recipe
from edgeau_training.trainer.schedule import learning_rate, progress
from edgeau_training.trainer.stage import Stage

GOOD = """
description = "a test"
network = "mrpnet"
labels = ["AU12", "AU1"]
replicas = 2
[options]
dropout = 0.0
drop_path = 0.0
[[stages]]
name = "only"
pixels = 96
field = 160
batch = 4
steps = 2
"""


if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def written(tmp_path, text):
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_recipes_are_valid(path):
    recipe = read_recipe(path)
    facts = network_facts(recipe.network, **recipe.options)
    # The last stage sees what the device will see, at its size.
    assert recipe.stages[-1].pixels in (0, facts.input.size[0])


def test_labels_are_put_in_ascending_order(tmp_path):
    assert read_recipe(written(tmp_path, GOOD)).labels == ("AU1", "AU12")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("replicas = 2", "replica = 2", "unknown field 'replica'; known are .*replicas"),
        ("batch = 4", "batches = 4", r"stages\[0\]: unknown field \'batches\'"),
        ("batch = 4", "batch = 5", "batch 5 is not a multiple of replicas 2"),
        ("steps = 2", "", "needs either steps, epochs or minutes"),
        ("steps = 2", "steps = 2\nminutes = 1", "needs either steps, epochs or minutes"),
        ("field = 160", "field = 200", "field 200 is not one of 160, 224"),
        ('name = "only"', "", r"stages\[0\]: field 'name' is missing"),
        ("batch = 4", 'batch = "4"', r"stages\[0\]: batch: expected int, got str '4'"),
        (
            "replicas = 2",
            "replicas = 2\noptimiser = { lr = [1.0] }",
            "optimiser: lr: expected float, got list",
        ),
        ("replicas = 2", 'replicas = 2\nloss = "bbl"', "loss is not a table"),
        ('description = "a test"', "", "field 'description' is missing"),
        ("replicas = 2", "save_every = 0", "save_every 0 must be at least 1"),
        ("replicas = 2", "validation_faces = -1", "validation_faces -1 at least 0"),
        ("replicas = 2", "seed = -1", "seed -1 must be at least 0"),
        ("replicas = 2", 'tap = { module = "stem.blocks.4" }', "tap needs module and channels, got module"),
        ("replicas = 2", "data = { validation = 1.5 }", "validation 1.5 must be at least 0 and below 1"),
        (
            "replicas = 2",
            "optimiser = { weight_decay = -1.0 }",
            "weight_decay -1.0 must be a number of 0 or more",
        ),
        (
            "replicas = 2",
            "optimiser = { betas = [0.9, 1.0] }",
            r"betas \(0.9, 1.0\) must be at least 0 and below 1",
        ),
        ("replicas = 2", "optimiser = { rates = { stem = nan } }", "rates stem nan must be a number"),
        (
            "replicas = 2",
            "augmentation = { noise = -0.1 }",
            "augmentation noise -0.1 must be a number of 0 or more",
        ),
        ("steps = 2", "steps = 2\nminutes = -1", "must be numbers of 0 or more"),
        ("batch = 4", "batch = 4\nrate = -1.0", "must be numbers of 0 or more"),
        ("pixels = 96", "pixels = -96", "pixels must be at least 32"),
        ("replicas = 2", "agreement = -1.0", "agreement -1.0 is not a finite weight of 0 or more"),
        ("replicas = 2", "agreement = inf", "agreement inf is not a finite weight"),
        ("replicas = 2", "agreement = nan", "agreement nan is not a finite weight"),
        ("replicas = 2", "imitation = -1.0", "imitation -1.0 is not a finite weight of 0 or more"),
        ("replicas = 2", "agreement = true", "agreement: expected float, got bool"),
        ("[[stages]]", "[[stages", "not valid TOML"),
    ],
)
def test_a_faulty_recipe_is_named_with_its_fault(tmp_path, old, new, complaint):
    path = written(tmp_path, GOOD.replace(old, new))
    with pytest.raises(UsageError, match=f"recipe .*recipe.toml.*{complaint}"):
        read_recipe(path)


def test_a_missing_recipe_and_one_without_stages(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        read_recipe(tmp_path / "none.toml")
    with pytest.raises(UsageError, match="no \\[\\[stages\\]\\]"):
        read_recipe(written(tmp_path, GOOD.split("[[stages]]", maxsplit=1)[0]))


def test_a_stage_of_minutes_ends_by_the_clock():
    stage = Stage("timed", 96, minutes=2)
    assert stage.fraction(10_000, 9.0, 60) == 0.5
    assert stage.fraction(0, 0.0, 500) == 1


def test_progress_weighs_stages_by_their_length():
    stages = (Stage("long", 96, steps=30), Stage("short", 224, steps=10))
    assert progress(stages, 0, 0.5) == pytest.approx(0.375)
    assert progress(stages, 1, 0.5) == pytest.approx(0.875)


def test_the_rate_warms_up_and_falls():
    options = Optimiser(lr=1.0, warmup_steps=10)
    assert learning_rate(options, 0, 0.0) == pytest.approx(0.1)
    assert learning_rate(options, 50, 0.0) == 1.0
    assert learning_rate(options, 50, 0.5) == pytest.approx(0.5)
    assert learning_rate(options, 50, 1.0) == pytest.approx(0.01)


def test_a_restart_begins_a_new_schedule():
    stages = (
        Stage("first", 96, steps=30),
        Stage("second", 96, steps=10),
        Stage("again", 160, steps=10, restart=True),
        Stage("last", 224, steps=10),
    )
    assert progress(stages, 1, 1.0) == 1
    assert progress(stages, 2, 0.0) == 0
    assert progress(stages, 3, 0.5) == pytest.approx(0.75)


def test_drops_count_from_the_schedules_beginning():
    options = Optimiser(lr=1.0, warmup_steps=0, schedule="drops", drops=(4, 6), drops_in="epochs")
    assert [learning_rate(options, 0, 0.0, (900, epoch)) for epoch in (3, 4, 6)] == pytest.approx(
        [1, 0.1, 0.01]
    )
    by_steps = Optimiser(lr=1.0, warmup_steps=0, schedule="drops", drops=(4000,), drops_in="steps")
    assert learning_rate(by_steps, 0, 0.0, (3999, 9)) == 1
    assert learning_rate(by_steps, 0, 0.0, (4000, 9)) == pytest.approx(0.1)


def test_published_recipes_have_the_published_numbers():
    """The specification's: a slip in a data file would go unseen."""

    def shipped(name):
        return read_recipe(RECIPES / f"{name}.toml")

    for name, data in (("mrpnet-bp4d", "bp4d"), ("mrpnet-disfa", "disfa")):
        recipe = shipped(name)
        assert (recipe.network, recipe.data.set, recipe.data.folds) == ("mrpnet", data, ("1", "2", "3"))
        assert recipe.loss == {"name": "bbl", "mode": "swap"}
        assert (recipe.optimiser.lr, recipe.optimiser.rates["stem"]) == (1e-3, 0.1)
        assert (recipe.optimiser.betas, recipe.optimiser.weight_decay) == ((0.9, 0.999), 5e-4)
        assert (recipe.stages[0].batch, recipe.stages[0].epochs) == (64, 12)
    for name in ("drml-bp4d", "drml-disfa"):
        recipe = shipped(name)
        options = recipe.optimiser
        assert (options.name, options.lr, options.momentum, options.weight_decay) == ("sgd", 1e-3, 0.9, 5e-4)
        assert (options.drops, options.drops_in, options.bias_rate) == (
            (4000, 8000, 12000, 16000),
            "steps",
            2,
        )
        assert (recipe.stages[0].batch, recipe.stages[0].steps, recipe.options["mode"]) == (
            128,
            20000,
            "faithful",
        )
        assert recipe.augmentation.shift == (200 - 170) / 2
    recipe = shipped("siat-emotionet")
    options = recipe.optimiser
    assert (options.lr, options.momentum, options.weight_decay, options.drops) == (1e-2, 0.9, 1e-5, (10, 20))
    assert (recipe.stages[0].batch, recipe.stages[0].epochs, recipe.sampler["share"]) == (16, 30, 0.25)
    for name in ("ustc-fixed-aff-wild2", "ustc-attn-aff-wild2"):
        recipe = shipped(name)
        options = recipe.optimiser
        assert (options.lr, options.drops, options.drops_in) == (1e-3, (4, 6, 8), "epochs")
        assert (recipe.stages[0].batch, recipe.stages[0].epochs, recipe.loss["name"]) == (256, 15, "circle")
        assert recipe.sampler["every_rare"] * 2 == recipe.sampler["every_other"] == 10


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_recipes_name_parts_that_exist(path):
    recipe = read_recipe(path)
    options = dict(recipe.loss)
    build_loss(options.pop("name"), **options)
    framing = framing_of(recipe.network, recipe.options, recipe.data.set, recipe.data.canvas)
    assert framing.field <= framing.canvas
    for stage in recipe.stages:
        assert stage.field <= framing.canvas
    assert recipe.sampler["name"] in SAMPLERS
    assert recipe.data.set in {"synthetic", *DATA_SETS}


BASED = """
base = "{base}"
description = "the same with another rate"
[optimiser]
lr = 0.5
[loss]
name = "focal"
"""


def test_a_recipe_over_a_base_says_anew_what_differs(tmp_path):
    recipe, base = (
        read_recipe(written(tmp_path, BASED.format(base="mrpnet-bp4d"))),
        read_recipe(RECIPES / "mrpnet-bp4d.toml"),
    )
    assert recipe.optimiser == replace(base.optimiser, lr=0.5)
    assert recipe.loss == {"name": "focal"}  # whole: the base's mode would not fit
    assert (recipe.network, recipe.stages, recipe.data) == (base.network, base.stages, base.data)


def test_the_rows_of_a_base_are_not_the_recipes(tmp_path):
    assert read_recipe(written(tmp_path, BASED.format(base="mrpnet-bp4d"))).papers == ()


def test_a_base_may_lie_beside_the_recipe(tmp_path):
    (tmp_path / "mine.toml").write_text(GOOD)
    recipe = read_recipe(written(tmp_path, 'base = "mine"\nseed = 9'))
    assert recipe.seed == 9
    assert recipe.labels == ("AU1", "AU12")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('base = "nothing"', "nothing.toml does not exist"),
        ("base = 3", "base is 3, which is not a name of a recipe"),
        ('base = "recipe"', "is based on itself: recipe -> recipe"),
    ],
)
def test_a_base_that_is_none_is_named(tmp_path, text, complaint):
    with pytest.raises(UsageError, match=complaint):
        read_recipe(written(tmp_path, text))


def test_every_row_of_the_four_papers_has_a_recipe(root):
    """Rows of other people's methods are quoted for comparison only."""
    ours = {"f1-bp4d": ("DRML", "MRP-Net"), "f1-disfa": ("DRML", "MRP-Net")}
    published = root / "apps" / "edgeau_apps" / "report" / "published"
    rows = set()
    for name in (
        "f1-bp4d",
        "f1-disfa",
        "f1-mrpnet-ablation",
        "poster-drml",
        "scores-siat",
        "f1-ustc",
        "f1-ustc-ablation",
    ):
        table = tomllib.loads((published / f"{name}.toml").read_text())
        rows |= {
            (name, row["method"]) for row in table["row"] if row["method"] in ours.get(name, (row["method"],))
        }
    recipes = {path.stem: read_recipe(path) for path in RECIPES.glob("*.toml")}
    named = {(paper.table, paper.row) for recipe in recipes.values() for paper in recipe.papers}
    assert named == rows
    assert len([recipe for recipe in recipes.values() if recipe.papers]) >= 30


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--changed-recipe"], "give --resume too"),
        (["--workers", "0"], "a whole number of 1 or more"),
        (["--workers", "-3"], "a whole number of 1 or more"),
    ],
)
def test_an_option_that_would_be_ignored_is_refused(tmp_path, capsys, words, said):
    recipe = min(RECIPES.glob("*.toml")).stem
    assert main([recipe, "--data", str(tmp_path), "--out", str(tmp_path / "out"), *words]) == 2
    assert said in capsys.readouterr().err


def test_the_list_names_every_recipe_and_its_rows(capsys):
    assert main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == sorted(path.stem for path in RECIPES.glob("*.toml"))
    assert any(line.startswith("ustc-relations") and "f1-ustc-ablation: + MIL" in line for line in lines)
    assert main(["--list", "--json"]) == 0
    assert {"table": "scores-siat", "row": "F_face", "note": ""} in [
        row for one in json.loads(capsys.readouterr().out)["recipes"] for row in one["rows"]
    ]


def test_what_must_be_given_is_named(capsys):
    assert main(["mrpnet-bp4d"]) == 2
    assert "--data and --out must be given; --list prints the shipped recipes" in capsys.readouterr().err
