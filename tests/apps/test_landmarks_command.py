"""``edgeau-landmarks --fetch`` over a real HTTP connection to a server on this machine, as a program of its own."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from edgeau.faces.landmarks.mediapipe_models import DETECTOR, REFINED_MESH, installed_models
from edgeau.faces.landmarks.official_task import SHA256, URL
from edgeau_apps.landmarks import main

Fetch = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def content(shared_data: Path) -> bytes:
    file = shared_data / "face_landmarker.task"
    if not file.is_file():
        pytest.skip("needs Google's face_landmarker.task in ../shared/data")
    return file.read_bytes()


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    """Answers each path with what ``answers`` has: bytes, and how many of them are sent before the connection is closed."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            if self.path not in answers:
                self.send_error(404)
                return
            whole, sent = answers[self.path]
            self.send_response(200)
            self.send_header("Content-Length", str(len(whole)))
            self.end_headers()
            self.wfile.write(whole[:sent])

        def log_message(self, *_: object) -> None:
            pass

    answers: dict[str, tuple[bytes, int]] = {}
    asked: list[str] = []
    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.answers, running.asked = answers, asked  # type: ignore[attr-defined]
    Thread(target=running.serve_forever, daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()


@pytest.fixture
def fetch(tmp_path: Path) -> Fetch:
    """Runs the command with an empty cache; further words stand before the program."""
    environment = {
        **{name: value for name, value in os.environ.items() if name != "EDGEAU_LANDMARK_MODELS"},
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "NO_PROXY": "127.0.0.1",
    }

    def run(url: str, *before: str) -> subprocess.CompletedProcess[str]:
        command = [*before, sys.executable, "-m", "edgeau_apps.landmarks", "--fetch", "--json", "--url", url]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    return run


def address(server: ThreadingHTTPServer, path: str) -> str:
    return f"http://127.0.0.1:{server.server_port}{path}"


def kept(folder: Path) -> list[Path]:
    return [file for file in (folder / "cache").rglob("*") if file.is_file()]


def test_the_official_file_is_fetched_once_checked_and_named(
    server: ThreadingHTTPServer, content: bytes, fetch: Fetch, tmp_path: Path
) -> None:
    server.answers["/face_landmarker.task"] = (content, len(content))
    for _ in range(2):
        done = fetch(address(server, "/face_landmarker.task"))
        assert done.returncode == 0, done.stderr
        (cache,) = (place for place in json.loads(done.stdout)["places"] if place["where"] == "cache")
        assert (cache["points"], cache["fault"]) == (478, "")
        assert "Apache-2.0" in cache["licence"]
        assert SHA256 in cache["source"]
        assert set(cache["sha256"]) == {"face_detector.tflite", "face_landmarks_detector.tflite"}
    (file,) = kept(tmp_path)
    assert hashlib.sha256(file.read_bytes()).hexdigest() == SHA256
    assert server.asked == ["/face_landmarker.task"], "the second time it was there"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/other", "answered with other bytes than Google's file"),
        ("/longer", "answered with other bytes than Google's file"),
        ("/half", "broke off after 1000000 of 3758596 bytes"),
        ("/silent", "broke off after 0 of 3758596 bytes"),
        ("/absent", "cannot be fetched (Not Found)"),
    ],
)
def test_what_is_not_that_file_is_one_line_and_leaves_nothing(
    server: ThreadingHTTPServer, content: bytes, fetch: Fetch, tmp_path: Path, path: str, said: str
) -> None:
    server.answers |= {
        "/other": (content[:-1] + b"x", len(content)),
        "/longer": (content + b"x", len(content) + 1),
        "/half": (content, 1_000_000),
        "/silent": (content, 0),
    }
    done = fetch(address(server, path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("edgeau-landmarks: ")
    assert (said in done.stderr, done.stderr.count("\n")) == (True, 1), done.stderr
    assert kept(tmp_path) == []


def test_a_damaged_copy_in_the_cache_is_fetched_again(
    server: ThreadingHTTPServer, content: bytes, fetch: Fetch, tmp_path: Path
) -> None:
    server.answers["/task"] = (content, len(content))
    place = tmp_path / "cache" / "edgeau" / "landmarks" / "face_landmarker.task"
    place.parent.mkdir(parents=True)
    place.write_bytes(content[:1000])
    assert fetch(address(server, "/task")).returncode == 0
    assert place.read_bytes() == content


@pytest.mark.parametrize("url", [URL, "http://127.0.0.1:9/face_landmarker.task"])
def test_without_a_network_it_is_one_line_that_says_what_else_there_is(
    fetch: Fetch, tmp_path: Path, url: str
) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed: sudo apt install util-linux")
    done = fetch(url, "unshare", "--net", "--map-root-user")
    if "unshare failed" in done.stderr:
        pytest.skip(f"this machine makes no network namespace: {done.stderr.strip()}")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    for piece in (
        "cannot be fetched",
        "copy it here",
        "--landmarks",
        "EDGEAU_LANDMARK_MODELS",
        "--fetch pip",
    ):
        assert piece in done.stderr
    assert kept(tmp_path) == []


@pytest.mark.parametrize("url", ["face_landmarker.task", "nowhere://x/y", ""])
def test_an_address_that_is_none(fetch: Fetch, url: str) -> None:
    done = fetch(url)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr


@pytest.mark.parametrize("words", [[], ["--fetch", "pip"]])
def test_an_address_that_nothing_is_downloaded_from_is_refused(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--url", URL]) == 2
    assert "give --fetch too" in capsys.readouterr().err


def fetch_by_pip(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run it with a folder of wheels as the only package index."""
    environment = {
        **{name: value for name, value in os.environ.items() if name != "EDGEAU_LANDMARK_MODELS"},
        "XDG_CACHE_HOME": str(folder / "cache"),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(folder),
    }
    command = [sys.executable, "-m", "edgeau_apps.landmarks", "--fetch", "pip", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def wheel(folder: Path, networks: dict[str, bytes], *, torn: str = "") -> None:
    """Write a wheel; the packed bytes of ``torn`` begin with a block of no known kind."""
    about = "mediapipe-0.10.21.dist-info"
    entries = {
        f"{about}/METADATA": b"Metadata-Version: 2.1\nName: mediapipe\nVersion: 0.10.21\n",
        f"{about}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp312-cp312-manylinux_2_28_x86_64\n",
        f"{about}/RECORD": b"",
        **networks,
    }
    file = folder / "mediapipe-0.10.21-cp312-cp312-manylinux_2_28_x86_64.whl"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    if torn:
        info = archive.getinfo(torn)
        packed = bytearray(file.read_bytes())
        packed[info.header_offset + len(info.FileHeader())] = 0xFF
        file.write_bytes(packed)


@pytest.fixture
def networks() -> dict[str, bytes]:
    """The two, as they lie in the wheel."""
    package = installed_models()
    if package is None:
        pytest.skip("mediapipe is not installed: pip install 'mediapipe<0.10.22'")
    return {f"mediapipe/{name}": (package / name).read_bytes() for name in (DETECTOR, REFINED_MESH)}


def test_networks_out_of_the_wheel_are_kept_and_the_wheel_is_not(
    networks: dict[str, bytes], tmp_path: Path
) -> None:
    wheel(tmp_path, networks)
    done = fetch_by_pip(tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    (cache,) = (place for place in json.loads(done.stdout)["places"] if place["where"] == "cache")
    assert (cache["points"], cache["source"]) == (478, "the wheel of mediapipe==0.10.21")
    assert sorted(file.name for file in kept(tmp_path)) == sorted(Path(name).name for name in networks)
    next(tmp_path.glob("*.whl")).unlink()
    assert fetch_by_pip(tmp_path).returncode == 0, "the second time they are there"


def test_what_is_not_that_wheel_is_one_line_and_leaves_nothing(
    networks: dict[str, bytes], tmp_path: Path
) -> None:
    for given, said in (
        (None, "pip cannot download mediapipe==0.10.21"),
        ({}, "is not mediapipe's wheel"),
        ({**networks, f"mediapipe/{DETECTOR}": b"x"}, "has other bytes than MediaPipe's"),
        (networks, "is not mediapipe's wheel (Error -3 while decompressing"),
    ):
        if given is not None:
            wheel(tmp_path, given, torn=f"mediapipe/{DETECTOR}" if given is networks else "")
        done = fetch_by_pip(tmp_path)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
        assert said in done.stderr
        assert kept(tmp_path) == []
