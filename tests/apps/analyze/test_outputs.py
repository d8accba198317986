"""Files appear whole and together, or everything stays as it was."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edgeau.errors import OutputError
from edgeau_apps.analyze.outputs import Outputs


def test_files_appear_at_the_commit_and_not_before(tmp_path: Path) -> None:
    with Outputs(tmp_path / "new" / "out") as outputs:
        outputs.open_text("a.csv").write("one\n")
        outputs.place("a.mp4").write_bytes(b"two")
        assert not [path for path in (tmp_path / "new/out").iterdir() if not path.name.startswith(".")]
        outputs.commit()
    assert {path.name: path.read_text() for path in (tmp_path / "new/out").iterdir()} == {
        "a.csv": "one\n",
        "a.mp4": "two",
    }


def write(folder: Path, *names: str, error: type[BaseException] | None = None) -> None:
    """Write files that hold "new", or break off before the commit."""
    with Outputs(folder) as outputs:
        for name in names:
            outputs.open_text(name).write("new")
        if error:
            raise error
        outputs.commit()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_breaks_off_leaves_everything_as_it_was(tmp_path: Path, error: type[BaseException]) -> None:
    (tmp_path / "a.csv").write_text("old")
    with pytest.raises(error):
        write(tmp_path, "a.csv", error=error)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.csv": "old"}


def test_folders_made_for_nothing_are_removed_again(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        write(tmp_path / "x" / "y", "a.csv", error=ValueError)
    assert list(tmp_path.iterdir()) == []


INTERRUPTED_COMMIT = """
import os, signal, sys
from pathlib import Path
from edgeau_apps.analyze.outputs import Outputs

replace = Path.replace

def interrupted_replace(self, target):
    os.kill(os.getpid(), getattr(signal, sys.argv[2]))
    return replace(self, target)

Path.replace = interrupted_replace
signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
try:
    with Outputs(Path(sys.argv[1])) as outputs:
        for name in ("a.csv", "a.jsonl"):
            outputs.open_text(name).write("new")
        outputs.commit()
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize(("number", "says"), [("SIGINT", "interrupted\n"), ("SIGTERM", "terminated\n")])
def test_a_signal_during_the_commit_waits_for_its_end(tmp_path: Path, number: str, says: str) -> None:
    """In a process of its own: pytest's workers have handlers and threads of theirs."""
    program = [sys.executable, "-c", INTERRUPTED_COMMIT, str(tmp_path), number]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == says
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.csv": "new", "a.jsonl": "new"}


def test_rows_are_on_disk_as_they_are_written(tmp_path: Path) -> None:
    with Outputs(tmp_path) as outputs:
        outputs.open_text("a.csv").write("row\n")
        (temporary,) = tmp_path.iterdir()
        assert temporary.read_text() == "row\n"


def test_a_file_in_the_folder_s_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError, match="out"), Outputs(tmp_path / "out"):
        pass
    with pytest.raises(OutputError, match="out"), Outputs(tmp_path / "out" / "deeper"):
        pass
