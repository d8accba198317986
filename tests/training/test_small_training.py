"""The ten-minute version of the whole training, from a rig to a checkpoint, through the commands."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

# Guessing gives a mean AUC of .50. What the recipe reached when it was last calibrated is in docs/training.md.
LOWER_BAR_AUC = 0.65


def _command(module, *arguments):
    line = [
        sys.executable,
        "-c",
        f"from {module} import main; raise SystemExit(main())",
        *map(str, arguments),
    ]
    return subprocess.run(line, check=True, capture_output=True, text=True).stdout


def _tiny_rig(folder):
    spec = importlib.util.spec_from_file_location("tiny_rig", Path(__file__).parent / "synth" / "tiny_rig.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.write_tiny_rig(folder)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_ten_minute_version_clears_its_bar(tmp_path):
    faces, run = tmp_path / "faces", tmp_path / "run"
    rig = _tiny_rig(tmp_path / "rig")
    _command("edgeau_training.synth.command", rig, "--out", faces, "--count", 2500, "--val-count", 500,
             "--test-count", 1, "--seed", 1)  # fmt: skip
    said = _command("edgeau_training.train_command", "mrpnet-small", "--data", faces, "--out", run, "--json")
    figures = json.loads(said)["validation"]
    assert (run / "checkpoint.safetensors").is_file()
    assert figures["auc"] >= LOWER_BAR_AUC, figures
