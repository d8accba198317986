"""The reliability report at its smallest; ``python -m tests.reliability --full`` gives the figures of docs/reliability.md."""

from __future__ import annotations

import random
import shutil
from contextlib import closing, suppress
from pathlib import Path

import pytest

from edgeau.errors import EdgeauError
from tests.reliability import disk, kills, power
from tests.reliability.fuzz import fuzz
from tests.reliability.page import PageReader, handshake, request
from tests.reliability.readers import make_readers

KEPT = sorted(Path(__file__).with_name("kept").glob("*/*"))


def test_malformed_input_is_refused_by_every_reader() -> None:
    results = fuzz(400, seed=1_000_000)
    assert {result.name: result.faults for result in results if result.faults} == {}
    assert all(result.inputs >= 20 for result in results)


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory):
    made = make_readers(tmp_path_factory.mktemp("readers"))
    yield made
    for reader in made.values():
        reader.close()


@pytest.mark.parametrize("file", KEPT, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_what_was_a_fault_once_is_none_any_more(readers, file: Path) -> None:
    """Files of ``kept/READER/``: found by the fuzz, each of them once a traceback, a crash, or more time or memory than allowed."""
    with suppress(EdgeauError):
        readers[file.parent.name].read(file.read_bytes())


@pytest.mark.parametrize("name", ["store", "recording"])
def test_a_kill_leaves_nothing_half(name: str) -> None:
    outcome = kills._killed(name, 2, random.Random(3))
    assert outcome.faults == {}


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed: apt-get install strace")
@pytest.mark.parametrize(("name", "rounds"), [("store", 6), ("recording", 2), ("folder", 2)])
def test_a_power_cut_leaves_what_was_promised(name: str, rounds: int) -> None:
    outcome = power._cut(name, rounds, 3)
    assert outcome.faults == {}
    assert outcome.tried > 10


def test_a_power_cut_is_seen_where_nothing_was_synced(tmp_path: Path) -> None:
    """The model itself: a rename is not enough, and neither is a sync of the file alone."""
    disk_ = power._Disk("/home")
    text = "".join(f"\\x{byte:02x}" for byte in b"/home/a")
    assert disk_.apply("openat", f'AT_FDCWD, "{text}", O_RDWR|O_CREAT|O_EXCL, 0666', 3)
    assert disk_.apply("write", '3, "\\x31\\x32", 2', 2)
    disk_.write(tmp_path / "1", "names first")
    assert (tmp_path / "1" / "a").read_bytes() == b""
    assert disk_.apply("fsync", "3", 0)
    disk_.write(tmp_path / "2", "strict")
    assert not (tmp_path / "2" / "a").exists()
    disk_.write(tmp_path / "3", "names first")
    assert (tmp_path / "3" / "a").read_bytes() == b"12"


@pytest.mark.parametrize("name", ["store", "recording"])
def test_a_full_disk_is_one_line(name: str) -> None:
    if not disk.mountable():
        pytest.skip("only root of a machine of its own may mount")
    assert disk._filled(name, 3).faults == {}


def test_every_reader_reads_what_is_changed_for_it(readers) -> None:
    """Else only what looks first would be tried."""
    for reader in readers.values():
        reader.read(reader.good)


def test_the_page_answers_requests_and_messages_of_the_fuzz() -> None:
    with closing(PageReader()) as page:
        _ask(page)


def _ask(page: PageReader) -> None:
    calibrate = request("POST", "/do", body=b'{"do": "calibrate"}')
    not_a_picture = handshake("/camera") + b"\x82\x84\0\0\0\0text"
    assert b'"labels"' in page.read(request("GET", "/about"), b'"labels"')
    assert b'{"said"' in page.read(calibrate, b'{"said"')
    assert b'"fps"' in page.read(handshake("/numbers"), b'"fps"')
    assert b"not a JPEG" in page.read(not_a_picture, b"not a JPEG")
