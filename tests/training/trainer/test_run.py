"""Whole runs on a tiny network and tiny faces, through the command."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch

from edgeau._system.file_digest import file_digest
from edgeau_training.checkpoint import load_checkpoint, read_info
from edgeau_training.train_command import main
from edgeau_training.trainer.recipe import read_recipe
from edgeau_training.trainer.run import Run
from edgeau_training.trainer.run_options import RunOptions

RECIPE = """
description = "a tiny test run"
network = "mrpnet"
labels = ["AU1", "AU4", "AU12"]
replicas = {replicas}
save_every = 4
validate_every = 1000
[options]
stem = "test_efficientnet"
dropout = {dropout}
drop_path = 0.0
[optimiser]
lr = 0.003
warmup_steps = 5
ema_decay = 0.9
[augmentation]
erase = 0.0
[auxiliary]
intensity = 4.0
landmarks = 10.0
[[stages]]
name = "small"
pixels = 64
field = 160
batch = 16
steps = {small}
[[stages]]
name = "whole"
pixels = 96
field = 224
batch = 16
steps = {whole}
"""


@pytest.fixture(scope="module")
def faces(tmp_path_factory, write_tiny_faces):
    return write_tiny_faces(tmp_path_factory.mktemp("faces"))


def recipe(tmp_path, small=10, whole=4, replicas=2, dropout=0.0):
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE.format(small=small, whole=whole, replicas=replicas, dropout=dropout))
    return path


def events(out, kind):
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [line for line in lines if line["event"] == kind]


def command(*arguments):
    return [sys.executable, "-m", "edgeau_training.train_command", *map(str, arguments)]


def killed(arguments, state):
    """Starts a run and kills it with SIGKILL somewhere after its first saved state."""
    process = subprocess.Popen(command(*arguments), env={**os.environ, "OMP_NUM_THREADS": "1"})
    deadline = time.monotonic() + 300
    while not state.exists() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    return process.wait()


@pytest.mark.parametrize(("replicas", "dropout", "agreement"), [(1, 0.2, 0.0), (2, 0.0, 3.0)])
def test_a_killed_run_goes_on_to_the_very_same_weights(tmp_path, faces, replicas, dropout, agreement):
    path = recipe(tmp_path, replicas=replicas, dropout=dropout)
    path.write_text(path.read_text().replace("save_every", f"agreement = {agreement}\nsave_every"))
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert main([str(path), "--data", str(faces), "--out", str(whole)]) == 0
    arguments = (path, "--data", faces, "--out", broken)
    assert killed(arguments, broken / "state.pt") == -signal.SIGKILL
    assert not (broken / "checkpoint.safetensors").exists()
    subprocess.run(command(*arguments, "--resume"), check=True, stdout=subprocess.DEVNULL)
    assert events(broken, "resumed")[0]["step"] > 0
    assert (broken / "checkpoint.safetensors").read_bytes() == (whole / "checkpoint.safetensors").read_bytes()


def test_it_learns_squares_and_says_what_it_was_trained_on(tmp_path, faces, capsys):
    out = tmp_path / "run"
    path = recipe(tmp_path, small=1, whole=120)
    assert main([str(path), "--data", str(faces), "--out", str(out), "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["validation"]["per_au"]) == {"AU1", "AU4", "AU12"}
    # At the size it was trained on. Guessing gives a mean AUC of .5, always answering "present" an F1 of about .57.
    figures = events(out, "validation")[-1]
    assert figures["auc"] > 0.8
    assert figures["f1"] > 0.75
    network, info = load_checkpoint(out / "checkpoint.safetensors")
    assert info.trained
    assert info.training == "a tiny test run"
    assert info.step == 121
    assert info.dataset_digest.startswith("sha256:")
    assert set(info.thresholds) == {"AU1", "AU4", "AU12"}
    assert all(torch.isfinite(value).all() for value in network.state_dict().values())
    steps = events(out, "step")
    assert steps[-1]["occurrence"] < steps[0]["occurrence"]


def test_shards_that_appear_are_taken_in_at_the_next_epoch(tmp_path, write_tiny_faces):
    faces = write_tiny_faces(tmp_path / "faces")
    late = faces / "train" / "shard-00001.parquet"
    hidden = late.rename(tmp_path / "hidden.parquet")

    class Watched(Run):
        def _validate(self, stage):  # each stage ends with it
            super()._validate(stage)
            if hidden.exists():
                hidden.rename(late)

    out = tmp_path / "run"
    Watched(read_recipe(recipe(tmp_path, small=1, whole=2)), faces, out).finish()
    assert events(out, "started")[0]["faces"] == 30
    assert events(out, "data grew")[0]["faces"] == 60


def test_bad_input_ends_in_one_line(tmp_path, faces, capsys):
    out = tmp_path / "run"
    path = recipe(tmp_path)
    for arguments, complaint in (
        (
            (str(tmp_path / "none"), "--data", str(faces), "--out", str(out)),
            "is neither a shipped recipe nor a file",
        ),
        (
            (str(path), "--data", str(tmp_path / "nowhere"), "--out", str(out)),
            "render it first with edgeau-synth",
        ),
        ((str(path), "--data", str(faces), "--out", str(out), "--resume"), "nothing to resume"),
        ((str(path), "--out", str(out)), "--data"),
    ):
        assert main(arguments) == 2
        said = capsys.readouterr()
        assert complaint in said.err
        assert len(said.err.strip().splitlines()) == 1
        assert said.out == ""
    assert not out.exists()


def test_a_run_is_not_overwritten(tmp_path, faces, capsys):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "state.pt").write_bytes(b"something")
    arguments = (str(recipe(tmp_path)), "--data", str(faces), "--out", str(tmp_path / "run"))
    assert main(arguments) == 2
    assert "--resume" in capsys.readouterr().err
    assert main((*arguments, "--resume")) == 2
    assert "is not a training state" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["dropout", "drop_path"])
def test_replicas_need_a_network_that_draws_nothing(tmp_path, faces, capsys, option):
    path = recipe(tmp_path)
    path.write_text(path.read_text().replace(f"{option} = 0.0", f"{option} = 0.2"))
    assert main([str(path), "--data", str(faces), "--out", str(tmp_path / "run")]) == 2
    assert "needs a network that draws nothing at random" in capsys.readouterr().err


def test_the_slim_network_draws_nothing(tmp_path):
    """It takes neither dropout nor drop_path as an option."""
    path = tmp_path / "two.toml"
    path.write_text('base = "mrpnet-slim-synthetic"\nreplicas = 2\n')
    assert read_recipe(path).replicas == 2


CHANGES = {
    "agreement": ("replicas = 2", "replicas = 2\nagreement = 1.0"),
    "imitation": ("replicas = 2", "replicas = 2\nimitation = 1.0"),
    "loss": ("", '[loss]\nname = "focal"\n'),
    "sampler": ("", '[sampler]\nname = "mlros"\n'),
    "optimiser": ("lr = 0.003", "lr = 0.001"),
    "stages": ("steps = 2", "steps = 3"),
    "augmentation": ("erase = 0.0", "erase = 0.1"),
    "replicas": ("replicas = 2", "replicas = 1"),
    "seed": ('network = "mrpnet"', 'network = "mrpnet"\nseed = 1'),
    "thresholds": ('network = "mrpnet"', 'network = "mrpnet"\nthresholds = "half"'),
    "options": ('stem = "test_efficientnet"', 'stem = "test_efficientnet"\nmrp_variant = "A"'),
}


@pytest.fixture(scope="module")
def begun(tmp_path_factory, faces):
    """A run whose first stage is done, and its recipe."""
    folder = tmp_path_factory.mktemp("begun")
    path = recipe(folder, small=2, whole=1)
    assert main([str(path), "--data", str(faces), "--out", str(folder / "run")]) == 0
    return folder


@pytest.mark.parametrize("key", CHANGES)
def test_a_run_is_resumed_with_the_recipe_that_it_began_with(tmp_path, faces, begun, capsys, key):
    old, new = CHANGES[key]
    text = (begun / "recipe.toml").read_text()
    path = tmp_path / "recipe.toml"
    path.write_text(text.replace(old, new, 1) if old else f"{text}\n{new}")
    arguments = (str(path), "--data", str(faces), "--out", str(begun / "run"), "--resume")
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert f"belongs to a run with {key} " in said
    assert ("--changed-recipe" in said) == (key != "options")


def test_what_a_run_is_called_and_when_it_looks_at_itself_may_change(tmp_path, faces, begun):
    text = (begun / "recipe.toml").read_text()
    path = tmp_path / "recipe.toml"
    path.write_text(
        text.replace("a tiny test run", "another name").replace("save_every = 4", "save_every = 2")
    )
    out = shutil.copytree(begun / "run", tmp_path / "run")
    assert main([str(path), "--data", str(faces), "--out", str(out), "--resume"]) == 0
    assert read_info(out / "checkpoint.safetensors").provenance.changes == ()


def test_told_to_it_goes_on_with_another_recipe_and_the_checkpoint_says_so(tmp_path, faces, begun):
    path = tmp_path / "recipe.toml"
    path.write_text((begun / "recipe.toml").read_text().replace("lr = 0.003", "lr = 0.001"))
    out = shutil.copytree(begun / "run", tmp_path / "run")
    line = [str(path), "--data", str(faces), "--out", str(out), "--resume", "--changed-recipe"]
    assert main(line) == 0
    provenance = read_info(out / "checkpoint.safetensors").provenance
    assert provenance.changes == ("from step 3: optimiser",)
    assert provenance.recipe == read_recipe(path).digest != read_recipe(begun / "recipe.toml").digest


def test_a_changed_setting_of_the_optimiser_is_taken(tmp_path, faces, begun):
    """The state's settings had come back with its moments, so that only the rate followed the recipe."""
    path = tmp_path / "recipe.toml"
    text = (begun / "recipe.toml").read_text()
    path.write_text(text.replace("lr = 0.003", "lr = 0.003\nweight_decay = 0.5\nbetas = [0.5, 0.9]"))
    out = shutil.copytree(begun / "run", tmp_path / "run")
    run = Run(read_recipe(path), faces, out, RunOptions(resume=True, changed=True))
    groups = run.trainee.worker.optimiser.param_groups
    assert {group["weight_decay"] for group in groups} == {0.0, 0.5}
    assert {tuple(group["betas"]) for group in groups} == {(0.5, 0.9)}
    assert run.trainee.worker.optimiser.state_dict()["state"][0]["step"] == 3
    run.trainee.close()
    run.log.close()


