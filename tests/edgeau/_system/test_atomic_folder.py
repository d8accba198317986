from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from edgeau._system import atomic_folder
from edgeau._system.atomic_folder import AtomicFolder


def write(place: Path, text: str) -> None:
    folder = AtomicFolder(place)
    try:
        for number in range(3):
            (folder.path / f"{number}.txt").write_text(text)
        folder.commit()
    finally:
        folder.close()


def texts(place: Path) -> set[str]:
    return {path.read_text() for path in place.iterdir()}


@pytest.fixture(params=["exchange", "two renames"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "two renames":
        monkeypatch.setattr(atomic_folder, "_exchanged", lambda *_: False)
    return request.param


def test_a_folder_takes_the_place_of_another(tmp_path: Path, way: str) -> None:
    place = tmp_path / "a.b.c"
    for text in ("one", "two"):
        write(place, text)
        assert texts(place) == {text}
        assert [path.name for path in tmp_path.iterdir()] == ["a.b.c"]


def test_the_old_one_is_back_after_a_kill_between_two_renames(tmp_path: Path) -> None:
    place = tmp_path / "bundle"
    write(place, "old")
    place.rename(
        tmp_path / ".bundle.0123456789ab.old"
    )  # what is there when the kill comes between the renames
    (tmp_path / ".bundle.0123456789ab.partial").mkdir()
    folder = AtomicFolder(place)
    assert texts(place) == {"old"}
    folder.close()
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


ENDLESS = """
    import sys
    from pathlib import Path
    from edgeau._system.atomic_folder import AtomicFolder
    for round in range(10**9):
        folder = AtomicFolder(Path(sys.argv[1]))
        for number in range(3):
            (folder.path / f"{number}.txt").write_text(f"round {round}")
        folder.commit()
        folder.close()
        print(round, flush=True)
"""


def test_at_every_instant_the_old_or_the_new_is_there(tmp_path: Path) -> None:
    """Looked at all the time while a process swaps, which is then killed -9, several times."""
    place = tmp_path / "bundle"
    seen = 0
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(ENDLESS), place], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        process.stdout.readline()
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            assert place.is_dir()
            seen += 1
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert len(texts(place)) == 1
        assert len(list(place.iterdir())) == 3
        assert len(list(tmp_path.iterdir())) <= 2
    write(place, "end")
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
    assert seen > 100


def test_a_new_folder_that_somebody_cleaned_up_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between making and locking it, it looks like a killed process's."""
    real, seen = atomic_folder.lock, []

    def lock(descriptor: int, *, wait: bool = True) -> bool:
        if not seen:
            (new,) = tmp_path.iterdir()
            new.rmdir()
            seen.append(new)
        return real(descriptor, wait=wait)

    monkeypatch.setattr(atomic_folder, "lock", lock)
    write(tmp_path / "place", "text")
    assert texts(tmp_path / "place") == {"text"}
    assert [path.name for path in tmp_path.iterdir()] == ["place"]


CONTAINER = """
    import os, random, sys
    os.getpid = lambda: 1  # two containers on one volume: the first process of each
    random.seed(0)
    from pathlib import Path
    from edgeau._system.atomic_file import write_whole
    from edgeau._system.atomic_folder import AtomicFolder
    volume, name = Path(sys.argv[1]), sys.argv[2]
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(120):
        write_whole(volume / "table.csv", name.encode() * 50_000)
        folder = AtomicFolder(volume / "bundle")
        try:
            for part in range(3):
                (folder.path / f"{part}.txt").write_text(name)
            folder.commit()
        finally:
            folder.close()
"""


def test_two_containers_with_one_process_id_write_into_one_volume(tmp_path: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(CONTAINER), str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    both = [subprocess.Popen([*command, name], text=True, **pipes) for name in "ab"]
    for process in both:
        assert process.stdout.readline() == "ready\n"
    for process in both:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in both:
        assert (process.communicate(timeout=300)[1], process.returncode) == ("", 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle", "table.csv"]
    assert (tmp_path / "table.csv").read_text() in ("a" * 50_000, "b" * 50_000)
    assert texts(tmp_path / "bundle") in ({"a"}, {"b"})


def test_an_old_folder_is_never_put_back_under_another_name(tmp_path: Path) -> None:
    """Two names that begin with the same forty letters."""
    one, other = (
        tmp_path / f"a-bundle-of-a-very-long-name-for-the-kitchen-{name}" for name in ("int8", "float")
    )
    write(one, "int8")
    kept = AtomicFolder(one)
    one.rename(kept.path.with_suffix(".old"))  # what a kill between the two renames leaves
    folder = AtomicFolder(other)
    folder.close()
    assert not other.exists()
    kept.close()
    AtomicFolder(one).close()
    assert texts(one) == {"int8"}
