"""Whole or not at all: kills, full disks, places that cannot be written to, and what killed processes leave."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeau._system import atomic_file
from edgeau._system.atomic_file import AtomicFile, atomic_path, write_whole
from edgeau.errors import OutputError

LEFT = ".table.0123456789ab.part.csv"


@pytest.fixture(autouse=True)
def unswept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atomic_file, "_swept", set())


def child(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_whole_and_folders_are_made(tmp_path: Path) -> None:
    write_whole(tmp_path / "a" / "b" / "table.csv", b"whole")
    assert (tmp_path / "a" / "b" / "table.csv").read_bytes() == b"whole"
    assert names(tmp_path / "a" / "b") == ["table.csv"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_an_error_leaves_what_was_there(tmp_path: Path, error: type[BaseException]) -> None:
    place = tmp_path / "table.csv"
    place.write_text("before")

    def fail() -> None:
        with atomic_path(place) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert place.read_text() == "before"
    assert names(tmp_path) == ["table.csv"]


def test_new_files_have_the_bits_of_the_umask_and_old_ones_keep_theirs(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "new", b"")
    finally:
        os.umask(before)
    (tmp_path / "old").touch(0o600)
    (tmp_path / "old").chmod(0o604)
    write_whole(tmp_path / "old", b"")
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("new", "old")] == [0o640, 0o604]


def test_a_link_is_followed_and_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there" / "table.csv")
    write_whole(tmp_path / "link", b"x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "table.csv").read_bytes() == b"x"
    with pytest.raises(OutputError, match="it is a folder"):
        write_whole(tmp_path / "there", b"")
    with pytest.raises(OutputError, match="it is not a regular file"):
        write_whole(Path("/dev/null"), b"")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_to(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="table.csv cannot be written: Permission denied"):
        write_whole(tmp_path / "table.csv", b"x")


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system mounted read-only, with a file in it."""
    folder = tmp_path / "mounted"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "none", folder], check=False, capture_output=True).returncode:
        pytest.skip("only root of a machine of its own may mount")
    (folder / "table.csv").write_text("before")
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_read_only_file_system(read_only: Path) -> None:
    with pytest.raises(OutputError, match="Read-only file system"):
        write_whole(read_only / "table.csv", b"x")
    assert (read_only / "table.csv").read_text() == "before"


FULL = """
    import resource, sys
    from pathlib import Path
    from edgeau._system.atomic_file import write_whole
    from edgeau.errors import OutputError
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
    try:
        write_whole(Path(sys.argv[1]), b"x" * 5000)
    except OutputError as error:
        print(error)
"""


@pytest.mark.parametrize("room", [0, 1, 4096, 4999])
def test_a_write_that_finds_no_room_leaves_nothing(tmp_path: Path, room: int) -> None:
    place = tmp_path / "table.csv"
    place.write_text("before")
    printed, errors = child(FULL, place, room).communicate(timeout=60)
    assert "cannot be written: File too large" in printed, errors
    assert place.read_text() == "before"
    assert names(tmp_path) == ["table.csv"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "none", folder]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root of a machine of its own may mount")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_at_every_degree_of_fullness_the_old_file_or_the_new(small_disk: Path) -> None:
    place = small_disk / "table.csv"
    place.write_bytes(b"old")
    outcomes = set()
    for ballast in range(0, 132_000, 4096):
        with contextlib.suppress(OSError):
            (small_disk / "ballast").write_bytes(b"x" * ballast)
        refusal = ""
        try:
            write_whole(place, b"n" * 30_000)
        except OutputError as error:
            refusal = str(error)
        outcomes.add("refused" if refusal else "written")
        assert "No space left on device" in refusal or place.read_bytes() == b"n" * 30_000
        assert place.read_bytes() in (b"old", b"n" * 30_000)
        assert names(small_disk) == ["ballast", "table.csv"]
        (small_disk / "ballast").unlink()
    assert outcomes == {"written", "refused"}


