"""Recipes: a training run as data, read from TOML."""

from __future__ import annotations

import hashlib
import json
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgeau._system.records import from_dict, to_dict
from edgeau.action_units.names import in_facs_order, written_label
from edgeau.errors import RecordError, UsageError
from edgeau_training.augmentation import Augmentation
from edgeau_training.trainer.optimisation import Optimiser
from edgeau_training.trainer.stage import Stage

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["PRECISIONS", "RECIPES", "THRESHOLDS", "DataOptions", "PaperRow", "Recipe", "read_recipe"]

MRP_FIELDS = (160, 224)  # canvas pixels that fall on whole, centred cells of its 7x7 map: 5 and 7 of them
PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")
RECIPES = Path(__file__).parent.parent / "recipes"
_SEEDS = 1 << 63
_LONGEST_NAME = 200  # characters of a base
_MERGED = ("options", "data", "optimiser", "augmentation")
THRESHOLDS = ("half", "f1", "accuracy-f1", "roc", "break-even")


@dataclass(frozen=True)
class DataOptions:
    """Data that is trained on.

    Attributes:
        set: ``synthetic``, or a data set of :mod:`edgeau_training.datasets`.
        options: options of its reader.
        fold: division that trains when none is named; "" for its first.
        folds: divisions of a cross-validation; none for all that the data set has.
        canvas: side of the stored crops, pixels; 0 for that of the network's template.
        validation: share of the training side, in whole subjects, that is cut off to validate on; 0 validates on the division's
            own third side, or on the test side, which then must choose neither epoch nor threshold.
        without_face: ``drop`` frames in which no face is found, or take the ``whole`` picture.
        points: CSV of five points of each picture, from the data set's folder, instead of landmarks that are looked for here; see
            :mod:`edgeau_training.datasets.point_table`.
        align: whether faces are found and aligned; false takes every picture whole, scaled to the canvas.
    """

    set: str = "synthetic"
    options: Mapping[str, Any] = field(default_factory=dict)
    fold: str = ""
    folds: tuple[str, ...] = ()
    canvas: int = 0
    validation: float = 0.0
    without_face: str = "drop"
    points: str = ""
    align: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.validation < 1 or self.canvas < 0:
            raise UsageError(
                f"data: validation {self.validation} must be at least 0 and below 1, and canvas {self.canvas} at least 0"
            )


@dataclass(frozen=True)
class PaperRow:
    """A row of a published table that a recipe is for.

    Attributes:
        table: name of the table among those that ``edgeau-report --papers`` prints.
        row: what the row is called there.
        note: what the recipe alone does not give, such as a second network to be averaged with.
    """

    table: str
    row: str
    note: str = ""


