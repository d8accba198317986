"""Reading the facts: the pip command for a machine, and the JetPack that it runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from edgeau._system.install_lines import pip_line
from edgeau._system.records import from_dict
from edgeau_apps.doctor.machine import MachineDescription, numbers

__all__ = ["JetPack", "Wheels", "install_line", "jetpack_of", "newest_wheel"]


@dataclass(frozen=True)
class Wheels:
    """A package's wheels: for which architectures, from which C library on, and the newest version by Python."""

    name: str
    architectures: tuple[str, ...]
    glibc: str
    newest: dict[str, str]


@dataclass(frozen=True)
class JetPack:
    """A JetPack: the L4T releases that it has, what it brings, and edgeau's target for it."""

    name: str
    l4t: tuple[str, ...]
    python: str
    cuda: str
    tensorrt: str
    target: str


@cache
def _wheels() -> tuple[Wheels, ...]:
    return tuple(from_dict(Wheels, entry, "wheels.json") for entry in _read("wheels.json")["package"])


@cache
def _jetpacks() -> tuple[JetPack, ...]:
    return tuple(from_dict(JetPack, entry, "jetpacks.json") for entry in _read("jetpacks.json")["jetpack"])


def newest_wheel(package: str, machine: MachineDescription) -> str | None:
    """The newest version of a package that pip finds for a machine, or None where there is none."""
    if machine.system != "Linux":
        return None
    python = ".".join(map(str, machine.python_minor))
    for wheels in _wheels():
        fits = wheels.name == package and machine.architecture in wheels.architectures
        if fits and (not machine.glibc or numbers(machine.glibc) >= numbers(wheels.glibc)):
            return wheels.newest.get(python)
    return None


def install_line(package: str, machine: MachineDescription) -> str | None:
    """The pip command that gives a machine a package, or None where no wheel exists for it."""
    version = newest_wheel(package, machine)
    return None if version is None else pip_line(f"{package}=={version}")


def jetpack_of(machine: MachineDescription) -> JetPack | None:
    """The JetPack of a Jetson, or None where its L4T release is not known."""
    for jetpack in _jetpacks():
        if any(machine.l4t == release or machine.l4t.startswith(f"{release}.") for release in jetpack.l4t):
            return jetpack
    return None


def _read(name: str) -> Any:
    # JSON, not TOML: the doctor starts on a Python 3.10 where nothing is installed.
    return json.loads((files("edgeau_apps.doctor.facts") / name).read_text("utf-8"))
