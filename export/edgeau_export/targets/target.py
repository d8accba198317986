"""Target boards: which artifacts in which order, and what can only be finished on the board itself.

A target is a TOML file in :mod:`edgeau_export.targets`; its name, an alias, or the path of a file of one's own selects it.
What it says is checked when it is made, against the tables of runtimes, precisions and recipes: a target that could not be
kept is refused before any work.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from edgeau._system.did_you_mean import did_you_mean
from edgeau._system.records import from_dict
from edgeau.board.samples import SAMPLES
from edgeau.bundle.files import OWN_FILES
from edgeau.bundle.packaged import DEFAULT, PACKAGED
from edgeau.errors import RecordError, TargetError
from edgeau.runtimes.precision import PRECISIONS
from edgeau.runtimes.table import Runtime, runtimes
from edgeau_calibration.recipe import load_recipe, recipes

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["PendingStage", "Target", "TargetArtifact", "load_target", "targets"]

# What every file system and shell takes as one plain name; a leading dot would hide it, and some names are devices on Windows.
_PLAIN_NAME = re.compile(r"(?!(?:con|prn|aux|nul|com\d|lpt\d)\.)[a-z0-9][a-z0-9._-]{0,99}", re.IGNORECASE)
_RESERVED = {*OWN_FILES, SAMPLES}


@dataclass(frozen=True)
class TargetArtifact:
    """One file that is made for a board.

    Attributes:
        file: name in the bundle, without a folder, with the suffix of its runtime.
        runtime: engine that runs it, a name of :func:`edgeau.runtimes.table.runtimes`.
        precision: one of those the runtime has, a name of :data:`edgeau.runtimes.precision.PRECISIONS`.
        batch: fixed batch size, 1 or more, or None for a dynamic one.
        recipe: quantization recipe by name, where the precision is calibrated; None elsewhere.
        device: that the file is compiled for, one of the runtime's, where it has some; None elsewhere.
        compiled_from: file of an artifact before this one, which it is compiled from; None where it is made of the graph.
        integer_ends: a LiteRT file of integers takes and gives integers, not floats.

    Raises:
        TargetError: a value is none of these.
    """

    file: str
    runtime: str
    precision: str
    batch: int | None = None
    recipe: str | None = None
    device: str | None = None
    compiled_from: str | None = None
    integer_ends: bool = False

    def __post_init__(self) -> None:
        runtime = _known("runtime", self.runtime, runtimes(), self.file)
        self._check_file(runtime)
        precision = _known("precision", self.precision, PRECISIONS, self.file)
        if self.precision not in runtime.precisions:
            raise TargetError(
                f"{self.file}: {runtime.title} has no {self.precision}; it has {', '.join(runtime.precisions)}"
            )
        if self.batch is not None and self.batch < 1:
            raise TargetError(
                f"{self.file}: batch {self.batch} is less than 1; leave it out for any batch size"
            )
        if runtime.batch_sizes != "any" and self.batch is None:
            raise TargetError(
                f"{self.file}: files of {runtime.title} have a fixed batch size; write batch = 1"
            )
        if runtime.batch_sizes == "one" and self.batch != 1:
            raise TargetError(f"{self.file}: files of {runtime.title} have batch 1, not {self.batch}")
        if self.recipe is not None:
            _known("recipe", self.recipe, recipes(), self.file)
        if precision.is_calibrated and self.recipe is None:
            raise TargetError(f"{self.file}: {self.precision} needs a recipe; one of {', '.join(recipes())}")
        if self.recipe is not None and not precision.is_calibrated:
            raise TargetError(
                f"{self.file}: {self.precision} is not calibrated, so it takes no recipe; leave it out"
            )
        self._check_compilation(runtime)

    def _check_compilation(self, runtime: Runtime) -> None:
        if runtime.devices:
            if self.device is None:
                raise TargetError(
                    f"{self.file}: files of {runtime.title} are compiled for a device; write one of {', '.join(runtime.devices)}"
                )
            _known("device", self.device, dict.fromkeys(runtime.devices), self.file)
        elif self.device is not None:
            raise TargetError(
                f"{self.file}: files of {runtime.title} are not compiled for a device; leave it out"
            )
        if runtime.simulator and self.compiled_from is None:
            raise TargetError(
                f"{self.file}: files of {runtime.title} are compiled from another artifact, which stands for them where they are made; "
                "name it as compiled_from"
            )
        if self.integer_ends and (self.runtime, self.precision) != ("litert", "int8"):
            raise TargetError(f"{self.file}: integer_ends is of int8 files of LiteRT")

    def _check_file(self, runtime: Runtime) -> None:
        if not _PLAIN_NAME.fullmatch(self.file):
            raise TargetError(
                f"artifact file {self.file!r} is not a plain file name: at most 100 of A-Z a-z 0-9 . _ -, a letter or "
                "digit first, no folder"
            )
        if self.file.lower() in _RESERVED:
            raise TargetError(
                f"{self.file}: a file of this name is in every bundle; give the artifact another name"
            )
        if not self.file.endswith(runtime.suffix):
            raise TargetError(f"{self.file}: files of {runtime.title} end in {runtime.suffix}")


@dataclass(frozen=True)
class PendingStage:
    """A stage that runs on the board only.

    Attributes:
        stage: what it makes, for people.
        precision: precision of what it makes.
        source: the artifact it starts from.
        reason: why it cannot run elsewhere.
        command: what to run on the board, inside the bundle's folder.
    """

    stage: str
    precision: str
    source: str
    reason: str
    command: str


@dataclass(frozen=True)
class Target:
    """One board.

    Attributes:
        name: canonical name.
        title: for people.
        opset: ONNX operator set its runtimes read.
        install: command that installs what the board needs.
        artifact: in the order in which the board should try them.
        pending: stages for the board.
        aliases: other names.
        model: which packaged network is exported for it unless another is asked for.
        facts: what the board's software brings, for people: versions of its Python, CUDA, TensorRT.
        page: whether the bundle becomes a web site that runs it (:mod:`edgeau_export.web.site`).

    Raises:
        TargetError: it contradicts itself, or names what does not exist.
    """

    name: str
    title: str
    opset: int
    install: str
    artifact: tuple[TargetArtifact, ...]
    pending: tuple[PendingStage, ...] = ()
    aliases: tuple[str, ...] = ()
    model: str = DEFAULT
    facts: dict[str, str] = field(default_factory=dict)
    page: bool = False

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise TargetError("it has no name")
        if not self.artifact:
            raise TargetError("it lists no artifact")
        _known("model", self.model, PACKAGED, self.name)
        for number, item in enumerate(self.artifact):
            self._check_opset(item)
            self._check_source(item, self.artifact[:number])
        # Without case, as the file systems of Windows and macOS have them.
        _refuse_twice("artifacts have the file name", (item.file.lower() for item in self.artifact))
        _refuse_twice("names or aliases are", (self.name, *self.aliases))
        sources = {item.file: None for item in self.artifact}
        for stage in self.pending:
            _known("precision", stage.precision, PRECISIONS, f"stage {stage.stage!r}")
            _known("source", stage.source, sources, f"stage {stage.stage!r}")
            if not (stage.stage.strip() and stage.command.strip()):
                raise TargetError(f"the stage that starts from {stage.source} lacks its name or its command")

    @staticmethod
    def _check_source(item: TargetArtifact, before: tuple[TargetArtifact, ...]) -> None:
        if item.compiled_from is None:
            return
        earlier = {one.file: one for one in before}
        source = _known("compiled_from", item.compiled_from, earlier, item.file)
        if source.recipe != item.recipe:
            raise TargetError(f"{item.file} and {source.file}, which it is compiled from, have two recipes")

    def _check_opset(self, item: TargetArtifact) -> None:
        runtime = runtimes()[item.runtime]
        oldest, newest = runtime.opsets
        what = f"files of {runtime.title}"
        if item.recipe is not None:
            what = f"{item.precision} {what}"
            oldest = max(oldest, load_recipe(item.recipe).oldest_opset)
        if not oldest <= self.opset <= newest:
            raise TargetError(
                f"{item.file}: {what} are made of ONNX opset {oldest} to {newest}, not {self.opset}"
            )

    @property
    def precisions(self) -> tuple[str, ...]:
        """Precisions that can be asked for, in the order of :data:`PRECISIONS`."""
        listed = {item.precision for item in self.artifact} | {stage.precision for stage in self.pending}
        return tuple(precision for precision in PRECISIONS if precision in listed)


@cache
def targets() -> dict[str, Target]:
    """The packaged targets by canonical name, in alphabetical order."""
    folder = files("edgeau_export.targets")
    found = sorted(
        (entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=lambda entry: entry.name
    )
    parsed = [_parse(entry.read_text("utf-8"), entry.name) for entry in found]
    return {target.name: target for target in parsed}


def load_target(name: str) -> Target:
    """A target by name or alias, or from the path of a ``.toml`` file.

    Raises:
        TargetError: the name is not known (the known ones are listed), or the file is missing or does not fit.
    """
    if name.endswith(".toml"):
        return _from_file(Path(name))
    for target in targets().values():
        if name == target.name or name in target.aliases:
            return target
    raise TargetError(
        f"target {name!r} is not known; {did_you_mean(name, _names())}known targets: {_listed()}, or the path of a .toml file"
    )


def _from_file(path: Path) -> Target:
    try:
        return _parse(path.read_text("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise TargetError(f"target file {path} cannot be read: {error}") from error


def _parse(text: str, where: str) -> Target:
    try:
        return from_dict(Target, tomllib.loads(text), where)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise TargetError(f"target file {where} is not TOML: {error}") from error
    except TargetError as error:
        raise TargetError(f"target file {where}: {error}") from error
    except RecordError as error:
        raise TargetError(f"target file {error}") from error


_Item = TypeVar("_Item")


def _known(what: str, name: str, table: Mapping[str, _Item], where: str) -> _Item:
    """A row by its name; an unknown one is refused with the nearest, or with all that exist."""
    if name not in table:
        advice = did_you_mean(name, table)
        raise TargetError(f"{where}: {what} {name!r} is not known; {advice}known: {', '.join(table)}")
    return table[name]


def _refuse_twice(what: str, names: Iterable[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise TargetError(f"two {what} {', '.join(twice)}; each must be its own")


def _names() -> list[str]:
    return [name for target in targets().values() for name in (target.name, *target.aliases)]


def _listed() -> str:
    names = (
        f"{target.name} (= {', '.join(target.aliases)})" if target.aliases else target.name
        for target in targets().values()
    )
    return ", ".join(names)
