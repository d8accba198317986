"""A served session that ends is started again, told, and at last ends the program; the service manager hears of it."""

from __future__ import annotations

import asyncio
import configparser
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import cv2
import pytest

from edgeau import Pipeline, open_source
from edgeau._system.service_manager import notify, watchdog_interval_s
from edgeau.errors import InputError
from edgeau.sources import Source
from edgeau.sources.paced import PacedSource
from edgeau_apps.live.command import _parser
from edgeau_apps.live.serve.supervisor import Supervisor
from edgeau_apps.live.session import WebcamSession
from tests.apps.live.conftest import free_port


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    with open_source("clip") as clip:
        frame = next(iter(clip)).image
    path = tmp_path / "sitter.png"
    cv2.imwrite(str(path), frame)
    return path


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[str]]]:
    """What a service manager was told so far."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        receiver.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        told: list[str] = []

        def so_far() -> list[str]:
            with suppress(BlockingIOError):
                while True:
                    told.extend(receiver.recv(4096).decode().split("\n"))
            return told

        yield so_far


def session_of(open_: Callable[[], Source]) -> WebcamSession:
    return WebcamSession(
        lambda artifact: Pipeline.load("light", artifact="model.int8.tflite", threads=1, max_faces=1), open_
    )


def camera(picture: Path) -> Source:
    return PacedSource(lambda: open_source(picture), fps=12, repeat=True)


def test_a_lost_camera_is_opened_again(picture: Path, manager: Callable[[], list[str]]) -> None:
    opened = 0

    def open_() -> Source:
        nonlocal opened
        opened += 1
        if opened in (1, 2):
            raise InputError("the camera was unplugged")
        return camera(picture)

    session = session_of(open_)
    supervisor = Supervisor(session, (0.05, 0.05, 0.05))
    session.start()

    async def main() -> None:
        watching = asyncio.ensure_future(supervisor.watch())
        end = time.monotonic() + 120
        while supervisor.health()["status"] != "running":
            assert not watching.done()
            assert time.monotonic() < end
            await asyncio.sleep(0.02)
        watching.cancel()

    asyncio.run(main())
    session.close()
    assert opened == 3
    assert supervisor.health()["restarts"] == 2
    assert supervisor.health()["why"] == "the camera was unplugged"
    said = manager()
    assert said[:2] == ["READY=1", "STATUS=running"]
    assert "STATUS=the camera was unplugged; start 1 of 3 in 0.05 s" in said


class Stopped:
    """A session that has given seven results and ended; started again, it gives the eighth when a test says so."""

    def __init__(self) -> None:
        self.number, self.alive, self.said = 7, False, ""
        self.failure, self.crash = InputError("the camera was unplugged"), None

    def newest(self) -> tuple[int, None]:
        return self.number, None

    def start(self) -> None:
        self.alive = True


def test_the_last_picture_before_a_new_start_is_none_of_it(
    manager: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the manager hears of a program that waits for its camera, however short its patience is."""
    monkeypatch.setenv("WATCHDOG_USEC", "300000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    session = Stopped()
    supervisor = Supervisor(session, (1.0,))

    async def main() -> None:
        watching = asyncio.ensure_future(supervisor.watch())
        assert supervisor.health()["status"] == "restarting"
        while not session.alive:  # noqa: ASYNC110 - the supervisor starts it
            await asyncio.sleep(0.01)
        assert supervisor.health()["status"] == "starting"
        assert manager().count("WATCHDOG=1") >= 8
        session.number += 1
        assert supervisor.health()["status"] == "running"
        watching.cancel()

    asyncio.run(asyncio.wait_for(main(), 60))


@pytest.mark.parametrize("error", [InputError("nothing there"), ZeroDivisionError("a fault of ours")])
def test_one_that_ends_each_time_ends_the_service_with_its_error(
    error: Exception, manager: Callable[[], list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    opened = 0

    def open_() -> Source:
        nonlocal opened
        opened += 1
        raise error

    session = session_of(open_)
    session.start()
    ended = asyncio.run(asyncio.wait_for(Supervisor(session, (0.05, 0.05)).watch(), 60))
    session.close()
    assert ended is error
    assert opened == 3
    assert manager()[-2:] == ["STOPPING=1", f"STATUS={error}"]


def test_a_pipeline_that_hangs_is_not_called_alive(
    picture: Path, manager: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Results come, then none do: the watchdog hears nothing more, and the manager would end the service."""
    monkeypatch.setenv("WATCHDOG_USEC", "1500000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    assert watchdog_interval_s() == 1.5
    session = session_of(lambda: camera(picture))
    session.start()

    async def main() -> tuple[int, int]:
        watching = asyncio.ensure_future(Supervisor(session).watch())
        end = time.monotonic() + 120
        while manager().count("WATCHDOG=1") < 2:
            assert time.monotonic() < end
            await asyncio.sleep(0.05)
        monkeypatch.setattr(session, "newest", lambda: (7, None))
        await asyncio.sleep(2.5)  # longer than the watchdog's interval
        before = manager().count("WATCHDOG=1")
        await asyncio.sleep(1.5)
        after = manager().count("WATCHDOG=1")
        watching.cancel()
        return before, after

    before, after = asyncio.run(main())
    session.close()
    assert before == after


def test_without_a_service_manager_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    assert not notify(READY="1")
    assert watchdog_interval_s() is None
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere/at/all")
    assert not notify(READY="1")
    monkeypatch.setenv("WATCHDOG_USEC", "1000000")
    monkeypatch.setenv("WATCHDOG_PID", "1")
    assert watchdog_interval_s() is None, "another process of the service is watched"


def test_the_program_tells_its_health_without_a_token_and_ends_on_sigterm(
    manager: Callable[[], list[str]],
) -> None:
    port = free_port()
    command = [
        sys.executable,
        "-c",
        "import sys; from edgeau_apps.live.command import main; sys.exit(main())",
    ]
    options = [
        "--source",
        "clip",
        "--bundle",
        "light",
        "--serve",
        f"127.0.0.1:{port}",
        "--token",
        "a-long-token-of-ours",
    ]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("http://127.0.0.1:")
            end = time.monotonic() + 120
            while (answer := ask(port))[0] != 200:
                assert answer[1]["status"] == "starting"
                assert time.monotonic() < end
                time.sleep(0.1)
            assert answer[1]["status"] == "running"
            assert answer[1]["result_age_s"] < 60
            assert "READY=1" in manager()
            with pytest.raises(urllib.error.HTTPError, match="401"):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/about", timeout=20)
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 143
            assert "STOPPING=1" in manager()
        finally:
            process.kill()


def ask(port: int) -> tuple[int, dict[str, object]]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=20) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_the_unit_of_the_page_fits_the_program(root: Path) -> None:
    (text,) = re.findall(
        r"^```ini\n(.*?)^```", (root / "docs" / "webcam.md").read_text(), re.MULTILINE | re.DOTALL
    )
    unit = configparser.ConfigParser()
    unit.read_string(text)
    assert unit["Service"]["Type"] == "notify"
    assert unit["Service"].getint("WatchdogSec") > 10
    program, *options = shlex.split(unit["Service"]["ExecStart"])
    assert Path(program).name == "edgeau-live"
    assert _parser().parse_args(options).serve
