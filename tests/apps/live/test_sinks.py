"""edgeau-live gives its results to sinks, with a screen or without."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edgeau_apps.live.command import main

COMMAND = [sys.executable, "-m", "edgeau", "live", "--source", "clip", "--threads", "1", "--max-faces", "1"]


@contextmanager
def running(*options: str) -> Iterator[subprocess.Popen[str]]:
    environment = {
        name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")
    }
    with subprocess.Popen(
        [*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_without_a_screen_results_go_to_every_sink_and_nothing_is_served(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(120)
        table = tmp_path / "live.jsonl"
        udp = f"udp://127.0.0.1:{receiver.getsockname()[1]}"
        with running("--sink", udp, "--sink", str(table), "--sink", "-") as process:
            heard = [json.loads(receiver.recv(65536)) for _ in range(3)]
            lines = [json.loads(process.stdout.readline()) for _ in range(4)]
            process.send_signal(signal.SIGINT)
            rest, said = (
                process.stdout.read(),
                process.stderr.read(),
            )  # the last lines are few: neither pipe can be full
            process.wait(60)
    assert [frame["index"] for frame in heard] == sorted(frame["index"] for frame in heard)
    assert {"AU12", "AU25"} <= set(heard[-1]["faces"][0]["aus"])
    assert any("faces" in line for line in lines)
    assert all(json.loads(line) for line in rest.splitlines())  # stdout has nothing but JSON lines
    assert process.returncode == 130
    assert f"there is no display; results go to {udp}" in said
    written = [json.loads(line) for line in table.read_text().splitlines()]
    assert sum("faces" in line for line in written) >= 3


@pytest.mark.parametrize(
    ("sink", "words"), [("table.xls", "they can go to a file"), ("mqtt://host", "TOPIC"), ("--", "--sink")]
)
def test_a_sink_that_is_none_is_one_line(sink, words, capsys) -> None:
    assert main(["--source", "clip", "--serve", "--sink", sink]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