@dataclass(frozen=True)
class Recipe:
    """A whole training run.

    Attributes:
        description: one sentence; goes into the checkpoint.
        network: a name of the zoo.
        stages: stages of the curriculum, in order.
        options: options of the network's builder.
        labels: AUs in output order; none for those of the data set.
        seed: seed of weights, order and augmentation.
        data: see :class:`DataOptions`.
        sampler: ``{"name": ..., options}``.
        precision: precision of the arithmetic, one of :data:`PRECISIONS`.
        accumulate: parts that a batch is computed in, one after the other; batch statistics are those of a part.
        replicas: shares a part is split into, one thread each.
        loss: ``{"name": ..., options}``.
        auxiliary: weights of the training-only losses, ``intensity`` and ``landmarks``; none for no such heads.
        agreement: weight of the disagreement between two views of a face; above 0 a step shows every face of the batch in two
            views, one of them mirrored where the augmentation mirrors at all, so that the network sees twice as many pictures as
            ``batch`` says (:func:`~edgeau_training.losses.agreement.disagreement`). 0 shows each face once.
        imitation: weight of the distance from a teacher's answers (:func:`~edgeau_training.losses.imitation.distance_from_teacher`),
            which ``edgeau-train --teacher`` names; 0 has no teacher.
        tap: ``{"module": dotted name, "channels": n}`` of a map in the stem that is supervised as well; empty for none.
        from_scratch: residual branches begin at zero.
        optimiser: see :class:`~edgeau_training.trainer.optimisation.Optimiser`.
        augmentation: see :class:`~edgeau_training.augmentation.Augmentation`; with ``base = "none"`` all that is not named
            is 0.
        thresholds: thresholds of the checkpoint: ``half``, or fitted on the validation side.
        save_every: steps between saved states.
        validate_every: steps between validations, 0 for epochs; each stage ends with one.
        validation_faces: faces of the validation side used between stages, 0 for all; the last validation takes all.
        licences: licences of what goes into the weights.
        papers: published rows that it is for.
    """

    description: str
    network: str
    stages: tuple[Stage, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    seed: int = 0
    data: DataOptions = field(default_factory=DataOptions)
    sampler: Mapping[str, Any] = field(default_factory=lambda: {"name": "uniform"})
    precision: str = "32-true"
    accumulate: int = 1
    replicas: int = 1
    loss: Mapping[str, Any] = field(default_factory=lambda: {"name": "bbl"})
    auxiliary: Mapping[str, float] = field(default_factory=dict)
    agreement: float = 0.0
    imitation: float = 0.0
    tap: Mapping[str, Any] = field(default_factory=dict)
    from_scratch: bool = False
    optimiser: Optimiser = field(default_factory=Optimiser)
    augmentation: Augmentation = field(default_factory=Augmentation)
    thresholds: str = "f1"
    save_every: int = 150
    validate_every: int = 1000
    validation_faces: int = 1000
    licences: tuple[str, ...] = ()
    papers: tuple[PaperRow, ...] = ()

    def __post_init__(self) -> None:
        if not self.stages:
            raise UsageError("the recipe has no [[stages]]; it needs at least one")
        if any(stage.epochs for stage in self.stages) and not all(stage.epochs for stage in self.stages):
            raise UsageError("stages bounded by epochs cannot be combined with stages of another kind")
        for key, value, known in (
            ("precision", self.precision, PRECISIONS),
            ("thresholds", self.thresholds, THRESHOLDS),
        ):
            if value not in known:
                raise UsageError(f"{key} {value!r} is not known; known: {', '.join(known)}")
        unknown = sorted(set(self.auxiliary) - {"intensity", "landmarks"})
        if unknown:
            raise UsageError(f"auxiliary {', '.join(unknown)} is not known; known: intensity, landmarks")
        if self.save_every < 1 or min(self.validate_every, self.validation_faces) < 0:
            raise UsageError(
                f"save_every {self.save_every} must be at least 1, validate_every {self.validate_every} and "
                f"validation_faces {self.validation_faces} at least 0"
            )
        if not 0 <= self.seed < _SEEDS:
            raise UsageError(f"seed {self.seed} must be at least 0 and below 2^63")
        if self.tap and sorted(self.tap) != ["channels", "module"]:
            raise UsageError(f"tap needs module and channels, got {', '.join(self.tap)}")
        for key, weight in (("agreement", self.agreement), ("imitation", self.imitation)):
            if not 0 <= weight < math.inf:
                raise UsageError(f"{key} {weight} is not a finite weight of 0 or more")
        self._check_replicas()
        if self.network.startswith("mrpnet"):
            self._check_fields()

    @property
    def identity(self) -> dict[str, str]:
        """Collect what a run is decided by, as text by key; not what it is called, nor when it saves and looks at itself."""
        left = ("description", "licences", "papers", "save_every", "validate_every", "validation_faces")
        values: dict[str, Any] = to_dict(self)
        for name in ("fold", "folds"):  # which of them a run is of, it says itself
            del values["data"][name]
        return {key: json.dumps(values[key], sort_keys=True) for key in values if key not in left}

    def differs_in(self, identity: Mapping[str, str]) -> list[str]:
        """Compare with a state's :attr:`identity`; what it does not name is an option that came later, and had its default."""
        before = Recipe("", "", (Stage("", steps=1),)).identity
        return [key for key, mine in self.identity.items() if identity.get(key, before[key]) != mine]

    @property
    def digest(self) -> str:
        """SHA-256 of :attr:`identity`, hex."""
        return hashlib.sha256(json.dumps(self.identity, sort_keys=True).encode()).hexdigest()

    @property
    def parts(self) -> int:
        """Number of pieces that a process's share of a batch is split into."""
        return self.replicas * self.accumulate

    def _check_replicas(self) -> None:
        if self.replicas < 1 or self.accumulate < 1:
            raise UsageError(f"replicas {self.replicas} and accumulate {self.accumulate} must be at least 1")
        if self.replicas > 1 and self.precision != "32-true":
            raise UsageError("replicas > 1 computes in 32-true only; set replicas = 1 for mixed precision")
        for stage in self.stages:
            if stage.batch % self.parts:
                raise UsageError(
                    f"stage {stage.name!r}: batch {stage.batch} is not a multiple of replicas {self.replicas}"
                    + (f" times accumulate {self.accumulate}" if self.accumulate > 1 else "")
                )

    def _check_fields(self) -> None:
        for stage in self.stages:
            if stage.field and stage.field not in MRP_FIELDS:
                known = ", ".join(map(str, MRP_FIELDS))
                raise UsageError(f"stage {stage.name!r}: field {stage.field:g} is not one of {known}")


def read_recipe(path: Path) -> Recipe:
    """Reads and checks a recipe file.

    A recipe with ``base = "NAME"`` is that shipped recipe (or a file beside it) with some things said anew: keys of
    ``[options]``, ``[data]``, ``[optimiser]`` and ``[augmentation]`` one by one, every other key and table as a whole.

    Raises:
        UsageError: missing, not TOML, an unknown or missing key, or a value that does not fit; the key is named.
    """
    values = _values(path, ())
    try:
        return _recipe(values)
    except (UsageError, RecordError) as error:
        raise UsageError(f"recipe {path}: {error}") from error


def _values(path: Path, above: tuple[Path, ...]) -> dict[str, Any]:
    """The values of a file, over those of its base; ``above`` are the files that led to it."""
    if not path.is_file():
        raise UsageError(f"recipe {path} does not exist; name a .toml file or a recipe that is shipped")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"recipe {path} is not valid TOML: {error}") from error
    for key in (*_MERGED, "loss", "sampler"):
        if not isinstance(values.get(key, {}), dict):
            raise UsageError(f"recipe {path}: {key} is not a table")
    base = values.pop("base", None)
    if base is None:
        return values
    if not isinstance(base, str):
        raise UsageError(f"recipe {path}: base is {base!r}, which is not a name of a recipe")
    if path in above:
        raise UsageError(
            f"recipe {path} is based on itself: {' -> '.join(file.stem for file in (*above, path))}"
        )
    return _over(_values(_base_file(path, base), (*above, path)), values)


