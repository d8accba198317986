"""The page over TLS, with a certificate of its own and a given one; its metrics; and connections that never shake hands."""

from __future__ import annotations

import http.client
import os
import re
import socket
import ssl
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from edgeau.errors import UsageError
from edgeau.live import LiveCounters
from edgeau_apps.live.command import _parser
from edgeau_apps.live.serve.certificate import given_certificate, own_certificate
from edgeau_apps.live.serve.metrics import metrics
from edgeau_apps.live.serve.server import serve as serve_page

TOKEN = "0123456789abcdef0123456789abcdef"


class Encrypted:
    """edgeau-live --serve --tls, and what it said."""

    def __init__(self, folder: Path, *options: str) -> None:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        self.said = (folder / "said").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-c", "import sys; from edgeau_apps.live.command import main; sys.exit(main())", "--source", "clip", "--bundle", "light", "--serve",
             f"127.0.0.1:{self.port}", *options],
            stdout=subprocess.PIPE,
            stderr=self.said,
            text=True,
            env={**os.environ, "XDG_STATE_HOME": str(folder / "state"), "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        self.url = self.process.stdout.readline().strip() if self.process.stdout else ""

    def ask(
        self, path: str, context: ssl.SSLContext, **headers: str
    ) -> tuple[int, str, http.client.HTTPMessage]:
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=context)
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        found = response.status, response.read(100_000).decode("utf-8", "replace"), response.headers
        connection.close()
        return found

    def close(self) -> None:
        self.process.kill()
        self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.said.close()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory):
    one = Encrypted(tmp_path_factory.mktemp("own"), "--tls", "--metrics", "--token", TOKEN)
    yield one
    one.close()


def trusting(folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(folder))


@pytest.fixture(scope="module")
def own(page: Encrypted) -> ssl.SSLContext:
    """A browser that was told to trust this certificate: name and dates are checked as ever."""
    return trusting(Path(page.said.name).parent / "state" / "edgeau" / "page.pem")


def test_the_page_is_encrypted_with_the_machines_own_certificate(
    page: Encrypted, own: ssl.SSLContext
) -> None:
    assert page.url == f"https://127.0.0.1:{page.port}/?token={TOKEN}"
    status, _, headers = page.ask(f"/?token={TOKEN}", own)
    assert status == 303
    assert "Secure" in headers["Set-Cookie"]
    status, text, _ = page.ask("/", own, Authorization=f"Bearer {TOKEN}")
    assert status == 200
    assert "<html" in text
    page.said.seek(0)
    (shown,) = re.findall(r"SHA-256 ([0-9A-F:]{95})", page.said.read())
    with (
        socket.create_connection(("127.0.0.1", page.port)) as raw,
        own.wrap_socket(raw, server_hostname="localhost") as one,
    ):
        import hashlib

        assert (
            hashlib.sha256(one.getpeercert(binary_form=True) or b"").hexdigest()
            == shown.replace(":", "").lower()
        )
        assert one.version() in ("TLSv1.2", "TLSv1.3")
    key = Path(page.said.name).parent / "state" / "edgeau" / "page.pem"
    assert key.stat().st_mode & 0o077 == 0


def test_strangers_and_old_protocols_are_refused(page: Encrypted, own: ssl.SSLContext) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        page.ask("/", ssl.create_default_context())
    assert page.ask("/", own)[0] == 401
    with socket.create_connection(("127.0.0.1", page.port), timeout=20) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with suppress(ConnectionResetError):
            assert b"200" not in plain.recv(1000)


def test_metrics_are_prometheus_text_behind_the_token(page: Encrypted, own: ssl.SSLContext) -> None:
    assert page.ask("/metrics", own)[0] == 401
    end = time.monotonic() + 60
    while True:
        status, text, headers = page.ask("/metrics", own, Authorization=f"Bearer {TOKEN}")
        assert status == 200
        processed = re.search(r"^edgeau_frames_processed_total (\d+)$", text, re.MULTILINE)
        if processed and int(processed[1]) > 3:
            break
        assert time.monotonic() < end, text
        time.sleep(0.3)
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'edgeau_state{state="running"} 1' in text
    line = r"(# (HELP|TYPE) \w+ .+|\w+(\{\w+=\"\w+\"\})? [-+.\de]+)"
    assert [one for one in text.splitlines() if not re.fullmatch(line, one)] == []