ENDLESS = """
    import sys
    from pathlib import Path
    from edgeau._system.atomic_file import write_whole
    for round in range(10**9):
        write_whole(Path(sys.argv[1]), bytes([65 + round % 26]) * 200_000)
        print(round, flush=True)
"""


def test_kill_9_leaves_the_old_file_or_the_new_and_the_next_process_clears_up(tmp_path: Path) -> None:
    place = tmp_path / "table.csv"
    for wait in range(8):
        process = child(ENDLESS, place)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.003 * wait)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        content = place.read_bytes()
        assert len(content) == 200_000
        assert len(set(content)) == 1
        assert len(names(tmp_path)) <= 2  # what earlier rounds left is gone
    write_whole(place, b"end")
    assert names(tmp_path) == ["table.csv"]


def test_what_another_process_is_writing_is_left_alone(tmp_path: Path) -> None:
    code = """
        import sys, time
        from pathlib import Path
        from edgeau._system.atomic_file import atomic_path
        with atomic_path(Path(sys.argv[1])) as temporary:
            temporary.write_text("theirs")
            print("writing", flush=True)
            time.sleep(1)
    """
    process = child(code, tmp_path / "theirs.csv")
    assert process.stdout is not None
    process.stdout.readline()
    (tmp_path / LEFT).write_text("of a killed process")
    (tmp_path / ".table.csv").write_text("somebody else's hidden file")
    write_whole(tmp_path / "table.csv", b"ours")
    assert LEFT not in names(tmp_path)
    process.communicate(timeout=60)
    assert names(tmp_path) == [".table.csv", "table.csv", "theirs.csv"]
    assert (tmp_path / "theirs.csv").read_text() == "theirs"


def test_processes_never_share_a_temporary_name(tmp_path: Path) -> None:
    files = [AtomicFile(tmp_path / "table.csv") for _ in range(50)]
    assert len({file.temporary for file in files}) == 50
    for file in files:
        file.discard()
    assert names(tmp_path) == []


def test_a_growing_file_of_a_killed_process_is_kept_beside_the_next(tmp_path: Path) -> None:
    code = """
        import os, sys
        from pathlib import Path
        from edgeau._system.atomic_file import AtomicFile
        file = AtomicFile(Path(sys.argv[1]), growing=True)
        stream = file.temporary.open("w", buffering=1)
        stream.write("first line\\n")
        os.kill(os.getpid(), 9)
    """
    place = tmp_path / "table.csv"
    child(code, place).communicate(timeout=60)
    assert len(names(tmp_path)) == 1
    with AtomicFile(place, growing=True) as file:
        file.temporary.write_text("second\n")
    assert names(tmp_path) == ["table.csv", "table.interrupted.csv"]
    assert (tmp_path / "table.interrupted.csv").read_text() == "first line\n"


def test_the_longest_name_that_a_file_system_takes(tmp_path: Path) -> None:
    place = tmp_path / ("ä" * 125 + ".json")  # 255 bytes
    write_whole(place, b"{}")
    assert place.read_bytes() == b"{}"


def test_a_killed_recording_is_not_given_another_one_s_name(tmp_path: Path) -> None:
    """Two names that begin with the same forty letters."""
    code = """
        import os, sys
        from pathlib import Path
        from edgeau._system.atomic_file import AtomicFile
        AtomicFile(Path(sys.argv[1]), growing=True).temporary.write_text("left")
        os.kill(os.getpid(), 9)
    """
    left, right = (
        tmp_path / f"recording-2026-11-29T12-00-00-kitchen-camera-{side}.csv" for side in ("left", "right")
    )
    child(code, left).communicate(timeout=60)
    with AtomicFile(right, growing=True) as file:
        file.temporary.write_text("right")
    assert not right.with_name(f"{right.stem}.interrupted.csv").exists()
    with AtomicFile(left, growing=True) as file:
        file.temporary.write_text("left again")
    assert left.with_name(f"{left.stem}.interrupted.csv").read_text() == "left"


def test_a_circular_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OutputError, match="cannot be written"):
        write_whole(tmp_path / "loop", b"content")