@pytest.mark.parametrize("new", ['name = "sgd"', "weight_decay = 0.0", "rates = { stem = 0.1 }"])
def test_another_optimiser_cannot_go_on(tmp_path, faces, begun, capsys, new):
    path = tmp_path / "recipe.toml"
    path.write_text((begun / "recipe.toml").read_text().replace("lr = 0.003", f"lr = 0.003\n{new}"))
    out = shutil.copytree(begun / "run", tmp_path / "run")
    line = [str(path), "--data", str(faces), "--out", str(out), "--resume", "--changed-recipe"]
    assert main(line) == 2
    assert "another optimiser, or other parameters with rates" in capsys.readouterr().err


def test_a_state_from_before_an_option_had_its_default(tmp_path, faces, begun, capsys):
    out = shutil.copytree(begun / "run", tmp_path / "run")
    state = torch.load(out / "state.pt", weights_only=True)
    del state["identity"]["agreement"]
    torch.save(state, out / "state.pt")
    line = ["--data", str(faces), "--out", str(out), "--resume"]
    assert main([str(begun / "recipe.toml"), *line]) == 0
    assert read_info(out / "checkpoint.safetensors").provenance.changes == ()
    path = tmp_path / "recipe.toml"
    path.write_text(
        (begun / "recipe.toml").read_text().replace("replicas = 2", "replicas = 2\nagreement = 2.0")
    )
    torch.save(state, out / "state.pt")
    assert main([str(path), *line]) == 2
    assert "a run with agreement of its default, the recipe has 2.0" in capsys.readouterr().err


