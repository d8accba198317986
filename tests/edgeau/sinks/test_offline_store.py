"""Lines that wait on the disk in order, and never more than fit."""

from __future__ import annotations

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
    lines = []
    while (line := store.peek()) is not None:
        lines.append(line)
        store.pop()
    return lines


def test_first_in_first_out_over_many_files(tmp_path: Path, open_store) -> None:
    store = open_store(tmp_path / "store", 16_000)
    lines = [f"line {n}" for n in range(300)]
    for line in lines:
        store.append(line)
    assert len(store) == 300
    assert drained(store) == lines
    assert len(store) == store.bytes == 0
    assert not list((tmp_path / "store").glob("*.jsonl"))


def test_it_stays_within_its_bound_and_counts_what_it_gave_up(tmp_path: Path, open_store) -> None:
    store = open_store(tmp_path, 16_000)
    for n in range(10_000):
        store.append(f"line {n:05d}")
        assert store.bytes <= 16_000
    kept = drained(store)
    assert kept == [f"line {n:05d}" for n in range(10_000 - len(kept), 10_000)]
    assert store.lost == 10_000 - len(kept)
    assert len(kept) * 11 > 14_000, "most of the room is used"


def test_a_later_process_finds_what_was_left(tmp_path: Path, open_store) -> None:
    store = open_store(tmp_path, 1000)
    for n in range(10):
        store.append(str(n))
    for _ in range(3):
        store.peek()
        store.pop()
    store.append("10")
    store.put_back(["1", "2"])
    store.close()
    later = open_store(tmp_path, 1000)
    later.append("11")
    assert len(later) == 11
    assert drained(later) == [str(n) for n in range(1, 12)]


def test_messages_put_back_into_an_empty_store_are_kept(tmp_path: Path, open_store) -> None:
    store = open_store(tmp_path, 1000)
    store.put_back(["a", "b"])
    store.close()
    assert drained(open_store(tmp_path, 1000)) == ["a", "b"]


def test_a_line_that_a_crash_cut_short_is_left_out(tmp_path: Path, open_store) -> None:
    store = open_store(tmp_path, 1000)
    store.append('{"whole":1}')
    store.close()
    (file,) = tmp_path.glob("*.jsonl")
    file.write_text(file.read_text() + '{"cut":')
    later = open_store(tmp_path, 1000)
    later.append('{"new":1}')
    assert drained(later) == ['{"whole":1}', '{"new":1}']


def test_taking_and_giving_at_once_keeps_the_order(tmp_path: Path, open_store) -> None:
    store = open_store(tmp_path, 160_000)
    given: list[str] = []
    for n in range(2000):
        store.append(str(n))
        if n % 3:
            line = store.peek()
            assert line is not None
            given.append(line)
            store.pop()
    assert given + drained(store) == [str(n) for n in range(2000)]


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
