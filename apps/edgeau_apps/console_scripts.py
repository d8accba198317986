"""Entry points of the programs: ``edgeau NAME`` and ``edgeau-NAME`` are the same program.

A program's module is imported only when it starts, so that a missing package is one line, and so that ``edgeau doctor``
starts where nothing is installed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module

from edgeau._system.command import DONE, CommandParser, entry, run
from edgeau._system.did_you_mean import did_you_mean
from edgeau._system.install_lines import extra_line
from edgeau._system.version import VERSION
from edgeau.errors import DependencyError, UsageError

__all__ = [
    "COMMANDS",
    "analyze",
    "bench",
    "doctor",
    "evaluate",
    "explain",
    "export",
    "finish",
    "landmarks",
    "live",
    "main",
    "report",
    "synth",
    "train",
]


@dataclass(frozen=True)
class Command:
    """One program.

    Attributes:
        name: the word after ``edgeau``.
        module: that has its ``main(argv) -> int``.
        extra: extra of edgeau that brings the packages it needs; "" where edgeau itself does.
        summary: one line for the list of programs.
    """

    name: str
    module: str
    extra: str
    summary: str

    def start(self, argv: Sequence[str] | None = None) -> int:
        """Run the program.

        Args:
            argv: arguments without the program's name; None takes those of the process.

        Returns:
            The exit code.
        """
        return entry(f"edgeau-{self.name}", self.module, self.extra)(argv)


COMMANDS = {
    command.name: command
    for command in (
        Command("analyze", "edgeau_apps.analyze.command", "litert", "find AUs in pictures, videos and folders"),
        Command("live", "edgeau_apps.live.command", "litert", "show AUs of a camera in a window or on a page"),
        Command("doctor", "edgeau_apps.doctor.command", "litert", "test what this machine can run"),
        Command("landmarks", "edgeau_apps.landmarks", "litert", "list or download face landmark networks"),
        Command("bench", "edgeau_apps.bench.command", "litert", "measure the speed of engines and precisions"),
        Command("export", "edgeau_export.command", "export", "make a verified bundle for a board"),
        Command("explain", "edgeau_apps.explain.command", "litert", "show where in a face a network reads each AU"),
        Command("finish", "edgeau.board.command", "litert", "build TensorRT engines of a bundle on the board"),
        Command("report", "edgeau_apps.report.command", "export", "report parameters, MACs and size of networks"),
        Command("evaluate", "edgeau_training.evaluation.command", "train", "measure F1 and AUC on labelled faces"),
        Command("train", "edgeau_training.train_command", "train", "train a network from a recipe"),
        Command("synth", "edgeau_training.synth.command", "train", "render faces with AU labels"),
    )
}  # fmt: skip


def _script(name: str) -> Callable[[], int]:
    """Make the function that the console script ``edgeau-NAME`` calls."""
    return COMMANDS[name].start


analyze = _script("analyze")
bench = _script("bench")
doctor = _script("doctor")
evaluate = _script("evaluate")
explain = _script("explain")
export = _script("export")
finish = _script("finish")
landmarks = _script("landmarks")
live = _script("live")
report = _script("report")
synth = _script("synth")
train = _script("train")


def main(argv: Sequence[str] | None = None) -> int:
    """``edgeau NAME ...``: run one of the programs; returns its exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    if given and given[0] in COMMANDS:
        return COMMANDS[given[0]].start(given[1:])
    return run("edgeau", _without_command, given)


def _without_command(argv: Sequence[str] | None) -> int:
    parser = CommandParser(
        "edgeau",
        f"Facial action units on small computers, version {VERSION}.\n\ncommands:\n"
        + "\n".join(f"  {command.name:<11}{command.summary}" for command in COMMANDS.values())
        + "\n\nedgeau COMMAND --help shows the options of a command.",
        "edgeau analyze portrait.jpg",
    )
    given = list(argv or ())
    if not given:
        parser.print_help()
        return DONE
    if not given[0].startswith("-"):
        meant = did_you_mean(given[0], COMMANDS)
        raise UsageError(f"there is no command {given[0]!r}; {meant}there are {', '.join(COMMANDS)}")
    parser.add_argument(
        "--completion",
        choices=("bash", "zsh"),
        help="print a script that completes commands and options",
    )
    arguments = parser.parse_args(given)
    if arguments.completion:
        print(_completion(arguments.completion, COMMANDS))
    return DONE


def _completion(shell: str, commands: Mapping[str, Command]) -> str:
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


if __name__ == "__main__":
    raise SystemExit(main())
