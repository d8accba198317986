"""``edgeau-live --static``: the files of a site, and no other."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from edgeau.bundle.signature import Signer, sign_bundle
from edgeau_apps.live.command import main
from tests.apps.live.conftest import free_port

_CODE = (
    "import sys; from pathlib import Path; from edgeau_apps.live.serve.static_site import serve_site; "
    "serve_site(Path(sys.argv[1]), sys.argv[2], out=sys.stdout, patience_s=2.0)"
)


def site_folder(folder: Path) -> Path:
    """A folder with the names that a site has."""
    folder.mkdir()
    for name in ("manifest.json", "index.html", "sw.js", "worker.js"):
        (folder / name).write_text(f"this is {name}")
    (folder / "litert").mkdir()
    (folder / "litert" / "a.wasm").write_bytes(bytes(range(256)) * 40_000)
    (folder / ".hidden").write_text("a secret")
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("static")
    folder = site_folder(home / "site")
    (home / "secret.txt").write_text("a secret")
    (folder / "out.txt").symlink_to(home / "secret.txt")
    return folder


@pytest.fixture(scope="module")
def port(place: Path):
    number = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", _CODE, str(place), f"127.0.0.1:{number}"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == f"http://127.0.0.1:{number}/\n"
    yield number
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 143
    process.stdout.close()


def ask(
    port: int, path: str, method: str = "GET", **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response.status, response.headers, response.read()


def test_files_come_with_their_kinds_and_strict_headers(port: int, place: Path) -> None:
    status, headers, content = ask(port, "/")
    assert (status, content) == (200, b"this is index.html")
    assert headers["Content-Type"] == "text/html"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    status, headers, content = ask(port, "/litert/a.wasm")
    assert content == (place / "litert" / "a.wasm").read_bytes()
    assert headers["Content-Type"] == "application/wasm"
    assert "'wasm-unsafe-eval'" in headers["Content-Security-Policy"]
    assert ask(port, "/sw.js")[1]["Content-Type"] == "text/javascript"
    assert ask(port, "/litert/a.wasm", Range="bytes=1-2")[2] == b"\x01\x02"
    assert ask(port, "/", "HEAD")[2] == b""


def test_what_was_not_changed_is_not_sent_again_and_what_was_is(port: int, place: Path) -> None:
    tag = ask(port, "/sw.js")[1]["ETag"]
    assert ask(port, "/sw.js", **{"If-None-Match": tag})[0] == 304
    (place / "sw.js").write_text("another export")
    status, _, content = ask(port, "/sw.js", **{"If-None-Match": tag})
    assert (status, content) == (200, b"another export")


@pytest.mark.parametrize(
    "path",
    ["/../secret.txt", "/%2e%2e/secret.txt", "//etc/passwd", "/%2fetc%2fpasswd", "/out.txt", "/.hidden", "/litert", "/litert/",
     "/nothing.txt", "/%00", "/sw.js/", "/" + "a" * 5000, "/litert/../../secret.txt"],
)  # fmt: skip
def test_nothing_else_is_there(port: int, path: str) -> None:
    status, headers, content = ask(port, path)
    if path == "/sw.js/":  # one file, however its path is written
        return
    assert status in (400, 404), content
    assert b"secret" not in content
    assert b"root:" not in content
    if status == 404:
        assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_can_be_changed(port: int, method: str) -> None:
    assert ask(port, "/", method, Origin=f"http://127.0.0.1:{port}")[0] == 405
    assert ask(port, "/", method)[0] == 403


def test_foreign_names_are_refused(port: int) -> None:
    assert ask(port, "/", Host="evil.example")[0] == 421


def test_who_takes_nothing_is_let_go_and_keeps_nobody_out(port: int) -> None:
    held = []
    for _ in range(20):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.connect(("127.0.0.1", port))
        one.sendall(f"GET /litert/a.wasm HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        held.append(one)
    assert ask(port, "/")[0] == 200
    time.sleep(4)  # twice as long as a file may take
    for one in held:
        one.settimeout(10)
        with closing(one):
            received = 0
            with suppress(ConnectionError):
                while data := one.recv(1 << 20):
                    received += len(data)
            assert received < 256 * 40_000


def test_what_is_no_site_says_what_it_lacks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "index.html").touch()
    assert main(["--static", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "lacks manifest.json, sw.js, worker.js" in said
    assert "edgeau-export --target web --out" in said
    assert main(["--static", str(tmp_path / "absent")]) == 2
    assert "is not a folder" in capsys.readouterr().err


def test_options_of_the_live_page_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = site_folder(tmp_path / "site")
    assert main(["--static", str(folder), "--source", "clip", "--token", "x", "--no-video"]) == 2
    assert "leave out --source, --token, --no-video" in capsys.readouterr().err
    assert main(["--static", str(folder), "--serve", "nonsense"]) == 2
    assert "HOST:PORT" in capsys.readouterr().err


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    """A private key and its public one."""
    key, private, public = ec.generate_private_key(ec.SECP256R1()), tmp_path / "key", tmp_path / "key.pub"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


@pytest.mark.parametrize("by_option", [True, False])
def test_a_required_signature_is_asked_of_a_site_too(
    tmp_path: Path,
    keys: tuple[Path, Path],
    by_option: bool,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = site_folder(tmp_path / "site")
    # An address that cannot be one: what is not refused before goes no further.
    command = ["--static", str(folder), "--serve", "nonsense"]
    if by_option:
        command += ["--trust", str(keys[1])]
    else:
        monkeypatch.setenv("EDGEAU_TRUST", str(keys[1]))
    assert main(command) == 2
    assert "is not signed" in capsys.readouterr().err
    sign_bundle(folder, Signer(keys[0]))
    assert main(command) == 2
    assert "HOST:PORT" in capsys.readouterr().err
    (folder / "worker.js").write_text("something else")
    assert main(command) == 2
    assert "worker.js" in capsys.readouterr().err


def test_what_was_verified_is_what_is_served(tmp_path: Path, keys: tuple[Path, Path]) -> None:
    folder = site_folder(tmp_path / "site")
    sign_bundle(folder, Signer(keys[0]))
    number = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", _CODE, str(folder), f"127.0.0.1:{number}"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "EDGEAU_TRUST": str(keys[1]), "XDG_CACHE_HOME": str(tmp_path / "cache")},
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        (folder / "worker.js").write_text("something else")
        assert ask(number, "/worker.js")[2] == b"this is worker.js"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        process.stdout.close()
