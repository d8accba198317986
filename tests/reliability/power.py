"""Power cuts: the system calls of a program are recorded, and after each of them the disk is made as it may be found afterwards.

A model of a file system that keeps no more than it must: the content of a file survives as of its last ``fsync``, the names of a
folder as of the last ``fsync`` of that folder ("strict"). File systems with a journal keep names in order although the content of the files
was not synced ("names first"). Both must leave every promised thing whole.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.reliability.jobs import CHECKS
from tests.reliability.outcome import Outcome

__all__ = ["power_cuts"]

_CALLS = "open,openat,creat,write,pwrite64,writev,lseek,ftruncate,fsync,fdatasync,sync_file_range,rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,close,dup,dup2,fcntl"
_ROUNDS = {"recording": 3, "folder": 4, "store": 60, "tables": 2, "checkpoint": 3}


def power_cuts(*, full: bool) -> list[Outcome]:
    """A cut after every recorded call of each program; in the quick run after every seventh."""
    if shutil.which("strace") is None:
        return [Outcome("power cut", said={"skipped": "no strace is installed: apt-get install strace"})]
    return [_cut(name, rounds, 1 if full else 7) for name, rounds in _ROUNDS.items()]


def _cut(name: str, rounds: int, step: int) -> Outcome:
    outcome = Outcome(f"power cut in {name}")
    with tempfile.TemporaryDirectory(prefix="edgeau-power-") as folder:
        home, log = Path(folder, "home"), Path(folder, "log")
        home.mkdir()
        subprocess.run(
            ["strace", "-f", "-xx", "-s", "10000000", "-o", str(log), "-e", f"trace={_CALLS}", sys.executable, "-m", "tests.reliability.jobs", name, str(home), str(rounds)],
            check=True, capture_output=True, timeout=600,
        )  # fmt: skip
        disk, calls = _Disk(str(home)), 0
        for call in _calls(log.read_text()):
            if not disk.apply(*call):
                continue
            calls += 1
            if calls % step:
                continue
            for kind in ("strict", "names first"):
                found = Path(folder, "found")
                shutil.rmtree(found, ignore_errors=True)
                disk.write(found, kind)
                try:
                    fault = CHECKS[name](found, disk.kept)
                except Exception as error:  # noqa: BLE001
                    fault = f"{type(error).__name__}: {error}"
                outcome.tried += 1
                if fault:
                    outcome.faults[calls] = f"{kind}: {fault} (after {call[0]})"
        outcome.said["calls"] = calls
    return outcome


@dataclass
class _Inode:
    """A file, its content now and as of its last sync; or a folder."""

    folder: bool = False
    now: bytearray = field(default_factory=bytearray)
    synced: bytes = b""
    names: dict[str, _Inode] = field(default_factory=dict)
    synced_names: dict[str, _Inode] = field(default_factory=dict)


@dataclass
class _Open:
    inode: _Inode
    place: int = 0
    append: bool = False


class _Disk:
    """The part of the file system below a folder."""

    def __init__(self, home: str) -> None:
        self._home = home
        self.root = _Inode(folder=True)
        self._files: dict[int, _Open] = {}
        self.kept = -1

    def apply(self, name: str, arguments: str, result: int) -> bool:
        """Do a call; True where it concerned the folder."""
        if result < 0:
            return False
        texts = [
            bytes.fromhex(one.replace("\\x", "")) for one in re.findall(r'"((?:\\x[0-9a-f]{2})*)"', arguments)
        ]
        numbers = [
            int(one) for one in re.findall(r"(?<![\w\\x])(-?\d+)(?![\w])", re.sub(r'"[^"]*"', "", arguments))
        ]
        if name in ("open", "openat", "creat"):
            return self._open(texts[0].decode(), arguments, result)
        if name in ("rename", "renameat", "renameat2"):
            return self._rename(texts[0].decode(), texts[1].decode(), exchange="EXCHANGE" in arguments)
        if name in ("unlink", "unlinkat", "rmdir"):
            # Relative to a folder that is open, where there is one.
            parent, last = self._parent(
                texts[0].decode(), numbers[0] if name == "unlinkat" and numbers else None
            )
            return parent is not None and parent.names.pop(last, None) is not None
        if name in ("mkdir", "mkdirat"):
            parent, last = self._parent(texts[0].decode(), None)
            if parent is not None:
                parent.names[last] = _Inode(folder=True)
            return parent is not None
        if name in ("dup", "dup2") or (name == "fcntl" and "F_DUPFD" in arguments):
            if numbers[0] in self._files:
                self._files[result] = self._files[numbers[0]]
            return False
        if name == "close":
            self._files.pop(numbers[0], None)
            return False
        if name in ("write", "writev") and numbers[0] == 1:
            for match in re.finditer(rb"kept (\d+)", b"".join(texts)):
                self.kept = int(match[1])
            return True
        return numbers[0] in self._files and self._on_file(
            name, self._files[numbers[0]], texts, numbers, result
        )

    def _on_file(self, name: str, file: _Open, texts: list[bytes], numbers: list[int], result: int) -> bool:
        inode = file.inode
        match name:
            case "write" | "writev":
                place = len(inode.now) if file.append else file.place
                self._put(inode, place, b"".join(texts)[:result])
                file.place = place + result
            case "pwrite64":
                self._put(inode, numbers[-1], texts[0][:result])
            case "lseek":
                file.place = result
                return False
            case "ftruncate":
                inode.now[numbers[1] :] = bytes(max(numbers[1] - len(inode.now), 0))
            case "fsync" | "fdatasync":
                inode.synced = bytes(inode.now)
                inode.synced_names = dict(inode.names)
        return True

    @staticmethod
    def _put(inode: _Inode, place: int, data: bytes) -> None:
        if len(inode.now) < place:
            inode.now.extend(bytes(place - len(inode.now)))
        inode.now[place : place + len(data)] = data

    def _parent(self, path: str, opened: int | None) -> tuple[_Inode | None, str]:
        """The folder that a path lies in; None outside of home."""
        if not path.startswith("/") and opened in self._files:
            inode, parts = self._files[opened].inode, path.split("/")
        elif path.startswith(self._home + "/"):
            inode, parts = self.root, path[len(self._home) + 1 :].split("/")
        else:
            return None, ""
        for part in parts[:-1]:
            if part not in inode.names:
                return None, ""
            inode = inode.names[part]
        return inode, parts[-1]

    def _open(self, path: str, arguments: str, result: int) -> bool:
        self._files.pop(result, None)
        if path.rstrip("/") == self._home:
            self._files[result] = _Open(self.root)
            return False
        number = re.match(r"(\d+),", arguments)
        parent, last = self._parent(path, int(number[1]) if number else None)
        if parent is None:
            return False
        new = last not in parent.names
        if new:
            if "O_CREAT" not in arguments:
                return False
            parent.names[last] = _Inode()
        file = _Open(parent.names[last], append="O_APPEND" in arguments)
        self._files[result] = file
        if "O_TRUNC" in arguments:
            file.inode.now.clear()
        return new or "O_TRUNC" in arguments

    def _rename(self, old: str, new: str, *, exchange: bool) -> bool:
        (one, first), (two, second) = self._parent(old, None), self._parent(new, None)
        if one is None or two is None or first not in one.names:
            return False
        if exchange:
            one.names[first], two.names[second] = two.names[second], one.names[first]
        else:
            two.names[second] = one.names.pop(first)
        return True

    def write(self, folder: Path, kind: str) -> None:
        """The disk as it may be found.

        Names that the system moves in one step (a rename over two folders) are synced folder by folder here, which is less than any
        file system does; edgeau renames within one folder.
        """
        self._write(self.root, folder, strict=kind == "strict")

    def _write(self, inode: _Inode, place: Path, *, strict: bool) -> None:
        if not inode.folder:
            place.write_bytes(inode.synced)
            return
        place.mkdir(parents=True)
        for name, child in (inode.synced_names if strict else inode.names).items():
            self._write(child, place / name, strict=strict)


def _calls(log: str) -> Iterator[tuple[str, str, int]]:
    """Name, arguments and result of each finished call; those that another thread interrupted are put together."""
    begun: dict[str, str] = {}
    for line in log.splitlines():
        pid, _, text = line.partition(" ")
        text = text.strip()
        if text.endswith("<unfinished ...>"):
            begun[pid] = text[: -len("<unfinished ...>")]
            continue
        if match := re.match(r"<\.\.\. \w+ resumed>(.*)", text):
            text = begun.pop(pid, "") + match[1]
        if match := re.match(r"(\w+)\((.*)\)\s+= (-?\d+)", text):
            yield match[1], match[2], int(match[3])
