"""The engine cache: engines by everything that they depend on, whole or not there, built once however many ask.

::

    tensorrt/<artifact>/<key>.engine    the serialized engine
    tensorrt/<artifact>/<key>.json      what it was built from, and its size and SHA-256; written last
    tensorrt/<artifact>/<key>.lock      held while it is built
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from edgeau._system.atomic_file import write_whole
from edgeau._system.cache import cache_directory
from edgeau._system.json_text import parse_json
from edgeau.errors import EngineError, OutputError
from edgeau.runtimes.tensorrt.machine import Machine
from edgeau.runtimes.tensorrt.options import EngineOptions

__all__ = ["EngineCache", "EngineKey", "lock_folder"]

_log = logging.getLogger("edgeau.runtimes.tensorrt")

Opened = TypeVar("Opened")


@dataclass(frozen=True)
class EngineKey:
    """Everything that an engine depends on.

    Attributes:
        name: name of the artifact's file, for people.
        artifact: SHA-256 of the file, hex.
        machine: that builds and runs it.
        options: options of the build.
    """

    name: str
    artifact: str
    machine: Machine
    options: EngineOptions

    @property
    def facts(self) -> dict[str, Any]:
        """Convert to plain JSON values; the file's name is none of them."""
        return {"artifact": self.artifact, **self.machine.to_dict(), **self.options.to_dict()}

    @property
    def digest(self) -> str:
        """Digest of the facts, hex, short enough for a file name."""
        return hashlib.sha256(json.dumps(self.facts, sort_keys=True).encode()).hexdigest()[:24]


class EngineCache:
    """Engines in a folder.

    Args:
        directory: directory of the cache; None takes the user's cache directory.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory

    def open(self, key: EngineKey, build: Callable[[], bytes], load: Callable[[bytes], Opened]) -> Opened:
        """Load the engine of a key; where there is none that loads, build it, load it, and only then keep it.

        Args:
            key: key of the engine.
            build: makes the serialized engine; runs in one process at a time.
            load: makes what is wanted of a serialized engine.

        Raises:
            EngineError: from ``build``, or from ``load`` on a fresh engine; nothing is kept then.
        """
        folder = self._folder(key)
        if folder is None:
            _log.warning("the cache directory cannot be written to, so %s is built at every start", key.name)
            return load(build())
        # A kept engine is loaded without the lock: files appear whole, and a reader need not wait for another's build.
        kept = self._load_kept(folder, key, load, drop=False)
        if kept is not None:
            return kept[0]
        with lock_folder(folder / f"{key.digest}.lock", f"building the TensorRT engine of {key.name}"):
            kept = self._load_kept(
                folder, key, load, drop=True
            )  # another process may have built it meanwhile
            if kept is not None:
                return kept[0]
            _log.warning("%s", self._reason(folder, key))
            engine = build()
            opened = load(engine)
            self._keep(folder, key, engine)
            return opened

    def _folder(self, key: EngineKey) -> Path | None:
        """The artifact's folder, or None where there can be none."""
        try:
            folder = (self._directory or cache_directory() / "tensorrt") / key.artifact[:16]
            folder.mkdir(parents=True, exist_ok=True)
        except (OSError, RuntimeError):
            return None
        return folder

    def _load_kept(
        self, folder: Path, key: EngineKey, load: Callable[[bytes], Opened], *, drop: bool
    ) -> tuple[Opened] | None:
        """Load the kept engine with ``load``; None where there is none that loads.

        ``drop``: say so of a broken one and remove it; only under the lock, where nobody is writing it.
        """
        try:
            engine = self._read(folder, key)
            return None if engine is None else (load(engine),)
        except EngineError as error:
            if drop:
                _log.warning("the cached TensorRT engine of %s is not used: %s", key.name, error)
                self._remove(folder, key.digest)
            return None

    @staticmethod
    def _read(folder: Path, key: EngineKey) -> bytes | None:
        """The serialized engine, or None where there is none; :class:`EngineError` where it is damaged."""
        try:
            note = parse_json((folder / f"{key.digest}.json").read_bytes())
            engine = (folder / f"{key.digest}.engine").read_bytes()
        except OSError:
            return None
        except ValueError as error:
            raise EngineError(f"its record is damaged ({error})") from error
        if note.get("facts") != key.facts or note.get("sha256") != hashlib.sha256(engine).hexdigest():
            raise EngineError(f"it is damaged ({len(engine)} bytes, {note.get('bytes')} were written)")
        return engine

    def _keep(self, folder: Path, key: EngineKey, engine: bytes) -> None:
        note = {"facts": key.facts, "name": key.name, "bytes": len(engine)}
        note["sha256"] = hashlib.sha256(engine).hexdigest()
        try:
            write_whole(folder / f"{key.digest}.engine", engine)
            write_whole(folder / f"{key.digest}.json", json.dumps(note, indent=2).encode())
        except OutputError as error:
            self._remove(folder, key.digest)
            _log.warning("the TensorRT engine of %s cannot be cached: %s", key.name, error)
            return
        for stale in self._outdated(folder, key):
            self._remove(folder, stale)

    @staticmethod
    def _remove(folder: Path, digest: str) -> None:
        for suffix in ("json", "engine"):  # the note first: an engine without one does not count
            (folder / f"{digest}.{suffix}").unlink(missing_ok=True)

    def _reason(self, folder: Path, key: EngineKey) -> str:
        """One line: what is built, and why again where an engine of the artifact is there already."""
        start = f"building a TensorRT engine of {key.name} for {key.machine.gpu}, once; this takes minutes"
        for facts in self._others(folder).values():
            changed = [name for name, value in key.facts.items() if facts.get(name) != value]
            if changed:
                was = ", ".join(f"{name} was {facts.get(name)}, is {key.facts[name]}" for name in changed)
                return f"{start}; the kept one does not fit: {was}"
        return start

    def _outdated(self, folder: Path, key: EngineKey) -> list[str]:
        """Engines of this GPU with the same options whose TensorRT or driver is gone."""
        mine = key.facts
        same = [name for name in mine if name not in ("tensorrt", "driver")]
        return [
            digest
            for digest, facts in self._others(folder).items()
            if digest != key.digest and all(facts.get(name) == mine[name] for name in same)
        ]

    @staticmethod
    def _others(folder: Path) -> dict[str, dict[str, Any]]:
        """Facts of every kept engine of the artifact, by digest."""
        noted = {file.stem: _facts_in(file) for file in sorted(folder.glob("*.json"))}
        return {digest: facts for digest, facts in noted.items() if facts}


def _facts_in(note: Path) -> dict[str, Any]:
    """Read the facts in an engine's note; nothing where it is not a note."""
    try:
        return dict(parse_json(note.read_bytes())["facts"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}


@contextmanager
def lock_folder(file: Path, purpose: str) -> Iterator[None]:
    """Hold ``file`` alone; whoever comes second says so and waits.

    Where there can be no lock (a read-only folder, a network file system without them) the block runs unlocked.

    Args:
        file: made where it is missing, and left there: removing it would let a third process lock another file.
        purpose: what the holder does, for the one who waits.
    """
    try:
        handle = file.open("ab")
    except OSError:
        yield
        return
    with handle:
        _wait_for(handle.fileno(), purpose)
        yield


def _wait_for(descriptor: int, purpose: str) -> None:
    try:
        import fcntl  # not on every system
    except ImportError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _log.warning("another process is %s; waiting for it", purpose)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        _log.info("no lock on this file system: %s", error)
