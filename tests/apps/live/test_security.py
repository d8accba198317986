"""Who is refused, and that nobody slows the others."""

import asyncio
import http.client
import json
import socket
import time

import aiohttp
import cv2
import numpy as np
import psutil
import pytest


def ask(server, path="/", method="GET", headers=(), body=None):
    """Status and headers of a request whose headers are exactly these."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    given = {"Host": f"127.0.0.1:{server.port}", **dict(headers)}
    if body is not None:
        given["Content-Length"] = str(len(body))
    for name, value in given.items():
        if value is not None:
            connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    found = response.status, dict(response.getheaders())
    connection.close()
    return found


def own(server, **more):
    return {"Origin": f"http://127.0.0.1:{server.port}", "Content-Type": "application/json", **more}


def test_the_page_is_served_with_strict_headers(server):
    status, headers = ask(server)
    assert status == 200
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "localhost.evil.example", ""])
def test_foreign_hosts_are_refused(server, host):
    assert 400 <= ask(server, headers={"Host": host})[0] < 500


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_foreign_origins_are_refused(server, origin):
    assert ask(server, "/about", headers={"Origin": origin})[0] == 403
    assert ask(server, "/do", "POST", own(server, Origin=origin), b'{"do": "calibrate"}')[0] == 403


def test_changes_and_sockets_need_an_origin(server):
    assert ask(server, "/do", "POST", {"Content-Type": "application/json"}, b"{}")[0] == 403
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    assert ask(server, "/numbers", headers=upgrade)[0] == 403
    assert ask(server, "/camera", headers={**upgrade, "Origin": "http://evil.example"})[0] == 403


@pytest.mark.parametrize(
    "path", ["/../pyproject.toml", "/%2e%2e/%2e%2e/etc/passwd", "/page/app.js", "/app.js/", "//etc/passwd"]
)
def test_paths_lead_nowhere_else(server, path):
    assert ask(server, path)[0] in (400, 404)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"do": "rm"}',
        b'{"do": "record", "on": "yes"}',
        b"\xff\xfe",
        b'{"do": ' + b"[" * 500,
    ],
)
def test_malformed_commands(server, body):
    time.sleep(0.3)  # below the limit of changes
    assert ask(server, "/do", "POST", own(server), body)[0] == 400


def test_an_artifact_that_is_not_there(server):
    assert (
        ask(server, "/do", "POST", own(server), json.dumps({"do": "artifact", "file": "../x"}).encode())[0]
        == 409
    )


def test_a_large_command_is_refused(server):
    assert ask(server, "/do", "POST", own(server), b"x" * 100_000)[0] in (400, 413)


def test_many_changes_are_slowed_down(serve):
    with serve() as server:
        statuses = [ask(server, "/do", "POST", own(server), b"{}")[0] for _ in range(40)]
    assert statuses.count(429) >= 10


def test_a_token_is_needed_where_one_was_given(serve):
    with serve("--token", "secret") as server:
        assert ask(server)[0] == 401
        assert ask(server, "/?token=wrong")[0] == 401
        assert ask(server, "/about", headers={"Cookie": "edgeau-token=wrong"})[0] == 401
        status, headers = ask(server, "/?token=secret")
        assert status == 303
        assert "HttpOnly" in headers["Set-Cookie"]
        assert "SameSite=Strict" in headers["Set-Cookie"]
        assert ask(server, headers={"Cookie": "edgeau-token=secret"})[0] == 200


def test_no_video_means_none(serve):
    with serve("--no-video") as server:
        assert ask(server, "/video")[0] == 404
        assert ask(server, "/about")[0] == 200


def test_bad_camera_frames_close_that_socket_alone(server):
    async def send(content):
        url = f"http://127.0.0.1:{server.port}/camera"
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(url, origin=f"http://127.0.0.1:{server.port}") as socket_,
        ):
            if isinstance(content, bytes):
                await socket_.send_bytes(content)
            else:
                await socket_.send_str(content)
            message = await socket_.receive(timeout=20)
            return message.type, socket_.close_code

    huge = b"\xff\xd8\xff\xc0\x00\x11\x08" + (60000).to_bytes(2, "big") * 2 + b"\x03" * 20
    long = cv2.imencode(".jpg", np.zeros((8, 33000, 3), np.uint8))[1].tobytes()
    for content in (b"no jpeg", b"\xff\xd8\xff", huge, long, b"\xff\xd8" + b"\x00" * 700_000, "text"):
        kind, code = asyncio.run(send(content))
        assert kind in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING), (
            content[:8]
        )
        assert code in (1003, 1006, 1007, 1009)
    assert ask(server, "/about")[0] == 200


async def _rate(server, seconds):
    """Messages a second of one good listener."""
    url = f"http://127.0.0.1:{server.port}/numbers"
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url, origin=f"http://127.0.0.1:{server.port}") as socket_,
    ):
        await socket_.receive_str(timeout=60)
        end, count = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            await socket_.receive_str(timeout=20)
            count += 1
        return count / seconds


def _silent(server, path):
    """A client that asks and never reads."""
    one = socket.create_connection(("127.0.0.1", server.port))
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    one.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
    return one


def test_two_hundred_slow_clients_do_not_slow_the_others(own_server):
    process = psutil.Process(own_server.process.pid)
    before = asyncio.run(_rate(own_server, 4))
    resident = process.memory_info().rss
    slow = [_silent(own_server, "/video") for _ in range(200)]
    try:
        after = asyncio.run(_rate(own_server, 6))
        grown = process.memory_info().rss - resident
    finally:
        for one in slow:
            one.close()
    assert after > 0.5 * before
    assert grown < 150e6
    assert own_server.process.poll() is None


def test_it_ends_within_seconds(own_server):
    asyncio.run(_rate(own_server, 1))
    took = own_server.stop()
    assert took < 5
    assert own_server.process.returncode == 130


def test_half_open_sockets_and_wrong_tokens_keep_nobody_out(serve):
    with serve("--token", "the-right-one", files=256) as server:
        right = {"Cookie": "edgeau-token=the-right-one"}
        held = []
        for _ in range(400):
            one = socket.create_connection(("127.0.0.1", server.port), timeout=5)
            one.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
            held.append(one)
        wrong = [ask(server, headers={"Cookie": "edgeau-token=wrong"})[0] for _ in range(60)]
        assert set(wrong) == {401, 429}
        assert wrong[0] == 401
        assert ask(server, headers=right)[0] == 200
        for one in held:
            one.close()
        assert ask(server, headers=right)[0] == 200
        server.said.seek(0)
        assert len(server.said.read()) < 10_000
