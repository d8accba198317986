"""Work that may end a process, done in another one: native code on a file that was never met here."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeau._system.json_text import parse_json
from edgeau._system.named_object import named_object

__all__ = ["CPU_SECONDS", "MEMORY", "SAME_PATH", "ChildReport", "run_in_child"]

SAME_PATH = "import sys; sys.path[:] = eval(sys.argv.pop(1)); "
"""Beginning of the code of a child process (``python -c``) whose first argument is ``repr(sys.path)``: it imports what this process
would, and nothing from the folder that it happens to run in."""

CPU_SECONDS = 120
"""Seconds of processor time that a child process may use for an item. A busy machine does not shorten it."""
MEMORY = 4 << 30
"""Bytes that a child process may write to (``RLIMIT_DATA``: code and mapped files do not count)."""
_NO_MEMORY = 75  # exit code of a child whose function asked Python for more than there is
# A child that waits for ever uses no processor time.
_WALL_SECONDS = 600.0

_CODE = f"{SAME_PATH}from edgeau._system.child import _main; _main()"


@dataclass(frozen=True)
class ChildReport:
    """Outcome of a child process.

    Attributes:
        said: what the function gave, one value an item; where the process was ended, what it gave before.
        ended_by: for people, what ended the process: ``"SIGSEGV"``, ``"more than 120 s of processor time"``...; None where it came to
            its end.
    """

    said: tuple[Any, ...]
    ended_by: str | None


def run_in_child(
    function: str, *arguments: Any, memory: int | None = MEMORY, cpu_s: int = CPU_SECONDS
) -> ChildReport | None:
    """Run a function in a process of its own, with limits of memory and time; nothing that it prints is shown.

    Args:
        function: ``"module:name"`` of a function that gives an iterable of plain JSON values.
        arguments: plain JSON values.
        memory: bytes that it may write to; None sets no limit.
        cpu_s: seconds of processor time for each item.

    Returns:
        None where no child could do it: this program cannot start a Python, or the function raised (a MemoryError is an ending).
    """
    python = _python()
    if python is None:
        return None
    call = json.dumps([function, arguments, memory, cpu_s])
    try:
        done = subprocess.run(
            [python, "-c", _CODE, repr(sys.path), call],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_WALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        return ChildReport(_values(late.stdout or b""), f"no end after {_WALL_SECONDS:g} s")
    except OSError:
        return None
    if done.returncode == _NO_MEMORY:
        return ChildReport(_values(done.stdout), "more memory than it may have")
    if done.returncode > 0:
        return None
    return ChildReport(_values(done.stdout), _ending(-done.returncode, cpu_s) if done.returncode else None)


def _python() -> str | None:
    """The interpreter; None inside a frozen program or a host such as uwsgi, whose executable would start that again."""
    import multiprocessing.spawn  # not with every start: children are rare

    path = os.fsdecode(multiprocessing.spawn.get_executable() or "")
    is_python = Path(path).name.lower().startswith(("python", "pypy"))
    return path if is_python and not getattr(sys, "frozen", False) else None


def _ending(number: int, cpu_s: int) -> str:
    if number == getattr(signal, "SIGXCPU", None):
        return f"more than {cpu_s} s of processor time"
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _values(stdout: bytes) -> tuple[Any, ...]:
    """Each whole line."""
    return tuple(parse_json(line) for line in stdout.split(b"\n")[:-1])


def _main() -> None:
    """Do the child process's work."""
    function, arguments, memory, cpu_s = json.loads(sys.argv[1])
    _limit_memory(memory)
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)  # engines greet on stdout
        _limit_time(cpu_s)
        try:
            items: Iterable[Any] = named_object(function)(*arguments)
            for item in items:
                print(json.dumps(item), file=answers, flush=True)
                _limit_time(cpu_s)
        except MemoryError:  # the limit, met in Python: a reason to keep the parent from it
            os._exit(_NO_MEMORY)
    # Threads that engines leave behind must not turn a good end into a crash.
    os._exit(0)


def _limit_memory(most: int | None) -> None:
    try:
        import resource
    except ImportError:  # not a Unix
        return
    _lower(resource.RLIMIT_CORE, 0)
    if most is not None:
        _lower(resource.RLIMIT_DATA, most)


def _limit_time(cpu_s: int) -> None:
    """From now on."""
    with suppress(ImportError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        _lower(resource.RLIMIT_CPU, math.ceil(used.ru_utime + used.ru_stime) + cpu_s)


def _lower(kind: int, most: int) -> None:
    import resource

    hard = resource.getrlimit(kind)[1]
    with suppress(OSError, ValueError):  # a system without this limit
        resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