def _base_file(path: Path, base: str) -> Path:
    """The file of a base: beside the recipe, else one that is shipped."""
    if Path(base).name != base or len(base) > _LONGEST_NAME:
        raise UsageError(f"recipe {path}: base {base[:80]!r} is not a name of a recipe")
    beside = path.with_name(f"{base}.toml")
    return beside if beside.is_file() else RECIPES / f"{base}.toml"


def _over(base: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    merged = {key: {**base.get(key, {}), **values[key]} for key in _MERGED if key in values}
    base.pop("papers", None)  # a published row is of that recipe, and not of what differs from it
    return {**base, **values, **merged}


def _recipe(values: dict[str, Any]) -> Recipe:
    if "labels" in values:
        if not isinstance(values["labels"], list) or not all(
            isinstance(label, str) for label in values["labels"]
        ):
            raise UsageError("labels must be a list of names, such as ['AU1', 'AU12']")
        values["labels"] = list(in_facs_order(map(written_label, values["labels"])))
    if "augmentation" in values:
        values["augmentation"] = _augmentation(values["augmentation"])
    values.setdefault("stages", [])
    recipe = from_dict(Recipe, values, "")
    for key, table in (("loss", recipe.loss), ("sampler", recipe.sampler)):
        if "name" not in table:
            raise UsageError(f"{key} has no name")
    return recipe


def _augmentation(table: dict[str, Any]) -> dict[str, Any]:
    """Amounts with those of the named base where none are given."""
    base = table.pop("base", "rich")
    if base not in ("rich", "none"):
        raise UsageError(f"augmentation base {base!r} is not known; known: rich, none")
    return {**vars(Augmentation.none()), **table} if base == "none" else table
