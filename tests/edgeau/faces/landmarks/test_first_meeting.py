"""Landmark networks that crash LiteRT are named in one line; others cost one child process a machine.

The programs run in processes of their own: what this is about would end the tests.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgeau._system.child import ChildReport
from edgeau.errors import EngineError, InputError
from edgeau.faces.landmarks.litert import first_meeting
from edgeau.faces.landmarks.mediapipe_models import DETECTOR, REFINED_MESH, installed_models
from tests.tflite_files import with_missing_input

OPEN = """
import sys
from pathlib import Path
from edgeau import EdgeauError
from edgeau._system import child
from edgeau.faces.landmarks import open_landmarker
real, started = child.subprocess.run, []
child.subprocess.run = lambda command, **options: (started.append(command), real(command, **options))[1]
for static in (True, False):
    try:
        open_landmarker(kind="litert", static=static, model=Path(sys.argv[1])).close()
    except EdgeauError as error:
        print(error)
print(len(started))
"""


@pytest.fixture
def networks(tmp_path: Path) -> Path:
    """MediaPipe's, in a folder."""
    place = installed_models()
    if place is None:
        pytest.skip("no mediapipe with networks is installed")
    folder = tmp_path / "networks"
    folder.mkdir()
    for name in (DETECTOR, REFINED_MESH):
        shutil.copy(place / name, folder)
    return folder


def opened(networks: Path, cache: Path) -> list[str]:
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", OPEN, str(networks)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, (done.returncode, done.stderr[-2000:])
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", [DETECTOR, REFINED_MESH])
def test_networks_that_kill_litert_are_named(networks: Path, tmp_path: Path, name: str) -> None:
    file = networks / Path(name).name
    file.write_bytes(with_missing_input(file.read_bytes(), "CONV_2D"))
    for attempt in range(4):  # LiteRT itself crashes in one process, and refuses in another
        *said, _ = opened(networks, tmp_path / f"cache{attempt}")
        assert len(said) == 2
        assert all(file.name in line and "an operator lacks an input" in line for line in said)


@pytest.mark.parametrize(
    ("report", "error", "message"),
    [
        (ChildReport((), "SIGSEGV"), EngineError, r"LiteRT crashed the process .*networks \(SIGSEGV\)"),
        (ChildReport((["EngineError", "no such operator"],), None), EngineError, "no such operator"),
        (ChildReport((["InputError", "another network"],), None), InputError, "another network"),
    ],
)
def test_the_word_of_the_child_is_taken(
    networks: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    report: ChildReport,
    error: type,
    message: str,
) -> None:
    """What it was ended by, or refused, is tried neither here nor again."""
    monkeypatch.setenv(
        "XDG_CACHE_HOME", str(tmp_path / "cache")
    )  # an earlier test may have met these networks
    asked = []
    monkeypatch.setattr(first_meeting, "run_in_child", lambda *_: (asked.append(1), report)[1])
    monkeypatch.setattr(first_meeting, "_outcomes", {})
    for _ in range(2):
        with pytest.raises(error, match=message):
            first_meeting.check_first_meeting(networks)
    assert len(asked) == 1


def test_what_was_met_is_not_tried_again(networks: Path, tmp_path: Path) -> None:
    assert opened(networks, tmp_path / "cache") == ["1"]
    assert opened(networks, tmp_path / "cache") == ["0"]
    shutil.copytree(networks, tmp_path / "elsewhere")
    assert opened(tmp_path / "elsewhere", tmp_path / "cache") == ["0"]


def test_a_file_that_is_refused_in_words_is_refused_so(networks: Path, tmp_path: Path) -> None:
    (networks / Path(DETECTOR).name).write_bytes(b"\0\0\0\0TFL3" + bytes(100))
    *said, _ = opened(networks, tmp_path / "cache")
    assert len(said) == 2
    assert "crashed the process" not in said[0]
