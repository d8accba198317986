"""Running Python programs for aarch64 on this machine with qemu's user emulation."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.arm.boards import Board


@dataclass(frozen=True)
class Emulator:
    """An emulated Debian.

    Attributes:
        qemu: the program.
        libraries: that it needs beside the system's.
        root: of the guest.
        packages: the guest's Python packages.
        python_version: of the guest, such as ``"3.11"``.
    """

    qemu: Path
    libraries: Path | None
    root: Path
    packages: Path
    python_version: str

    def version(self) -> str:
        """Of qemu."""
        shown = self._run([str(self.qemu), "--version"], {}).stdout
        found = re.search(r"version (\S+)", shown)
        return found[1] if found else "unknown"

    def python(
        self,
        board: Board,
        *arguments: str,
        plugin: Path | None = None,
        settings: dict[str, str] | None = None,
    ) -> str:
        """Run the guest's Python, as :meth:`run` does.

        Returns:
            What it wrote on stdout.

        Raises:
            RuntimeError: it failed; the message ends with what it wrote.
        """
        done = self.run(board, *arguments, plugin=plugin, settings=settings)
        if done.returncode:
            said = f"{done.stdout[-1500:]}{done.stderr[-3000:]}"
            raise RuntimeError(f"on {board.cpu}: exit {done.returncode}\n{said}")
        return done.stdout

    def run(
        self,
        board: Board,
        *arguments: str,
        plugin: Path | None = None,
        settings: dict[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run the guest's Python, whatever comes of it.

        Args:
            board: whose processor is emulated.
            arguments: of Python.
            plugin: of qemu.
            settings: environment of the guest, and of the plugin.
        """
        root = self._root_of(board)
        guest = {
            "PYTHONHOME": f"{root}/usr",
            "PYTHONPATH": str(self.packages),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(self.root.parent / "home"),
            "LC_ALL": "C.UTF-8",
            **(settings or {}),
        }
        # As sys.executable the guest gets a program of this machine, so that it can start Python again.
        command = [*self._emulated(board), "-0", str(self._program(board))]
        command += ["-plugin", str(plugin)] if plugin else []
        command += [word for name, value in guest.items() for word in ("-E", f"{name}={value}")]
        return self._run(
            [*command, f"{root}/usr/bin/python{self.python_version}", *arguments], settings or {}
        )

    def _emulated(self, board: Board) -> list[str]:
        return [str(self.qemu), "-L", str(self._root_of(board)), "-cpu", board.cpu, "-U", "LD_LIBRARY_PATH"]

    def _program(self, board: Board) -> Path:
        """A program that is the board's Python, for the guest's own use."""
        program = self.root.with_name(f"python-{board.name}")
        libraries = "" if self.libraries is None else f"LD_LIBRARY_PATH={shlex.quote(str(self.libraries))} "
        emulated = shlex.join([*self._emulated(board), "-0"])
        python = shlex.quote(f"{self._root_of(board)}/usr/bin/python{self.python_version}")
        program.write_text(f'#!/bin/sh\n{libraries}exec {emulated} "$0" {python} "$@"\n')
        program.chmod(0o755)
        return program

    def _root_of(self, board: Board) -> Path:
        """The root with this board's /proc/cpuinfo: a copy of hard links."""
        root = self.root.with_name(f"root-{board.name}")
        if not (root / "usr").is_dir():
            subprocess.run(["cp", "--archive", "--link", f"{self.root}/.", str(root)], check=True)
        (root / "proc").mkdir(exist_ok=True)
        (root / "proc" / "cpuinfo").write_text(board.cpuinfo())
        return root

    def _run(self, command: list[str], settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
        # The guest must not see what the host's Python is set up with.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        if self.libraries is not None:
            environment["LD_LIBRARY_PATH"] = str(self.libraries)
        return subprocess.run(
            command, env={**environment, **settings}, capture_output=True, text=True, check=False
        )
