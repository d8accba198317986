"""A network that imitates another's answers, through both commands."""

from dataclasses import replace

import numpy as np
import pytest

from edgeau.bundle import load_bundle, packaged_bundle_path
from edgeau_training.checkpoint import read_info
from edgeau_training.evaluation.predictions import load_predictions, save_predictions
from edgeau_training.evaluation.teacher_answers import main as answers_main
from edgeau_training.train_command import main

RECIPE = """
description = "a tiny test run"
network = "mrpnet"
labels = ["AU1", "AU4", "AU12"]
imitation = {imitation}
save_every = 1
validate_every = 1000
[options]
stem = "test_efficientnet"
dropout = 0.0
drop_path = 0.0
[[stages]]
name = "only"
pixels = 64
field = 160
batch = 16
steps = {steps}
"""


@pytest.fixture(scope="module")
def faces(tmp_path_factory, write_tiny_faces):
    return write_tiny_faces(tmp_path_factory.mktemp("faces"))


@pytest.fixture(scope="module")
def teacher(tmp_path_factory, faces):
    """The packaged light network's answers."""
    path = tmp_path_factory.mktemp("teacher") / "teacher.npz"
    assert answers_main(["light", "--artifact", "litert/int8", "--data", str(faces), "--out", str(path)]) == 0
    return path


@pytest.fixture
def train(tmp_path, faces):
    """Runs the recipe with options; gives the exit code."""

    def run(*options, imitation=2.0, steps=2):
        (tmp_path / "recipe.toml").write_text(RECIPE.format(imitation=imitation, steps=steps))
        words = [str(tmp_path / "recipe.toml"), "--data", str(faces), "--out", str(tmp_path / "run")]
        return main([*words, *map(str, options)])

    return run


def test_a_run_imitates_and_says_so(tmp_path, train, teacher):
    assert train("--teacher", teacher) == 0
    training = read_info(tmp_path / "run" / "checkpoint.safetensors").training
    assert "; imitates teacher.npz (SHA-256 " in training
    assert train("--teacher", teacher, "--resume", steps=2) == 0


def test_the_licences_of_the_teacher_hold_for_the_student(tmp_path, train, teacher):
    table = load_predictions(teacher)["teacher"]
    assert set(load_bundle(packaged_bundle_path("light")).manifest.licences) <= set(table.licences)
    save_predictions(tmp_path / "other.npz", {"teacher": replace(table, licences=("CC-BY-4.0 (somebody)",))})
    assert train("--teacher", tmp_path / "other.npz") == 0
    assert read_info(tmp_path / "run" / "checkpoint.safetensors").licences == ("CC-BY-4.0 (somebody)",)


def test_a_recipe_and_a_teacher_need_each_other(train, teacher, capsys):
    assert train() == 2
    assert "the recipe has imitation = 2.0: give --teacher FILE" in capsys.readouterr().err
    assert train("--teacher", teacher, imitation=0.0) == 2
    assert "the recipe imitates nobody" in capsys.readouterr().err


def other_faces(table):
    return {"teacher": replace(table, logits=table.logits[1:], truth=table.truth[1:], groups=None)}


def other_labels(table):
    return {"teacher": replace(table, truth=np.array(1 - table.truth, np.int8))}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (other_faces, "faces, which are not the"),
        (other_labels, "faces, which are not the"),
        (lambda table: {"teacher": table.select(["AU1", "AU4"])}, "has no answers for AU12"),
        (lambda table: {"teacher": replace(table, licences=None)}, "does not name the licences"),
        (lambda table: {"network": table}, "has no table 'teacher', but network"),
    ],
)
def test_answers_to_something_else_are_refused(tmp_path, train, teacher, capsys, changed, message):
    save_predictions(tmp_path / "other.npz", changed(load_predictions(teacher)["teacher"]))
    assert train("--teacher", tmp_path / "other.npz") == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_file_of_something_else_is_refused(tmp_path, train, capsys):
    (tmp_path / "other.npz").write_bytes(b"nothing")
    assert train("--teacher", tmp_path / "other.npz") == 2
    assert "holds no predictions" in capsys.readouterr().err


def test_a_run_is_not_resumed_with_another_teacher(tmp_path, train, teacher, capsys):
    assert train("--teacher", teacher) == 0
    table = load_predictions(teacher)["teacher"]
    again = replace(table, logits=table.logits + 1)
    save_predictions(tmp_path / "other.npz", {"teacher": again})
    assert train("--teacher", tmp_path / "other.npz", "--resume") == 2
    assert "imitated other answers" in capsys.readouterr().err
