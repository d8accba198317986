"""Target boards: which artifacts in which order, and what can only be finished on the board itself.

A target is a TOML file in :mod:`edgeau_export.targets`; its name, an alias, or the path of a file of one's own selects it.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path

from edgeau._system.records import from_dict
from edgeau.errors import BundleError, TargetError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["PRECISIONS", "PendingPlan", "Target", "TargetArtifact", "load_target", "targets"]

PRECISIONS = ("fp32", "fp16", "dynamic", "int8", "w8a16")


@dataclass(frozen=True)
class TargetArtifact:
    """One file that is made for a board.

    Attributes:
        file: name in the bundle.
        runtime: engine that runs it: ``"onnxruntime"``, ``"litert"`` or ``"tensorrt"``.
        precision: of :data:`PRECISIONS`.
        batch: fixed batch size, or None for a dynamic one.
        recipe: quantization recipe by name; None for float.
    """

    file: str
    runtime: str
    precision: str
    batch: int | None = None
    recipe: str | None = None


@dataclass(frozen=True)
class PendingPlan:
    """A stage that runs on the board only.

    Attributes:
        stage: what it makes, for people.
        precision: of what it makes.
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
        facts: what the board's software brings, for people: versions of its Python, CUDA, TensorRT.
    """

    name: str
    title: str
    opset: int
    install: str
    artifact: tuple[TargetArtifact, ...]
    pending: tuple[PendingPlan, ...] = ()
    aliases: tuple[str, ...] = ()
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def precisions(self) -> tuple[str, ...]:
        """What can be asked for, in the order of :data:`PRECISIONS`."""
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
        f"target {name!r} is not known; known targets: {_listed()}, or the path of a .toml file"
    )


def _from_file(path: Path) -> Target:
    try:
        return _parse(path.read_text("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise TargetError(f"target file {path} cannot be read: {error}") from error


def _parse(text: str, where: str) -> Target:
    try:
        target = from_dict(Target, tomllib.loads(text), where)
    except tomllib.TOMLDecodeError as error:
        raise TargetError(f"target file {where} is not TOML: {error}") from error
    except BundleError as error:
        raise TargetError(f"target file {str(error).partition(';')[0]}") from error
    sources = {artifact.file for artifact in target.artifact}
    for plan in target.pending:
        if plan.source not in sources:
            raise TargetError(
                f"target file {where}: {plan.stage} starts from {plan.source}, which is no artifact of it"
            )
    return target


def _listed() -> str:
    names = (
        f"{target.name} (= {', '.join(target.aliases)})" if target.aliases else target.name
        for target in targets().values()
    )
    return ", ".join(names)
