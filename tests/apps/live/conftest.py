import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import contextmanager

import pytest

from tests.chromium import CHROMIUM, FLAGS

CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]

_START_S = 180  # on a machine that has more to do than processors


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Server:
    """A running edgeau-live --serve.

    What it says on stderr goes to a file: nobody reads a pipe while it runs, and a full one would stop it.
    """

    def __init__(self, *options, port=None, files=None):
        self.files = files
        self.port = port or free_port()
        self.options = options
        self.url = f"http://127.0.0.1:{self.port}/"
        self.said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - close() closes it
        self.start()

    def start(self):
        limit = (
            ""
            if self.files is None
            else f"import resource as r; r.setrlimit(r.RLIMIT_NOFILE, ({self.files},) * 2); "
        )
        code = f"{limit}import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); from edgeau_apps.live.command import main; sys.exit(main())"
        command = [sys.executable, "-c", code, "--source", "clip", "--serve", f"127.0.0.1:{self.port}"]
        self.process = subprocess.Popen(
            [*command, *self.options],
            stdout=subprocess.PIPE,
            stderr=self.said,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        overdue = threading.Timer(_START_S, self.process.kill)
        overdue.start()
        line = self.process.stdout.readline()
        overdue.cancel()
        assert re.match(r"http://127\.0\.0\.1:\d+/", line), line + self._errors()

    def close(self):
        self.process.kill()
        self.process.wait(20)
        self.process.stdout.close()
        self.said.close()

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        started = time.monotonic()
        self.process.wait(20)
        self.process.stdout.close()
        return time.monotonic() - started

    def _errors(self):
        self.process.kill()
        self.process.wait(20)
        self.said.seek(0)
        return f"no address: {self.said.read()}"

    def get(self, path="", headers=()):
        request = urllib.request.Request(self.url + path, headers=dict(headers))
        return urllib.request.urlopen(request, timeout=20)


@contextmanager
def serving(*options, files=None):
    """A server; with ``files`` it may open no more files and sockets than so many."""
    server = Server(*options, files=files)
    try:
        yield server
    finally:
        server.close()


@pytest.fixture(scope="module")
def server():
    with serving() as one:
        yield one


@pytest.fixture(
    scope="module"
)  # Playwright's event loop runs as long, and a test of another file may want its own
def browser():
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *CAMERA])
        yield one
        one.close()


@pytest.fixture
def own_server():
    """A server for one test, which may stop it."""
    with serving() as one:
        yield one


@pytest.fixture(scope="session")
def serve():
    """Starts servers with options."""
    return serving
