"""A real cluster, from outside by its client server, and from inside as a job that was submitted to it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from edgeau_apps.analyze.command import main

pytestmark = pytest.mark.slow
pytest.importorskip("ray", reason="ray is not installed")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Cluster:
    """One node with client server, dashboard and job server, in processes of its own."""

    def __init__(self, folder: Path) -> None:
        self.head, self.client, self.jobs = free_port(), free_port(), free_port()
        self.ray = str(Path(sys.executable).with_name("ray"))
        self.log = (folder / "ray.log").open("w+")
        command = [
            self.ray,
            "start",
            "--head",
            "--block",
            "--disable-usage-stats",
            "--num-cpus",
            "1",
            "--object-store-memory",
            "100000000",
        ]
        command += [
            "--port",
            str(self.head),
            "--ray-client-server-port",
            str(self.client),
            "--dashboard-port",
            str(self.jobs),
        ]
        command += [
            "--include-dashboard",
            "true",
            "--node-ip-address",
            "127.0.0.1",
            "--temp-dir",
            str(folder / "r"),
        ]
        self.process = subprocess.Popen(
            command,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        for port in (self.client, self.jobs):
            self.wait_for(port)

    def wait_for(self, port: int) -> None:
        end = time.monotonic() + 120
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:  # noqa: PERF203 - it is waited for
                assert self.process.poll() is None, Path(self.log.name).read_text()
                assert time.monotonic() < end, Path(self.log.name).read_text()
                time.sleep(0.5)
            else:
                return

    def close(self) -> None:
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(30)
        self.log.close()


@pytest.fixture(scope="module")
def cluster():
    folder = Path("/tmp") / f"edgeau-ray-{os.getpid()}"  # names of Unix sockets are short
    folder.mkdir()
    one = Cluster(folder)
    yield one
    one.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    face = skimage.data.astronaut()[:, :, ::-1]
    for number in range(3):
        cv2.imwrite(str(folder / f"face{number}.png"), np.ascontiguousarray(face[4 * number :]))
    return folder


@pytest.fixture(scope="module")
def alone(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("alone")
    assert main([str(pictures), "--out", str(out), "--threads", "1", "--bundle", "light"]) == 0
    return tables(out)


def tables(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_a_client_outside_of_the_cluster(
    cluster: Cluster, pictures: Path, alone: dict[str, bytes], tmp_path: Path
) -> None:
    address = f"ray://127.0.0.1:{cluster.client}"
    assert (
        main([str(pictures), "--out", str(tmp_path), "--threads", "1", "--bundle", "light", "--ray", address])
        == 0
    )
    assert tables(tmp_path) == alone


def test_a_job_that_was_submitted(
    cluster: Cluster, pictures: Path, alone: dict[str, bytes], tmp_path: Path
) -> None:
    code = "import sys; from edgeau_apps.analyze.command import main; sys.exit(main())"
    command = [
        cluster.ray,
        "job",
        "submit",
        "--address",
        f"http://127.0.0.1:{cluster.jobs}",
        "--",
        sys.executable,
        "-c",
        code,
    ]
    command += [str(pictures), "--out", str(tmp_path), "--threads", "1", "--bundle", "light", "--ray", "auto"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert tables(tmp_path) == alone


def test_no_client_server_is_one_line(
    tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(pictures), "--out", str(tmp_path), "--ray", f"ray://127.0.0.1:{free_port()}"]) == 2
    assert "there is no Ray cluster at 'ray://127.0.0.1:" in capsys.readouterr().err
