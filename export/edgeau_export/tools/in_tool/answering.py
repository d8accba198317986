"""The loop of a script: questions from stdin, answers to the stdout that the tool itself may not write to."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

__all__ = ["answer_all"]


def answer_all(answer: Callable[[dict[str, Any]], Any]) -> None:
    """Answer each line of stdin until it ends; what the tool prints goes to stderr."""
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        for line in sys.stdin:
            try:
                said = {"ok": answer(json.loads(line))}
            except Exception as error:  # noqa: BLE001 - whatever a tool raises is its refusal
                traceback.print_exc()
                said = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(said), file=answers, flush=True)
