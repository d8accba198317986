"""Of two cross-validations, the better model of each fold."""

import json
from pathlib import Path

import pytest

from edgeau_training.evaluation.better_folds import main


def run_folder(path: Path, f1: dict[str, float]) -> Path:
    for name in f1:
        (path / f"fold-{name}").mkdir(parents=True)
        (path / f"fold-{name}" / "checkpoint.safetensors").touch()
    (path / "folds.json").write_text(
        json.dumps({"folds": {name: {"f1": value} for name, value in f1.items()}})
    )
    return path


@pytest.fixture
def runs(tmp_path):
    fixed = run_folder(tmp_path / "fixed", {"official": 0.5, "fold-1": 0.4, "fold-2": 0.6})
    attn = run_folder(tmp_path / "attn", {"official": 0.4, "fold-1": 0.45, "fold-2": 0.6})
    return fixed, attn


def test_each_fold_takes_its_better_model_and_of_equal_ones_the_first(runs, capsys):
    fixed, attn = runs
    assert main([str(fixed), str(attn), "--paths"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        str(fixed / "fold-official" / "checkpoint.safetensors"),
        str(attn / "fold-fold-1" / "checkpoint.safetensors"),
        str(fixed / "fold-fold-2" / "checkpoint.safetensors"),
    ]
    assert main([str(fixed), str(attn), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[1]["f1"] == {str(fixed): 0.4, str(attn): 0.45}
    assert main([str(fixed), str(attn)]) == 0
    assert capsys.readouterr().out.splitlines()[2].split()[:3] == ["fold-1", "0.4000", "0.4500"]


def test_what_does_not_fit_is_one_line(runs, tmp_path, capsys):
    fixed, attn = runs
    assert main([str(fixed), str(tmp_path / "none")]) == 2
    assert "folds.json cannot be read" in capsys.readouterr().err
    (attn / "fold-fold-1" / "checkpoint.safetensors").unlink()
    assert main([str(fixed), str(attn)]) == 2
    assert "edgeau-train --folds --resume" in capsys.readouterr().err
    (attn / "folds.json").write_text('{"folds": {"official": {"f1": 0.1}}}')
    assert main([str(fixed), str(attn)]) == 2
    assert "has the folds official, " in capsys.readouterr().err
    (attn / "folds.json").write_text('{"folds": {"official": {}}}')
    assert main([str(fixed), str(attn)]) == 2
    assert "is not the folds.json" in capsys.readouterr().err
