"""Recipes: a training run as data, read from TOML."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from edgeau.action_units import DEFAULT, au_number, labels
from edgeau.errors import UsageError
from edgeau_training.augmentation import Augmentation

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["Optimiser", "Recipe", "Stage", "read_recipe"]

FIELDS = (160, 224)  # canvas pixels that fall on whole, centred cells of the 7x7 map: 5 and 7 of them


@dataclass(frozen=True)
class Stage:
    """One resolution of the curriculum; it ends after ``steps`` steps or ``minutes`` minutes, whichever is given.

    Attributes:
        name: in the log.
        pixels: side of the training picture.
        field: crop pixels that the picture spans: 224 (all) or 160 (the face without its surroundings).
        batch: faces a step.
        augmentation: strength of the recipe's augmentation in this stage, 0..1.
        rate: times the schedule's learning rate; a change of view late in the run needs more than the cosine leaves.
        steps: optimiser steps, or 0.
        minutes: wall-clock minutes with validation, or 0. A run with it depends on the machine; the log tells the steps.
    """

    name: str
    pixels: int
    field: int = 224
    batch: int = 64
    augmentation: float = 1.0
    rate: float = 1.0
    steps: int = 0
    minutes: float = 0.0

    def __post_init__(self) -> None:
        if (self.steps > 0) == (self.minutes > 0):
            raise UsageError(f"stage {self.name!r} needs either steps or minutes, greater than 0")
        if self.field not in FIELDS:
            raise UsageError(
                f"stage {self.name!r}: field {self.field} is not one of {', '.join(map(str, FIELDS))}"
            )
        if self.pixels < 32 or self.batch < 2:
            raise UsageError(f"stage {self.name!r}: pixels must be at least 32 and batch at least 2")

    def fraction(self, steps: int, seconds: float) -> float:
        """How much of the stage is done, 0..1."""
        return min(1.0, steps / self.steps if self.steps else seconds / (60 * self.minutes))


@dataclass(frozen=True)
class Optimiser:
    """AdamW with warm-up and one cosine over all stages.

    Attributes:
        lr: peak learning rate.
        weight_decay: on weights, not on biases and normalisation.
        betas: of AdamW.
        warmup_steps: linear rise at the start.
        clip: largest gradient norm.
        linear_rate: learning rate of linear layers over that of the others; their many inputs add up to large steps.
        ema_decay: of the averaged weights, per step.
    """

    lr: float = 1.5e-3
    weight_decay: float = 0.02
    betas: tuple[float, float] = (0.9, 0.99)
    warmup_steps: int = 200
    clip: float = 20.0
    linear_rate: float = 1.0
    ema_decay: float = 0.995


@dataclass(frozen=True)
class Recipe:
    """A whole training run.

    Attributes:
        description: one sentence; goes into the checkpoint.
        network: a name of the zoo.
        options: of its builder.
        labels: AUs in output order.
        seed: of weights, order and augmentation.
        replicas: shares a batch is split into, one thread each.
        loss: ``{"name": ..., options}``.
        auxiliary: weights of the training-only losses, ``intensity`` and ``landmarks``.
        tap: ``{"module": dotted name, "channels": n}`` of a map in the stem that is supervised as well; empty for none.
        from_scratch: residual branches begin at zero.
        optimiser: see :class:`Optimiser`.
        augmentation: see :class:`~edgeau_training.augmentation.Augmentation`.
        stages: of the curriculum, in order.
        save_every: steps between saved states.
        validate_every: steps between validations; each stage ends with one.
        validation_faces: faces of the validation split used between stages; the last validation takes all.
        licences: of what goes into the weights.
    """

    description: str
    network: str
    stages: tuple[Stage, ...]
    labels: tuple[str, ...] = DEFAULT
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    replicas: int = 1
    loss: Mapping[str, Any] = field(default_factory=lambda: {"name": "bbl"})
    auxiliary: Mapping[str, float] = field(default_factory=lambda: {"intensity": 4.0, "landmarks": 10.0})
    tap: Mapping[str, Any] = field(default_factory=dict)
    from_scratch: bool = False
    optimiser: Optimiser = field(default_factory=Optimiser)
    augmentation: Augmentation = field(default_factory=Augmentation)
    save_every: int = 150
    validate_every: int = 1000
    validation_faces: int = 1000
    licences: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.stages:
            raise UsageError("the recipe has no [[stages]]; it needs at least one")
        random = [name for name in ("dropout", "drop_path") if self.options.get(name, 0.2)]
        if self.replicas > 1 and random:
            # Replicas draw from one generator in no fixed order: a resumed run would not be the same run.
            raise UsageError(
                f"replicas > 1 needs {' = 0 and '.join(random)} = 0 in [options], or set replicas = 1"
            )
        for stage in self.stages:
            if stage.batch % self.replicas:
                raise UsageError(
                    f"stage {stage.name!r}: batch {stage.batch} is no multiple of replicas {self.replicas}"
                )


def read_recipe(path: Path) -> Recipe:
    """Reads and checks a recipe file.

    Raises:
        UsageError: missing, not TOML, an unknown or missing key, or a value that does not fit; the key is named.
    """
    if not path.is_file():
        raise UsageError(f"recipe {path} does not exist; name a .toml file or a recipe that is shipped")
    try:
        values = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"recipe {path} is not valid TOML: {error}") from error
    try:
        return _recipe(values)
    except UsageError as error:
        raise UsageError(f"recipe {path}: {error}") from error


def _recipe(values: dict[str, Any]) -> Recipe:
    if "labels" in values:
        values["labels"] = labels(au_number(label) for label in values["labels"])
    values["stages"] = tuple(_made(Stage, stage, "stages") for stage in values.get("stages", ()))
    for key, kind in (("optimiser", Optimiser), ("augmentation", Augmentation)):
        if key in values:
            values[key] = _made(kind, values[key], key)
    values["licences"] = tuple(values.get("licences", ()))
    return _made(Recipe, values, "the top level")


_Kind = TypeVar("_Kind")


def _made(kind: type[_Kind], values: Mapping[str, Any], where: str) -> _Kind:
    """The dataclass from a table; unknown and missing keys are named."""
    known = [item.name for item in fields(kind)]  # type: ignore[arg-type]
    unknown = [key for key in values if key not in known]
    if unknown:
        raise UsageError(f"unknown key {', '.join(unknown)} in {where}; known keys: {', '.join(known)}")
    try:
        return kind(**values)
    except TypeError as error:
        raise UsageError(f"{where}: {error}") from error
