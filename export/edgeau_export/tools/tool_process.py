"""A script in a tool's own Python, asked questions one after the other; arrays go through files.

A question is one line of JSON on the script's stdin, its answer one line on its stdout: ``{"ok": ...}`` or ``{"error": "..."}``. What
the tool itself prints goes to the script's stderr, which is kept for messages.
"""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau._system.closing import Closing
from edgeau._system.json_text import parse_json
from edgeau._system.scratch_folder import scratch_folder
from edgeau._system.tool_environment import TOOLS, tool_python, tool_versions
from edgeau.errors import EngineError

__all__ = ["ToolProcess"]

_SCRIPTS = Path(__file__).parent / "in_tool"
_SHOWN = 300


class ToolProcess(Closing):
    """A running script.

    Args:
        tool: whose Python runs it.
        script: file name in ``in_tool``.

    Raises:
        DependencyError: the tool's environment is not there.
    """

    def __init__(self, tool: str, script: str) -> None:
        python = tool_python(tool)
        self._tool = TOOLS[tool]
        self._held = ExitStack()
        with ExitStack() as held:
            self._folder = Path(held.enter_context(scratch_folder(tool)))
            self._stderr = held.enter_context((self._folder / "stderr").open("w+b"))
            self._process = self._started(python, script)
            self._held = held.pop_all()

    def _started(self, python: Path, script: str) -> subprocess.Popen[bytes]:
        # The environment is its own: nothing of ours may be imported there.
        own = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        return subprocess.Popen(
            [str(python), str(_SCRIPTS / script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            cwd=self._folder,
            env={**own, "ORT_DISABLE_TELEMETRY": "1"},
        )

    @property
    def version(self) -> str:
        """Version of the tool's package."""
        return tool_versions(self._tool.name)[self._tool.distribution]

    def ask(self, **question: Any) -> Any:
        """The script's answer.

        Raises:
            EngineError: the tool refused, or its process ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(question).encode() + b"\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            raise EngineError(f"{self._tool.title} ended without an answer: {self._last_words()}")
        answer = parse_json(line)
        if "error" in answer:
            raise EngineError(f"{self._tool.title} {self.version} refuses: {answer['error'][:_SHOWN]}")
        return answer["ok"]

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """The answers to a batch, float32 ``(n, C, H, W)`` to ``(n, L)``, through two files."""
        given, answered = (self._folder / name for name in ("given.npy", "answered.npy"))
        np.save(given, np.ascontiguousarray(batch, np.float32))
        self.ask(run=str(given), answers=str(answered))
        logits: NDArray[np.float32] = np.load(answered)
        return logits.reshape(len(batch), -1)

    def close(self) -> None:
        """End the process; a second call does nothing."""
        if self._process.poll() is None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._held.close()

    def _last_words(self) -> str:
        self._process.wait()
        self._stderr.seek(0)
        lines = self._stderr.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:_SHOWN] if lines else f"code {self._process.returncode}"
