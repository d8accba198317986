"""SIAT-NTU and USTC whole, from a tiny tree in the real layout, by the commands of docs/systems.md: trained over folds, put together,
thresholded, exported, voted."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeau.bundle import load_bundle
from edgeau_export.command import main as export
from edgeau_training.checkpoint import read_info
from edgeau_training.evaluation.better_folds import main as better_folds
from edgeau_training.evaluation.command import main as evaluate
from edgeau_training.postprocessing.merge import main as merge
from edgeau_training.train_command import main as train


def trained(recipe: Path, data: Path, out: Path, *more: str) -> Path:
    line = [str(recipe), "--data", str(data), "--out", str(out), "--device", "cpu", "--folds", *more]
    assert train(line) == 0
    return out


@pytest.mark.slow
def test_siat_ntu_from_its_files_to_a_bundle_with_thresholds(trees, written_recipe, tmp_path):
    face = written_recipe("emotionet", "ir", '{ coding = "list.txt" }', "mlros", "selective", "accuracy-f1")
    emotion = tmp_path / "emotion.toml"
    emotion.write_text("seed = 1\n" + face.read_text())
    runs = [trained(recipe, trees["emotionet"], tmp_path / recipe.stem) for recipe in (face, emotion)]
    members = [str(run / "fold-1" / "checkpoint.safetensors") for run in runs]
    out = tmp_path / "two-view.safetensors"
    assert merge([*members, "--thresholds", "accuracy-f1", "--out", str(out)]) == 0
    info = read_info(out)
    assert set(info.thresholds) == set(info.labels)
    bundle = tmp_path / "two-view"
    line = ["--model", str(out), "--target", "cpu", "--precision", "fp32", "--landmarks", "none"]
    assert export([*line, "--out", str(bundle)]) == 0
    for artifact in load_bundle(bundle).manifest.artifacts:
        assert artifact.thresholds == pytest.approx(info.thresholds)


@pytest.mark.slow
def test_ustc_from_its_files_to_an_answer_file(trees, written_recipe, tmp_path, capsys):
    fixed = written_recipe("aff-wild2", "ustc", "{}", "rare-aus", "circle", "half")
    attention = tmp_path / "attn.toml"
    attention.write_text(fixed.read_text().replace('"ustc-fixed"', '"ustc-attn"'))
    runs = [trained(recipe, trees["aff-wild2"], tmp_path / recipe.stem) for recipe in (fixed, attention)]
    capsys.readouterr()
    assert better_folds([*map(str, runs), "--paths"]) == 0
    chosen = capsys.readouterr().out.split()
    assert [Path(path).parent.name for path in chosen] == [
        "fold-official",
        *(f"fold-{n}" for n in (1, 2, 3, 4)),
    ]
    pictures = sorted((trees["aff-wild2"] / "cropped_aligned").rglob("*.jpg"))[:6]
    sample = tmp_path / "sample.txt"
    labels = ",".join(read_info(Path(chosen[0])).labels)
    names = [f"{path.parent.name}/{path.name}" for path in pictures]
    sample.write_text("".join(f"{row}\n" for row in (f"image_location,{labels}", *names)))
    answers = tmp_path / "predictions.txt"
    data = f"aff-wild2:{trees['aff-wild2']}"
    line = [*chosen, "--ensemble", "vote", "--data", data, "--sample", str(sample), "--answers", str(answers)]
    assert evaluate(line) == 0
    rows = answers.read_text().splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == names
    assert {cell for row in rows[1:] for cell in row.split(",")[1:]} <= {"0", "1"}