def test_handshakes_that_never_end_keep_nobody_out(page: Encrypted, own: ssl.SSLContext) -> None:
    held = []
    try:
        for number in range(400):
            one = socket.create_connection(("127.0.0.1", page.port), timeout=10)
            if number % 2:
                one.sendall(b"\x16\x03\x01\x02\x00")  # the head of a ClientHello
            held.append(one)
        assert page.ask("/health", own)[0] in (200, 503)
        assert page.process.poll() is None
    finally:
        for one in held:
            one.close()
    page.said.seek(0)
    assert len(page.said.read()) < 5000


def test_without_being_asked_there_are_no_metrics(server) -> None:
    with pytest.raises(OSError, match="404"):
        server.get("metrics")


def test_a_certificate_is_kept_and_made_anew_for_another_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    _, first = own_certificate("127.0.0.1")
    assert own_certificate("127.0.0.1")[1] == first
    assert own_certificate("192.0.2.7")[1] != first
    (tmp_path / "edgeau" / "page.pem").write_text("damaged")
    assert own_certificate("192.0.2.7")[1] != first


def test_a_kept_certificate_without_its_key_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    file = tmp_path / "edgeau" / "page.pem"
    begin = "-----BEGIN PRIVATE"
    _, first = own_certificate("127.0.0.1")
    certificate, _, key = file.read_text().partition(begin)
    file.write_text(certificate)
    _, second = own_certificate("127.0.0.1")
    assert second != first
    file.write_text(file.read_text().partition(begin)[0] + begin + key)  # another one's key
    assert own_certificate("127.0.0.1")[1] not in (first, second)


def test_a_given_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    own_certificate("127.0.0.1")
    file = tmp_path / "edgeau" / "page.pem"
    assert given_certificate(file, None)
    assert given_certificate(file, file)
    certificate = file.read_text().split("-----BEGIN PRIVATE")[0]
    (tmp_path / "alone.pem").write_text(certificate)
    for wrong in (
        (tmp_path / "alone.pem", None),
        (tmp_path / "alone.pem", tmp_path / "alone.pem"),
        (tmp_path / "no.pem", None),
    ):
        with pytest.raises(UsageError, match="--tls"):
            given_certificate(*wrong)


def test_a_short_token_is_refused_where_others_could_guess_it() -> None:
    with pytest.raises(UsageError, match="22 or more"):
        serve_page(None, None, "0.0.0.0:1", token="secret", video=True, out=sys.stdout)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="is empty"):
        serve_page(None, None, "127.0.0.1:1", token="", video=True, out=sys.stdout)  # type: ignore[arg-type]


def test_the_options_are_of_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    from edgeau_apps.live.command import main

    for option in (["--tls"], ["--metrics"], ["--no-video"], ["--token", TOKEN]):
        assert main(["--source", "clip", *option, "--sink", "-"]) == 2
        assert f"{option[0]}: the page alone has that; give --serve too" in capsys.readouterr().err
    assert main(["--source", "clip", "--serve", "--tls-key", "page.key"]) == 2
    assert "give that with --tls CERTIFICATE" in capsys.readouterr().err
    assert _parser().parse_args(["--serve", "--tls"]).tls == ""


def test_a_counter_of_months_is_not_rounded() -> None:
    counters = LiveCounters(captured=98_765_432_101, dropped={"busy": 12_345_678_901})
    health = {"status": "running", "restarts": 0, "result_age_s": 0.1}
    text = metrics(SimpleNamespace(counters=lambda: counters), health, 1)  # type: ignore[arg-type]
    assert "edgeau_frames_captured_total 98765432101\n" in text
    assert 'edgeau_frames_dropped_total{reason="busy"} 12345678901\n' in text


def test_metrics_before_the_first_frame() -> None:
    class Session:
        def counters(self) -> None:
            return None

    text = metrics(Session(), {"status": "starting", "restarts": 0, "result_age_s": None}, 1)  # type: ignore[arg-type]
    assert "edgeau_result_age_seconds" not in text
    assert "edgeau_frames_captured_total 0" in text
