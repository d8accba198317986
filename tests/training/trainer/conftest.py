"""Tiny recipes for the tiny trees of the data sets."""

import pytest

TINY = {
    "mrp": 'network = "mrpnet"\noptions = { stem = "test_efficientnet", dropout = 0.0, drop_path = 0.0 }',
    "ir": 'network = "siat-ir50"\noptions = { units = [1, 1, 1, 1], size = 32 }',
    "ustc": 'network = "ustc-fixed"\noptions = { blocks = [1, 1, 1, 1], size = 32, lanets = 1, neighbours = 2 }',
}

RECIPE = """
description = "a tiny test run"
{network}
thresholds = "{thresholds}"
save_every = 2
validate_every = 0
[data]
set = "{name}"
options = {options}
{more}
[sampler]
name = "{sampler}"
[loss]
name = "{loss}"
[optimiser]
name = "sgd"
lr = 0.01
schedule = "drops"
drops = [1]
ema_decay = 0.0
[augmentation]
base = "none"
flip = 0.5
shift = 2.0
[[stages]]
name = "all"
batch = 4
epochs = 2
"""


@pytest.fixture
def written_recipe(tmp_path):
    """Writes a tiny recipe for a data set and gives its path."""

    def write(name, network="mrp", options="{}", sampler="uniform", loss="bbl", thresholds="half", more=""):
        path = tmp_path / f"{name}.toml"
        path.write_text(
            RECIPE.format(name=name, network=TINY[network], options=options, sampler=sampler, loss=loss,
                          thresholds=thresholds, more=more)
        )  # fmt: skip
        return path

    return write
