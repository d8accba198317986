"""From a data set on disk to a bundle that runs: each layout with a tiny network, through the commands."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from edgeau import Pipeline
from edgeau.bundle import load_bundle
from edgeau_export.export import export_bundle
from edgeau_training.checkpoint import load_checkpoint, read_info
from edgeau_training.train_command import main

CASES = {
    "bp4d": ("mrp", '{ subjects = ["F001", "M011", "F007"] }', "per-au", "bbl", "half"),
    "disfa": ("mrp", '{ subjects = ["SN002", "SN013", "SN003"] }', "uniform", "focal", "half"),
    "emotionet": ("ir", '{ coding = "list.txt" }', "mlros", "selective", "accuracy-f1"),
    "aff-wild2": ("ustc", "{}", "rare-aus", "circle", "half"),
    "pictures": ("ir", "{ count = 3 }", "uniform", "cross-entropy", "half"),
}


@pytest.fixture
def trained(tmp_path, trees, written_recipe):
    """Trains one data set with its tiny recipe; gives the folder of the run."""

    def train(name, *arguments):
        network, options, sampler, loss, thresholds = CASES[name]
        recipe = written_recipe(name, network, options, sampler, loss, thresholds)
        out = tmp_path / "run"
        line = [str(recipe), "--data", str(trees[name]), "--out", str(out), "--device", "cpu", *arguments]
        assert main(line) == 0
        return out

    return train


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_from_disk_to_a_bundle_that_runs(name, trained, tmp_path, face):
    out = trained(name)
    info = read_info(out / "checkpoint.safetensors")
    assert info.trained
    assert name in info.training
    template = "five-point-box" if name in ("bp4d", "disfa") else "arcface-template"
    assert info.alignment["method"] == template
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["side"] == "test"
    assert set(metrics["per_au"]) == set(info.labels)
    bundle = tmp_path / "bundle"
    export = [sys.executable, "-c", "from edgeau_export.command import main; raise SystemExit(main())"]
    export += ["--model", str(out / "checkpoint.safetensors"), "--target", "cpu", "--precision", "fp32"]
    subprocess.run([*export, "--out", str(bundle)], check=True, capture_output=True)
    for artifact in load_bundle(bundle).manifest.artifacts:
        assert artifact.parity.max_abs_logit <= 1e-4
    with Pipeline.load(bundle) as pipeline:
        (found,) = pipeline.process(face).faces
    assert set(found.aus) == set(info.labels)
    assert np.isfinite([au.probability for au in found.aus.values() if au.probability is not None]).all()


@pytest.mark.slow
def test_linear_svms_on_the_vector_before_the_classifier_are_measured_as_well(trained):
    out = trained("pictures", "--svm")
    metrics = json.loads((out / "metrics.json").read_text())
    assert set(metrics["svm"]["per_au"]) == set(metrics["per_au"])
    network, info = load_checkpoint(out / "svm.safetensors")
    assert info.labels == ("AU4", "AU12")
    assert set(info.thresholds.values()) == {0.5}
    assert "linear SVMs" in info.training
    own, _ = load_checkpoint(out / "checkpoint.safetensors")
    assert not torch.equal(network.classifier.weight, own.classifier.weight)
    kept = {name: value for name, value in own.state_dict().items() if not name.startswith("classifier.")}
    assert all(torch.equal(network.state_dict()[name], value) for name, value in kept.items())
    # It is deployed like any other checkpoint.
    bundle = out / "bundle"
    export_bundle("cpu", bundle, out / "svm.safetensors", precisions=("fp32",), landmarks="none")
    assert "linear SVMs" in load_bundle(bundle).manifest.network.training


@pytest.mark.slow
def test_folds_in_one_command_give_figures_of_each_and_of_all(
    trained, tmp_path, trees, written_recipe, capsys
):
    out = trained("bp4d", "--folds", "--json")
    document = json.loads(capsys.readouterr().out)
    assert list(document["folds"]) == ["1", "2", "3"]
    assert document["pooled"]["per_au"].keys() == document["mean"]["per_au"].keys()
    faces = [figures["faces"] for figures in document["folds"].values()]
    assert faces == [16, 16, 16]
    f1 = [figures["f1"] for figures in document["folds"].values()]
    assert document["mean"]["f1"] == pytest.approx(np.mean(f1), abs=1e-3)
    assert json.loads((out / "folds.json").read_text()) == {
        key: document[key] for key in document if key != "out"
    }
    # What is done is left alone; a fold that is missing is made.
    before = (out / "fold-1" / "metrics.json").stat().st_mtime_ns
    (out / "fold-3" / "metrics.json").unlink()
    recipe = tmp_path / "bp4d.toml"
    again = [str(recipe), "--data", str(trees["bp4d"]), "--out", str(out), "--device", "cpu", "--folds"]
    assert main(again) == 2
    assert "--resume" in capsys.readouterr().err
    assert main([*again, "--resume"]) == 0
    assert (out / "fold-1" / "metrics.json").stat().st_mtime_ns == before
    assert (out / "fold-3" / "metrics.json").is_file()
