"""Several processes, and several parts of a batch, give what one gives."""

import json
import os
import subprocess
import sys

import pytest
import torch

from edgeau_training.checkpoint import load_checkpoint
from edgeau_training.train_command import main

RECIPE = """
description = "a tiny test run"
network = "mrpnet"
labels = ["AU1", "AU4", "AU12"]
replicas = {replicas}
accumulate = {accumulate}
precision = "{precision}"
save_every = 2
validate_every = 1000
[options]
stem = "test_efficientnet"
dropout = 0.0
drop_path = 0.0
[loss]
name = "{loss}"
[auxiliary]
intensity = 4.0
landmarks = 10.0
[optimiser]
name = "sgd"
lr = {lr}
schedule = "drops"  # none: the rate does not depend on how long a run was meant to be
clip = 0.0
warmup_steps = 0
ema_decay = 0.0
[[stages]]
name = "small"
pixels = 64
field = 160
batch = 8
steps = {steps}
"""


@pytest.fixture(scope="module")
def faces(tmp_path_factory, write_tiny_faces):
    return write_tiny_faces(tmp_path_factory.mktemp("faces"))


@pytest.fixture
def recipe(tmp_path):
    def write(replicas=1, accumulate=1, precision="32-true", loss="bbl", steps=50, lr=0.003):
        path = tmp_path / f"recipe-{replicas}-{accumulate}-{precision}.toml"
        path.write_text(
            RECIPE.format(
                replicas=replicas,
                accumulate=accumulate,
                precision=precision,
                loss=loss,
                steps=steps,
                lr=lr,
            )
        )
        return path

    return write


def losses(out):
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [line["occurrence"] for line in lines if line["event"] == "step"]


def weights(out):
    return load_checkpoint(out / "checkpoint.safetensors")[0].state_dict()


def in_processes(count, *arguments):
    line = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
    line += ["-m", "edgeau_training.train_command", *map(str, arguments), "--device", "cpu"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(line, env=environment, check=True, capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["bbl", "selective"])
def test_two_processes_give_the_loss_and_the_weights_of_one(tmp_path, faces, recipe, loss):
    """One process with two replicas normalises by the same shares. Both losses look at the whole batch; one draws.

    At ten times the rate this tiny network is chaotic: what begins as the last bit of a float is 0.01 of loss after 50 steps.
    """
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    one = recipe(replicas=2, loss=loss, lr=0.0003)
    assert main([str(one), "--data", str(faces), "--out", str(alone), "--device", "cpu"]) == 0
    in_processes(2, recipe(loss=loss, lr=0.0003), "--data", faces, "--out", shared)
    assert len(losses(alone)) == 1
    assert losses(shared) == pytest.approx(losses(alone), abs=2e-4)
    mine, theirs = weights(alone), weights(shared)
    for name, value in mine.items():
        torch.testing.assert_close(theirs[name], value, rtol=1e-3, atol=1e-4, msg=name)


@pytest.mark.slow
def test_two_processes_go_on_where_they_were_killed(tmp_path, faces, recipe):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    short, path = recipe(steps=4), tmp_path / "short.toml"
    short.rename(path)
    long = recipe(steps=6)
    in_processes(2, long, "--data", faces, "--out", whole)
    # Ends as a run does that was killed after its fourth step: the state of step 4 is there, nothing beyond.
    (broken).mkdir()
    in_processes(2, path, "--data", faces, "--out", tmp_path / "first")
    state = torch.load(tmp_path / "first" / "state.pt", weights_only=True)
    state["place"].update(stage=0, stage_steps=4, epoch=0, stage_epoch=0, taken=32)
    torch.save(state, broken / "state.pt")
    in_processes(2, long, "--data", faces, "--out", broken, "--resume")
    for name, value in weights(whole).items():
        torch.testing.assert_close(weights(broken)[name], value, rtol=0, atol=1e-6, msg=name)


def test_parts_of_a_batch_add_up_to_it(tmp_path, faces, recipe):
    """Cross-entropy without batch statistics would agree exactly; batch norm sees the parts, so it does so nearly."""
    for name, accumulate in (("one", 1), ("four", 4)):
        path = recipe(accumulate=accumulate, loss="cross-entropy", steps=2)
        line = [str(path), "--data", str(faces), "--out", str(tmp_path / name), "--device", "cpu"]
        assert main(line) == 0
    mine, theirs = weights(tmp_path / "one"), weights(tmp_path / "four")
    moved = mine["classifier.bias"].abs().max()  # from 0
    assert moved > 1e-4
    assert (mine["classifier.bias"] - theirs["classifier.bias"]).abs().max() < 0.2 * moved


def test_mixed_precision_trains_and_keeps_full_weights(tmp_path, faces, recipe):
    path = recipe(steps=2)
    line = [str(path), "--data", str(faces), "--out", str(tmp_path / "out"), "--device", "cpu"]
    assert main([*line, "--precision", "bf16-mixed"]) == 0
    assert {value.dtype for value in weights(tmp_path / "out").values()} == {torch.float32, torch.int64}


def test_a_batch_that_cannot_be_shared_is_refused(tmp_path, faces, recipe, capsys):
    path = recipe(accumulate=8)
    line = [str(path), "--data", str(faces), "--out", str(tmp_path / "out"), "--device", "cpu"]
    assert main(line) == 2
    assert (
        "batch 8 in 8 parts cannot be shared by 1 processes, 2 faces or more each" in capsys.readouterr().err
    )
