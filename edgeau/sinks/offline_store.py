"""Messages that wait on the disk, in order, within a bound, until their receiver has confirmed them.

They are rows of a SQLite database in a folder that one process at a time uses. A message is on the disk, synced, when
:meth:`OfflineStore.append` returns, and leaves it when it is removed, so it survives a kill and a power cut in between. That
it was removed is written with the next message: after a kill a confirmed message may be given out again, but none is lost.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edgeau._system.atomic_file import lock, make_folder, sync
from edgeau.errors import OutputError

__all__ = ["OfflineStore"]

_ROW_BYTES = 24  # what SQLite needs beside the text of a message, roughly
_FREED = 16  # a sixteenth of the room is freed when there is none left
_SET_UP = (
    "PRAGMA locking_mode = EXCLUSIVE",  # so that the log needs no shared memory, which network file systems lack
    "PRAGMA journal_mode = WAL",  # one sync a message
    "PRAGMA synchronous = FULL",
    "PRAGMA wal_autocheckpoint = 16",  # pages of 4 KiB, to keep the log small beside the bound
    "CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY AUTOINCREMENT, line TEXT NOT NULL, bytes INTEGER NOT NULL)",
)


class OfflineStore:
    """A bounded queue of lines on the disk. It belongs to one thread at a time.

    Args:
        folder: made when it is missing, readable by its owner alone.
        most_bytes: limit on the bytes of all messages together; the oldest are given up for the newest, and counted in :attr:`lost`.

    Raises:
        OutputError: the folder cannot be made or read, or another process uses it.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._removed: list[int] = []
        self.lost = 0
        try:
            make_folder(folder, mode=0o700)
            self._lock = (folder / "lock").open("wb")
        except OSError as error:
            raise OutputError(f"cannot keep messages in {folder}: {error.strerror or error}") from error
        try:
            _refuse_shared(self._lock.fileno(), folder)
            with self._own_errors():
                self._rows = sqlite3.connect(
                    folder / "messages.sqlite3", isolation_level=None, check_same_thread=False
                )
                for statement in _SET_UP:
                    self._rows.execute(statement)
                self._count, self.bytes = self._totals()
            sync(folder)  # the names of the database's files, before anything is promised
        except BaseException as error:
            self._lock.close()
            if hasattr(self, "_rows"):
                self._rows.close()
            if isinstance(error, OSError):
                raise OutputError(f"cannot keep messages in {folder}: {error.strerror or error}") from error
            raise

    def __len__(self) -> int:
        return self._count - len(self._removed)

    def append(self, line: str) -> int:
        """Add the newest message, giving up the oldest ones for it if need be.

        Returns:
            Its number; later messages have larger ones.

        Raises:
            OutputError: the disk is full, or gone; what was there still is.
        """
        size = len(line.encode()) + _ROW_BYTES
        with self._own_errors(), self._transaction():
            gone = self._delete_removed()
            full = self.bytes - gone[1] + size - self._most_bytes
            freed = self._free(max(full, self._most_bytes // _FREED)) if full > 0 else (0, 0)
            row = self._rows.execute("INSERT INTO messages (line, bytes) VALUES (?, ?)", (line, size))
        self._removed.clear()
        self.lost += freed[0]
        self._count += 1 - gone[0] - freed[0]
        self.bytes += size - gone[1] - freed[1]
        assert row.lastrowid is not None
        return row.lastrowid

    def after(self, number: int, most: int) -> list[tuple[int, str]]:
        """The oldest messages with larger numbers than this, at most so many: number and line, in order.

        Raises:
            OutputError: the disk cannot be read.
        """
        with self._own_errors():
            query = "SELECT id, line FROM messages WHERE id > ? ORDER BY id LIMIT ?"
            return self._rows.execute(query, (number, most)).fetchall()

    def count_after(self, number: int) -> int:
        """Count the messages with larger numbers than this."""
        with self._own_errors():
            found: int = self._rows.execute(
                "SELECT count(*) FROM messages WHERE id > ?", (number,)
            ).fetchone()[0]
            return found

    def remove(self, numbers: Iterable[int]) -> None:
        """Forget messages; on the disk with the next :meth:`append`, or in :meth:`close`."""
        self._removed.extend(numbers)

    def close(self) -> None:
        """Let another process use the folder. A second call does nothing.

        Where the disk is full, it keeps messages that were removed, which are then given out again.
        """
        if self._lock.closed:
            return
        try:
            with suppress(sqlite3.Error), self._transaction():
                gone = self._delete_removed()
                self._removed.clear()
                self._count -= gone[0]
                self.bytes -= gone[1]
        finally:
            self._rows.close()
            self._lock.close()

    def _totals(self) -> tuple[int, int]:
        count, size = self._rows.execute("SELECT count(*), total(bytes) FROM messages").fetchone()
        return count, int(size)

    def _delete_removed(self) -> tuple[int, int]:
        """Delete them, and return how many there were and their bytes; some may have been given up before."""
        sizes = [
            row[0]
            for number in self._removed
            for row in self._rows.execute(
                "DELETE FROM messages WHERE id = ? RETURNING bytes", (number,)
            ).fetchall()
        ]
        return len(sizes), sum(sizes)

    def _free(self, wanted: int) -> tuple[int, int]:
        """Delete the oldest messages until there is so much room; how many they were, and their bytes."""
        count = freed = last = 0
        for number, size in self._rows.execute("SELECT id, bytes FROM messages ORDER BY id"):
            count, freed, last = count + 1, freed + size, number
            if freed >= wanted:
                break
        self._rows.execute("DELETE FROM messages WHERE id <= ?", (last,))
        return count, freed

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._rows.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._rows.execute("COMMIT")
        except BaseException:
            if self._rows.in_transaction:  # SQLite has rolled back by itself where the disk is full
                self._rows.execute("ROLLBACK")
            raise

    @contextmanager
    def _own_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise OutputError(f"cannot keep messages in {self._folder}: {error}") from error


def _refuse_shared(descriptor: int, folder: Path) -> None:
    if not lock(descriptor, wait=False):
        raise OutputError(f"{folder} is used by another process; give a store of its own")
