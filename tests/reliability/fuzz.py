"""Malformed input for every reader, in a process that may die: no traceback, no native crash, nothing over 10 s or the limit of memory."""

from __future__ import annotations

import mmap
import os
import random
import resource
import signal
import struct
import sys
import tempfile
import time
import traceback
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from tests.reliability.readers import Reader, make_readers

__all__ = ["FuzzResult", "case_bytes", "fuzz"]

SECONDS = 10
MEMORY = 4 << 30
"""Bytes that a reader's process may take."""


@dataclass
class FuzzResult:
    """Outcome of one reader.

    Attributes:
        name: of the reader.
        inputs: that were read.
        refused: of them with an error of edgeau; the others were read.
        slowest_s: longest that one took, seconds.
        faults: what should not have happened, by its number: the case is made again by :func:`case_bytes`.
    """

    name: str
    inputs: int = 0
    refused: int = 0
    slowest_s: float = 0.0
    faults: dict[int, str] = field(default_factory=dict)


def case_bytes(reader: Reader, number: int) -> bytes:
    """The malformed bytes of a case."""
    return reader.make(random.Random(f"{reader.name} {number}"))


def fuzz(total: int, names: list[str] | None = None, seed: int = 0) -> list[FuzzResult]:
    """Read so many inputs, shared among the readers.

    Args:
        total: inputs over all readers.
        names: of readers; None takes all.
        seed: first number of the cases.
    """
    with tempfile.TemporaryDirectory(prefix="edgeau-fuzz-") as folder:
        readers = make_readers(Path(folder))
        whole = sum(reader.share for reader in readers.values())
        results = []
        for reader in readers.values():
            if names is None or reader.name in names:
                count = max(round(total * reader.share / whole), 20)
                results.append(_all_of(reader, seed, count))
                last = results[-1]
                print(
                    f"{last.name}: {last.inputs} inputs, {last.refused} refused, {len(last.faults)} faults, slowest {last.slowest_s:.2f} s",
                    file=sys.stderr,
                    flush=True,
                )
        return results


def _all_of(reader: Reader, seed: int, count: int) -> FuzzResult:
    """Every case of a reader; a process that dies takes one case with it, and the next goes on behind it."""
    result = FuzzResult(reader.name)
    first, end = seed, seed + count
    with tempfile.NamedTemporaryFile() as file:
        file.write(bytes(24))
        file.flush()
        shared = mmap.mmap(file.fileno(), 24)
        while first < end:
            shared[:24] = struct.pack("<qqd", first, 0, 0.0)
            read, write = os.pipe()
            child = os.fork()
            if child == 0:
                os.close(read)
                try:
                    _work(reader, first, end, shared, write)
                except BaseException:  # noqa: BLE001 - of this program, not of a reader
                    os.write(write, f"-1 {traceback.format_exc()}\0".encode())
                finally:
                    os._exit(0)
            os.close(write)
            ended = _watched(child, shared)
            with os.fdopen(read, "rb") as said:
                for line in said.read().decode("utf-8", "replace").split("\0"):
                    number, _, what = line.partition(" ")
                    if what:
                        result.faults[int(number)] = what
            at, refused, slowest = struct.unpack("<qqd", shared[:24])
            result.refused += refused
            result.slowest_s = max(result.slowest_s, slowest)
            result.inputs += at - first
            if ended is not None and at < end:
                result.faults[at] = ended
                result.inputs += 1
            first = at + 1 if ended is not None else end
        shared.close()
    return result


def _watched(child: int, shared: mmap.mmap) -> str | None:
    """Why a process ended before its end; None where it did not."""
    since, at = time.monotonic(), -1
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return (
                None if code == 0 else f"the process died: {signal.Signals(-code).name if code < 0 else code}"
            )
        now = struct.unpack("<q", shared[:8])[0]
        if now != at:
            since, at = time.monotonic(), now
        elif time.monotonic() - since > 3 * SECONDS:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return f"native code did not end within {3 * SECONDS} s"
        time.sleep(0.02)


class _TooLongError(BaseException):
    """A case took longer than it may; no reader catches it."""


def _alarm(_number: int, _frame: FrameType | None) -> None:
    raise _TooLongError


def _work(reader: Reader, first: int, end: int, shared: mmap.mmap, write: int) -> None:
    from edgeau.errors import EdgeauError

    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    signal.signal(signal.SIGALRM, _alarm)
    refused, slowest = 0, 0.0
    for number in range(first, end):
        shared[:24] = struct.pack("<qqd", number, refused, slowest)
        content = case_bytes(reader, number)
        began = time.monotonic()
        signal.alarm(SECONDS)
        try:
            reader.read(content)
        except EdgeauError as error:
            refused += 1
            if not str(error).strip():
                os.write(write, f"{number} an empty message\0".encode())
        except _TooLongError:
            os.write(write, f"{number} longer than {SECONDS} s\0".encode())
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is a fault
            place = traceback.extract_tb(error.__traceback__)[-1]
            ours = [one for one in traceback.extract_tb(error.__traceback__) if "/edgeau" in one.filename]
            at = ours[-1] if ours else place
            os.write(
                write,
                f"{number} {type(error).__name__}: {str(error)[:150]} ({Path(at.filename).name}:{at.lineno})\0".encode(
                    "utf-8", "replace"
                ),
            )
        finally:
            signal.alarm(0)
        slowest = max(slowest, time.monotonic() - began)
    shared[:24] = struct.pack("<qqd", end, refused, slowest)
    os._exit(0)
