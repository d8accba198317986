"""Lines that wait on the disk in order, and never more than fit."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edgeau.errors import OutputError
from edgeau.sinks.offline_store import OfflineStore


@pytest.fixture
def open_store() -> Iterator[Callable[[Path, int], OfflineStore]]:
    opened = []

    def make(folder: Path, most_bytes: int) -> OfflineStore:
        opened.append(OfflineStore(folder, most_bytes))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


def drained(store: OfflineStore) -> list[str]:
    lines, last = [], 0
    while found := store.after(last, 7):
        last = found[-1][0]
        lines += [line for _, line in found]
        store.remove(number for number, _ in found)
    return lines


def test_first_in_first_out(tmp_path: Path, open_store) -> None:
    store = open_store(tmp_path / "store", 160_000)
    lines = [f"line {n}" for n in range(300)]
    numbers = [store.append(line) for line in lines]
    assert numbers == sorted(numbers)
    assert len(store) == 300
    assert store.count_after(numbers[99]) == 200
    assert drained(store) == lines
    store.close()
    assert len(store) == store.bytes == 0
    assert (tmp_path / "store").stat().st_mode & 0o777 == 0o700


def test_it_stays_within_its_bound_and_counts_what_it_gave_up(tmp_path: Path, open_store) -> None:
    store = open_store(tmp_path, 32_000)
    for n in range(1_500):
        store.append(f"line {n:05d}")
        assert store.bytes <= 32_000
    used = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert used <= 32_000 + 150_000, "the files keep near the bound"
    kept = drained(store)
    assert kept == [f"line {n:05d}" for n in range(1_500 - len(kept), 1_500)]
    assert store.lost == 1_500 - len(kept)
    assert len(kept) * 34 > 28_000, "most of the room is used"


def test_a_message_larger_than_the_bound_gives_up_all_others(tmp_path: Path, open_store) -> None:
    store = open_store(tmp_path, 1000)
    for n in range(5):
        store.append(str(n))
    store.append("x" * 2000)
    assert drained(store) == ["x" * 2000]
    assert store.lost == 5


def test_a_later_process_finds_what_was_left(tmp_path: Path, open_store) -> None:
    store = open_store(tmp_path, 10_000)
    numbers = [store.append(str(n)) for n in range(10)]
    store.remove([numbers[0], numbers[4]])
    store.close()
    later = open_store(tmp_path, 10_000)
    later.append("10")
    assert len(later) == 9
    assert drained(later) == ["1", "2", "3", "5", "6", "7", "8", "9", "10"]


def test_numbers_are_not_used_again(tmp_path: Path, open_store) -> None:
    store = open_store(tmp_path, 10_000)
    first = store.append("a")
    store.remove([first])
    store.close()
    assert open_store(tmp_path, 10_000).append("b") > first


KILLED = """
import os, sys
from pathlib import Path
from edgeau.sinks.offline_store import OfflineStore
store = OfflineStore(Path(sys.argv[1]), 10**7)
for n in range(10**9):
    number = store.append(f"message {n}")
    if n % 3 == 0:
        store.remove([number])
    print(n, flush=True)
"""


@pytest.mark.parametrize("wait", [0.0, 0.05, 0.11, 0.2])
def test_kill_9_loses_nothing_that_was_taken(tmp_path: Path, open_store, wait: float) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(wait)
    process.send_signal(signal.SIGKILL)
    lines = [line for line in process.communicate()[0].splitlines() if line]
    taken = int(lines[-1]) if lines else 0
    found = {int(line.split()[1]) for line in drained(open_store(tmp_path, 10**7))}
    assert found >= {n for n in range(1, taken + 1) if n % 3}
    assert max(found) <= taken + 2, "and nothing was made up"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root of a machine of its own may mount")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_disk_that_fills_up_and_is_freed_again(small_disk: Path) -> None:
    """Every line given out is a whole one that was taken, and all that were taken are given out."""
    store = OfflineStore(small_disk / "store", 10_000_000)
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 100_000)
    taken, refused = [], 0
    for n in range(900):
        line = f"{n} " + "y" * 200
        try:
            store.append(line)
            taken.append(line)
        except OutputError:
            refused += 1
        if n == 700:
            ballast.unlink()
    assert refused
    assert int(taken[-1].split()[0]) > 700, "it takes messages again"
    assert drained(store) == taken
    store.close()


def test_two_processes_do_not_share_a_folder(tmp_path: Path, open_store) -> None:
    store = open_store(tmp_path, 1000)
    with pytest.raises(OutputError, match="used by another process"):
        open_store(tmp_path, 1000)
    store.close()
    open_store(tmp_path, 1000)


def test_a_folder_that_is_a_file_is_said(tmp_path: Path, open_store) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot keep messages"):
        open_store(tmp_path / "file" / "store", 1000)


def test_a_damaged_store_is_said(tmp_path: Path, open_store) -> None:
    (tmp_path / "messages.sqlite3").write_bytes(b"something else" * 500)
    with pytest.raises(OutputError, match="cannot keep messages in .*not a database"):
        open_store(tmp_path, 1000)
