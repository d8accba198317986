"""Executed instructions of one inference: a cost that does not depend on the machine that emulates."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.arm.boards import Board
from tests.arm.emulator import Emulator

_SOURCE = Path(__file__).with_name("instructions.c")
_GUEST = Path(__file__).with_name("guest.py")
_FEW, _MORE = 1, 3


def build_plugin(place: Path, qemu_version: str) -> Path:
    """Compile the counter for a version of qemu; needs ``gcc``."""
    api = 1 if int(qemu_version.split(".", maxsplit=1)[0]) < 9 else 2
    plugin = place / f"instructions-{api}.so"
    command = ["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Werror", f"-DAPI_VERSION={api}"]
    subprocess.run([*command, "-o", str(plugin), str(_SOURCE)], check=True)
    return plugin


def count(emulator: Emulator, board: Board, plugin: Path, bundle: Path, artifact: str) -> int:
    """Instructions of one inference: those of a program with more inferences less those with fewer."""
    few, more = (_executed(emulator, board, plugin, bundle, artifact, times) for times in (_FEW, _MORE))
    return (more - few) // (_MORE - _FEW)


def _executed(emulator: Emulator, board: Board, plugin: Path, bundle: Path, artifact: str, times: int) -> int:
    file = plugin.with_name(f"count-{board.name}-{artifact}-{times}.txt")
    arguments = (str(_GUEST), "infer", str(bundle), artifact, str(times))
    emulator.python(board, *arguments, plugin=plugin, settings={"INSTRUCTION_COUNT_FILE": str(file)})
    return int(file.read_text())
