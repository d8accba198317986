import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from edgeau._system.file_digest import file_digest
from edgeau.bundle.provenance import Provenance, TrainedOn
from edgeau.errors import CheckpointError
from edgeau.metrics import best_threshold, sigmoid
from edgeau_training.checkpoint import load_checkpoint, make_seeded_checkpoint, read_info, save_checkpoint
from edgeau_training.evaluation.predictions import Predictions, save_predictions
from edgeau_training.postprocessing.merge import main, merge

TINY = {"units": [1, 1, 1, 1], "size": 16}
LABELS = ("AU1", "AU12")


@pytest.fixture
def views(tmp_path):
    paths = [tmp_path / "face.safetensors", tmp_path / "emotion.safetensors"]
    for seed, path in enumerate(paths):
        make_seeded_checkpoint(path, "siat-ir50", LABELS, seed=seed, **TINY)
    return paths


def test_the_merged_checkpoint_answers_with_the_mean_logit(tmp_path, views):
    out = tmp_path / "two.safetensors"
    merge(views, out)
    images = torch.randn(2, 3, 16, 16)
    face, emotion, both = (load_checkpoint(path)[0](images) for path in (*views, out))
    torch.testing.assert_close(both, (face + emotion) / 2)


def test_what_it_says_about_itself(tmp_path, views):
    info = merge(views, tmp_path / "two.safetensors")
    assert (info.network, info.labels, info.trained) == ("siat-two-view", LABELS, False)
    assert info.options == {**TINY, "members": ["siat-ir50", "siat-ir50"]}
    assert (
        info.training == "mean of: untrained: random weights of seed 0; untrained: random weights of seed 1"
    )
    assert load_checkpoint(tmp_path / "two.safetensors")[1] == info


def test_it_keeps_what_each_member_was_trained_on(tmp_path, views):
    told = [Provenance(trained_on=TrainedOn("bp4d", fold)) for fold in ("1", "2")]
    for path, one in zip(views, told, strict=True):
        network, info = load_checkpoint(path)
        save_checkpoint(path, network, replace(info, provenance=one))
    out = tmp_path / "two.safetensors"
    merge(views, out)
    kept = read_info(out).provenance
    assert kept.members == tuple(
        replace(one, weights=file_digest(path)) for path, one in zip(views, told, strict=True)
    )
    assert kept.folds("bp4d") == ("1", "2")
    assert [one.fold for one in kept.trainings] == ["1", "2"]
    # Of what is merged again, everything is still known.
    merge([out, out], tmp_path / "four.safetensors")
    assert read_info(tmp_path / "four.safetensors").provenance.folds("bp4d") == ("1", "2")


def test_members_of_other_labels_are_refused(tmp_path, views):
    other = tmp_path / "other.safetensors"
    make_seeded_checkpoint(other, "siat-ir50", ("AU1", "AU2"), **TINY)
    with pytest.raises(
        CheckpointError, match=r"other.safetensors and .*face.safetensors differ in their labels"
    ):
        merge([views[0], other], tmp_path / "two.safetensors")
    assert not (tmp_path / "two.safetensors").exists()


def test_the_command(tmp_path, views, capsys):
    out = tmp_path / "two.safetensors"
    assert main([*map(str, views), "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["members"] == ["siat-ir50", "siat-ir50"]
    assert main([str(views[0]), str(tmp_path / "none.safetensors"), "--out", str(out)]) == 2
    assert "does not exist" in capsys.readouterr().err


def answers(seed, truth):
    logits = (truth * 2 - 1 + np.random.default_rng(seed).normal(0, 1.5, truth.shape)).astype(np.float32)
    return Predictions(LABELS, logits, truth, np.full(2, 0.5))


def test_thresholds_are_fitted_on_the_members_mean_answers_to_held_out_faces(tmp_path, views, capsys):
    runs = {}
    truth = {
        name: (np.random.default_rng(number).random((80, 2)) < 0.3).astype(np.int8)
        for number, name in enumerate(("1", "2"))
    }
    for seed, view in enumerate(views):
        for name, known in truth.items():
            folder = tmp_path / view.stem / f"fold-{name}"
            folder.mkdir(parents=True)
            runs[view.stem, name] = answers(10 * seed + int(name), known)
            save_predictions(folder / "predictions.npz", {"test": runs[view.stem, name]})
        shutil.copy(view, tmp_path / view.stem / "fold-1" / "checkpoint.safetensors")
    members = [str(tmp_path / view.stem / "fold-1" / "checkpoint.safetensors") for view in views]
    out = tmp_path / "two.safetensors"
    assert main([*members, "--out", str(out), "--thresholds", "accuracy-f1", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)["thresholds"]
    for column, label in enumerate(LABELS):
        each = []
        for name, known in truth.items():
            mean = (runs["face", name].logits + runs["emotion", name].logits)[:, column] / 2
            each.append(best_threshold(sigmoid(mean), known[:, column], "accuracy-f1")[0])
        assert said[label] == pytest.approx(np.mean(each), abs=1e-6)
    assert load_checkpoint(out)[1].thresholds == said


def test_runs_without_a_test_side_have_their_validation_side(tmp_path, views, capsys):
    """As on rendered faces."""
    truth = (np.random.default_rng(0).random((80, 2)) < 0.3).astype(np.int8)
    for seed, view in enumerate(views):
        folder = tmp_path / view.stem
        folder.mkdir()
        save_predictions(folder / "predictions.npz", {"validation": answers(seed, truth)})
        shutil.copy(view, folder / "checkpoint.safetensors")
    members = [str(tmp_path / view.stem / "checkpoint.safetensors") for view in views]
    assert main([*members, "--out", str(tmp_path / "two.safetensors"), "--thresholds", "f1", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["thresholds"]) == set(LABELS)


def test_thresholds_without_held_out_answers_are_refused_and_nothing_is_written(tmp_path, views, capsys):
    out = tmp_path / "two.safetensors"
    assert main([*map(str, views), "--out", str(out), "--thresholds", "f1"]) == 2
    assert "has no predictions.npz" in capsys.readouterr().err
    assert not out.exists()
