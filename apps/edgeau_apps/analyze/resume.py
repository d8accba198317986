"""What of a corpus is analyzed already, and what is left: an input is done when its table is in the folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeau_apps.analyze.inputs import Input

__all__ = ["State", "state_of"]


@dataclass(frozen=True)
class State:
    """Inputs whose tables are there, and those whose tables are not."""

    done: tuple[Input, ...]
    left: tuple[Input, ...]

    def line(self) -> str:
        """For people."""
        return f"{len(self.done)} of {len(self.done) + len(self.left)} inputs are done, {len(self.left)} are left"

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"done": [one.name for one in self.done], "left": [one.name for one in self.left]}


def state_of(inputs: Sequence[Input], out: Path) -> State:
    """Look for the tables; they appear whole, so that one that is there is finished."""
    done = tuple(one for one in inputs if (out / f"{one.stem}.jsonl").is_file())
    left = tuple(one for one in inputs if one not in done)
    return State(done, left)
