"""The optimiser of a recipe: AdamW or SGD, with the parameter groups that published recipes name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from edgeau.errors import CheckpointError, UsageError

__all__ = ["OPTIMISERS", "SCHEDULES", "Optimiser", "build_optimiser", "restore_optimiser"]

OPTIMISERS = ("adamw", "sgd")
SCHEDULES = ("cosine", "drops")
UNITS = ("steps", "epochs")
_NOT_NEGATIVE = (
    "weight_decay",
    "momentum",
    "warmup_steps",
    "clip",
    "linear_rate",
    "bias_rate",
    "floor",
    "drop",
)


@dataclass(frozen=True)
class Optimiser:
    """Settings of the optimiser: how weights move, and how fast.

    Attributes:
        name: one of :data:`OPTIMISERS`.
        lr: peak learning rate.
        weight_decay: on weights, not on biases and normalisation.
        betas: betas of AdamW.
        momentum: momentum of SGD.
        warmup_steps: linear rise at the start.
        clip: largest gradient norm; 0 does not clip.
        linear_rate: learning rate of linear layers over that of the others; their many inputs add up to large steps.
        bias_rate: learning rate of biases over that of their weights.
        rates: learning rate of a submodule of the network over that of the others, by its dotted name.
        ema_decay: ema decay of the averaged weights, per step; 0 validates and ships the last weights themselves.
        schedule: ``cosine`` over the run, or ``drops``: times ``drop`` after each of so many steps or epochs.
        floor: floor of the cosine, over the peak; a little lets the last steps move running statistics and head together.
        drops: when the learning rate drops, counted from the schedule's last restart.
        drops_in: ``epochs`` or ``steps``.
        drop: factor of a drop.
    """

    name: str = "adamw"
    lr: float = 1.5e-3
    weight_decay: float = 0.02
    betas: tuple[float, float] = (0.9, 0.99)
    momentum: float = 0.9
    warmup_steps: int = 200
    clip: float = 20.0
    linear_rate: float = 1.0
    bias_rate: float = 1.0
    rates: Mapping[str, float] = field(default_factory=dict)
    ema_decay: float = 0.995
    schedule: str = "cosine"
    floor: float = 0.01
    drops: tuple[int, ...] = ()
    drops_in: str = "epochs"
    drop: float = 0.1

    def __post_init__(self) -> None:
        for key, value, known in (
            ("optimiser", self.name, OPTIMISERS),
            ("schedule", self.schedule, SCHEDULES),
            ("drops_in", self.drops_in, UNITS),
        ):
            if value not in known:
                raise UsageError(f"{key} {value!r} is not known; known: {', '.join(known)}")
        if not 0 < self.lr < math.inf or not 0 <= self.ema_decay < 1:
            raise UsageError(
                f"lr {self.lr} must be above 0, and ema_decay {self.ema_decay} at least 0 and below 1"
            )
        if not all(0 <= beta < 1 for beta in self.betas):
            raise UsageError(f"betas {self.betas} must be at least 0 and below 1")
        numbers = {key: getattr(self, key) for key in _NOT_NEGATIVE} | {
            f"rates {part}": rate for part, rate in self.rates.items()
        }
        for key, number in numbers.items():
            if not 0 <= number < math.inf:
                raise UsageError(f"{key} {number} must be a number of 0 or more")


def build_optimiser(student: nn.Module, options: Optimiser) -> torch.optim.Optimizer:
    """The optimiser of all parameters that learn; each group has its ``rate`` over the schedule's learning rate.

    Args:
        student: its network is the submodule ``network``.
        options: options of the recipe.

    Raises:
        UsageError: a name in ``rates`` is not a submodule of the network.
    """
    groups = _groups(student, options)
    if options.name == "sgd":
        return torch.optim.SGD(groups, lr=options.lr, momentum=options.momentum, foreach=True)
    return torch.optim.AdamW(groups, lr=options.lr, betas=options.betas, foreach=True)


def restore_optimiser(optimiser: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Takes moments and step counts from a state; the settings stay those of the recipe, which may have been changed.

    Raises:
        CheckpointError: the state is of another optimiser, or of other groups of parameters.
    """
    own = optimiser.state_dict()["param_groups"]
    theirs = state["param_groups"]
    members, saved = ([group["params"] for group in groups] for groups in (own, theirs))
    if members != saved or any(("momentum" in group) != ("momentum" in own[0]) for group in theirs):
        raise CheckpointError(
            "the run to resume has another optimiser, or other parameters with rates or a weight decay of their own; these "
            "cannot change within a run: resume with those that it was started with, or name another --out"
        )
    optimiser.load_state_dict(state)
    for group, mine in zip(optimiser.param_groups, own, strict=True):
        group.update({key: value for key, value in mine.items() if key != "params"})


def _groups(student: nn.Module, options: Optimiser) -> list[dict[str, object]]:
    modules = dict(student.named_modules())
    for name in options.rates:
        if f"network.{name}" not in modules:
            raise UsageError(
                f"rates: the network has no part {name!r}; name a submodule such as stem or classifier"
            )
    linear = {id(module.weight) for module in modules.values() if isinstance(module, nn.Linear)}
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in student.named_parameters():
        if not parameter.requires_grad:
            continue
        rate = options.linear_rate if id(parameter) in linear else 1.0
        rate *= options.bias_rate if name.endswith("bias") else 1.0
        rate *= next(
            (value for part, value in options.rates.items() if name.startswith(f"network.{part}.")), 1.0
        )
        decay = options.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((decay, rate), []).append(parameter)
    return [
        {"params": parameters, "weight_decay": decay, "rate": rate}
        for (decay, rate), parameters in groups.items()
    ]
