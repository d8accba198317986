"""From a float checkpoint to one that bears 8 bits."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from edgeau.metrics import macro_mean
from edgeau_training.checkpoint import CheckpointInfo, load_checkpoint, save_checkpoint
from edgeau_training.evaluation.metrics import fit_thresholds, measure
from edgeau_training.evaluation.predictions import Predictions
from edgeau_training.evaluation.scorers.checkpoint import alignment_of, input_spec_of
from edgeau_training.networks import build_network
from edgeau_training.quantization_aware.attachment import attach, detach, watch_ranges
from edgeau_training.quantization_aware.distillation import Course, distil
from edgeau_training.quantization_aware.faces import DeviceFaces, read_faces
from edgeau_training.quantization_aware.folding import fold_batch_norms
from edgeau_training.quantization_aware.gates import without_gates

__all__ = ["FineTunePlan", "Tuned", "fine_tune"]

_WATCHED = 128
_BATCH = 16


@dataclass(frozen=True)
class FineTunePlan:
    """Changes to be made to a network.

    Attributes:
        course: course of the fine-tuning.
        batch: faces a step.
        weight_bits: 7 or 8, as the export's recipe has them.
        activation: takes the place of SiLU: ``"hardswish"``, ``"relu6"``, or None for none.
        squeeze_excite: keep squeeze-and-excitation.
        seed: seed of the order of the faces.
        shards: shards of the training split to read.
        validated: faces of the validation split to measure on.
    """

    course: Course = field(default_factory=Course)
    batch: int = 16
    weight_bits: int = 7
    activation: str | None = None
    squeeze_excite: bool = True
    seed: int = 0
    shards: int = 8
    validated: int = 500


@dataclass(frozen=True)
class Tuned:
    """Mean F1 on the validation split, at thresholds fitted there.

    Attributes:
        float_f1: float f1 of the network as it was.
        rounded_f1: rounded, after surgery where some was asked for, before the fine-tuning.
        tuned_f1: rounded, after it.
        losses: losses of every step.
    """

    float_f1: float
    rounded_f1: float
    tuned_f1: float
    losses: tuple[float, ...]


def fine_tune(
    checkpoint: Path,
    data: Path,
    out: Path,
    plan: FineTunePlan,
    each: Callable[[int, float], None] | None = None,
) -> Tuned:
    """Fine-tune a checkpoint with rounding and write the result as a checkpoint of the same kind.

    Args:
        checkpoint: checkpoint of a trained network.
        data: what edgeau-synth wrote.
        out: the ``.safetensors`` file to write; it appears whole or not at all.
        plan: what is done.
        each: called with every step and its loss.

    Raises:
        UserError: checkpoint or data do not fit.
    """
    teacher, info = load_checkpoint(checkpoint)
    spec, alignment = input_spec_of(info), alignment_of(info)
    train, held_out = (
        read_faces(data, split, info.labels, spec, alignment, plan.shards) for split in ("train", "val")
    )
    teacher.requires_grad_(False)
    student, options = _student(teacher, info, plan, train)
    float_f1 = _validated(teacher, held_out, info, plan.validated)[0]
    fold_batch_norms(student, train.batch(np.arange(1)))
    attach(student, train.batch(np.arange(1)), plan.weight_bits)
    _watch(student, train)
    rounded_f1 = _validated(student, held_out, info, plan.validated)[0]
    batches = train.endless(plan.batch, plan.seed)
    losses = distil(student, teacher, batches, plan.course, each)
    tuned_f1, thresholds = _validated(student, held_out, info, plan.validated)
    detach(student)
    written = _rebuilt(student, info, options)
    described = replace(
        info,
        options=options,
        training=f"{info.training}; then {plan.course.steps} steps with {plan.weight_bits}-bit weights and 8-bit activations, "
        "taught by the float network",
        step=info.step + plan.course.steps,
        thresholds=dict(zip(info.labels, thresholds.tolist(), strict=True)),
        metrics={"quantization_aware": {"float": float_f1, "rounded": rounded_f1, "tuned": tuned_f1}},
    )
    save_checkpoint(out, written, described)
    return Tuned(float_f1, rounded_f1, tuned_f1, tuple(losses))


def _student(
    teacher: nn.Module, info: CheckpointInfo, plan: FineTunePlan, faces: DeviceFaces
) -> tuple[nn.Module, dict[str, Any]]:
    """A copy of the teacher, after surgery where some is asked for, and its builder's options."""
    student = copy.deepcopy(teacher).eval()
    options = dict(info.options)
    if not plan.squeeze_excite:
        without_gates(student, faces.in_order(_WATCHED, _BATCH))
        options["squeeze_excite"] = False
    if plan.activation is not None:
        options["activation"] = plan.activation
    if options != info.options:
        rebuilt = build_network(info.network, info.labels, **options).eval()
        rebuilt.load_state_dict(student.state_dict())
        student = rebuilt
    return student.requires_grad_(True), options


def _watch(student: nn.Module, faces: DeviceFaces) -> None:
    with watch_ranges(student):
        for images in faces.in_order(_WATCHED, _BATCH):
            student(images)


def _validated(
    network: nn.Module, faces: DeviceFaces, info: CheckpointInfo, count: int
) -> tuple[float, NDArray[np.float64]]:
    """Mean F1 and the thresholds that it is measured at."""
    with torch.inference_mode():
        logits = torch.cat([network(images) for images in faces.in_order(count, _BATCH)]).numpy()
    truth = faces.faces.occurrence[: len(logits)].astype(np.int8)
    half = np.full(len(info.labels), 0.5)
    thresholds = fit_thresholds(Predictions(info.labels, logits, truth, half))
    return macro_mean(measure(Predictions(info.labels, logits, truth, thresholds)).f1), thresholds


def _rebuilt(student: nn.Module, info: CheckpointInfo, options: dict[str, Any]) -> nn.Module:
    """The plain network with the student's weights; the rounding modules stay behind."""
    plain = build_network(info.network, info.labels, **options).eval()
    wanted = plain.state_dict().keys()
    plain.load_state_dict({name: value for name, value in student.state_dict().items() if name in wanted})
    return plain