def test_a_run_is_resumed_on_the_data_that_it_began_with(tmp_path, faces, begun, capsys):
    other = shutil.copytree(faces, tmp_path / "faces")
    about = json.loads((other / "dataset.json").read_text())
    (other / "dataset.json").write_text(json.dumps({**about, "seed": 99}))
    out = shutil.copytree(begun / "run", tmp_path / "run")
    line = [str(begun / "recipe.toml"), "--data", str(other), "--out", str(out), "--resume"]
    assert main(line) == 2
    assert "began with other pictures or labels" in capsys.readouterr().err
    assert main([*line, "--changed-recipe"]) == 0
    assert read_info(out / "checkpoint.safetensors").provenance.changes == (
        "from step 3: pictures or labels",
    )


def test_a_checkpoint_says_what_it_started_from_and_labels_are_matched_by_name(
    tmp_path, faces, begun, capsys
):
    start = begun / "run" / "checkpoint.safetensors"
    path = tmp_path / "recipe.toml"
    text = (begun / "recipe.toml").read_text()
    path.write_text(text.replace('["AU1", "AU4", "AU12"]', '["AU4", "AU12", "AU1"]'))
    line = [str(path), "--data", str(faces), "--out", str(tmp_path / "run"), "--pretrained", str(start)]
    assert main(line) == 0
    assert "outputs of AU1 AU4 AU12 by name" in capsys.readouterr().err
    provenance = read_info(tmp_path / "run" / "checkpoint.safetensors").provenance
    started = provenance.started_from
    assert (started.file, started.sha256) == (start.name, file_digest(start))
    assert (started.labels, started.taken, started.fresh) == (("AU1", "AU4", "AU12"),) * 2 + ((),)
    assert provenance.trained_on.set == "synthetic"
    assert provenance.trained_on.digest == read_info(start).provenance.trained_on.digest
    assert provenance.recipe == read_recipe(path).digest
