"""Where the programs start."""

from __future__ import annotations

from edgeau._system.command import entry

__all__ = ["evaluate", "synth", "train"]

evaluate = entry("edgeau-evaluate", "edgeau_training.evaluation.command", "train")
synth = entry("edgeau-synth", "edgeau_training.synth.command", "train")
train = entry("edgeau-train", "edgeau_training.train_command", "train")
