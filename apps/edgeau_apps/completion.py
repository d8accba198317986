"""Completion of commands and options in a shell, written by shtab from the commands' own parsers."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from importlib import import_module
from typing import Protocol

from edgeau._system.install_lines import extra_line
from edgeau._system.version import VERSION
from edgeau.errors import DependencyError

__all__ = ["completion"]


class _Program(Protocol):
    @property
    def module(self) -> str: ...

    @property
    def summary(self) -> str: ...


def completion(shell: str, commands: Mapping[str, _Program]) -> str:
    """Write the script that completes ``edgeau COMMAND --option``.

    Args:
        shell: ``"bash"`` or ``"zsh"``.
        commands: name to program. One whose packages are not installed is completed by its name alone.

    Raises:
        DependencyError: shtab is missing.
    """
    try:
        import shtab
    except ImportError as error:
        raise DependencyError(f"completion needs the package shtab; {extra_line('completion')}") from error
    whole = argparse.ArgumentParser(prog="edgeau")
    whole.add_argument("--version", action="version", version=VERSION)
    rooms = whole.add_subparsers()
    for name, command in commands.items():
        try:
            own = import_module(command.module)._parser()
        except ModuleNotFoundError:
            rooms.add_parser(name, help=command.summary)
            continue
        rooms.add_parser(name, parents=[own], add_help=False, help=command.summary)
    return str(shtab.complete(whole, shell))
