"""Progress of a build, for somebody who waits: TensorRT 10 and newer report it."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["make_progress_monitor"]


def make_progress_monitor(trt: Any) -> Any:
    """A TensorRT progress monitor that writes one line on a terminal, and nothing elsewhere."""
    stream = sys.stderr

    class _Monitor(trt.IProgressMonitor):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self._steps: dict[str, int] = {}

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:  # noqa: ARG002
            self._steps[phase_name] = num_steps

        def step_complete(self, phase_name: str, step: int) -> bool:
            if stream.isatty():
                stream.write(f"\r\x1b[2K{phase_name}: {step + 1}/{self._steps.get(phase_name, 0)}")
                stream.flush()
            return True  # False would stop the build

        def phase_finish(self, phase_name: str) -> None:
            self._steps.pop(phase_name, None)
            if not self._steps and stream.isatty():
                stream.write("\r\x1b[2K")
                stream.flush()

    return _Monitor()
