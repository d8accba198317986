"""Log of a run while it goes on: one line an event in ``log.jsonl``, and curves for TensorBoard."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeau._system.install_lines import extra_line
from edgeau.errors import DependencyError

if TYPE_CHECKING:  # TensorBoard takes a second to import, and only a run that asks for curves needs it
    from torch.utils.tensorboard import SummaryWriter

__all__ = ["RunLog"]

LOG = "log.jsonl"
CURVES = "tensorboard"


class RunLog:
    """Appends to the log of a run.

    Args:
        out: folder of the run; None writes nothing (all processes but the first).
        step: from which on curves of a killed run are written anew.

    Raises:
        DependencyError: TensorBoard is not installed.
    """

    def __init__(self, out: Path | None, step: int = 0) -> None:
        self._out = out
        self._curves: SummaryWriter | None = None
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            self._curves = _writer(out / CURVES, step)

    def event(self, kind: str, step: int, **values: Any) -> None:
        """One line; numbers among the values become points of curves."""
        if self._out is None:
            return
        line = {"event": kind, "time": round(time.time(), 1), "step": step, **values}
        with (self._out / LOG).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        if kind in ("step", "validation", "delivered"):
            self._draw(kind, step, values)

    def _draw(self, kind: str, step: int, values: dict[str, Any]) -> None:
        assert self._curves is not None
        for name, value in values.items():
            if isinstance(value, float):
                self._curves.add_scalar(f"{kind}/{name}", value, step)
        for label, figures in values.get("per_au", {}).items():
            if figures["f1"] is not None:
                self._curves.add_scalar(f"f1/{label}", figures["f1"], step)
        self._curves.flush()

    def close(self) -> None:
        """Ends the curves."""
        if self._curves is not None:
            self._curves.close()


def _writer(folder: Path, step: int) -> SummaryWriter:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise DependencyError(f"live curves need TensorBoard ({error}): {extra_line('train')}") from error
    return SummaryWriter(str(folder), purge_step=step or None)
