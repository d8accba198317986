"""The handlers of the page, in front of a session that does nothing: what viewers send, and what becomes of their sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType
from aiohttp.test_utils import TestServer

from edgeau._system.door import Door
from edgeau.errors import InputError
from edgeau.sources import Source
from edgeau_apps.live.serve import server
from edgeau_apps.live.serve.server import make_app
from edgeau_apps.live.serve.supervisor import Supervisor

PICTURE = cv2.imencode(".jpg", np.zeros((48, 64, 3), np.uint8))[1].tobytes()


class Session:
    """Has one view, and notes what is asked of it."""

    alive = True
    said = ""

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.loads = self.most_loads = 0

    def start(self) -> None:
        pass

    def newest(self) -> tuple[int, object]:
        return 1, self

    def wait(self, seen: int, timeout: float) -> tuple[int, object]:
        time.sleep(0.01)
        return 1, self if seen != 1 else None

    def use_source(self, open_: Callable[[], Source] | None) -> None:
        self.asked.append(open_)

    def use_artifact(self, name: str) -> None:
        self.loads += 1
        self.most_loads = max(self.most_loads, self.loads)
        time.sleep(0.05)
        self.loads -= 1
        if name == "none":
            raise InputError("there is no artifact 'none'")

    def calibrate(self) -> None:
        raise KeyError("a fault of ours")


class Page:
    """A served page, seen by a viewer."""

    def __init__(self, session: Session, site: SimpleNamespace, client: ClientSession, url: str) -> None:
        self.session, self.site, self._client, self._url = session, site, client, url
        self._own = {"Origin": url.rstrip("/")}

    def socket(self, path: str) -> Awaitable[ClientWebSocketResponse]:
        return self._client.ws_connect(self._url + path, headers=self._own)

    async def post(self, body: bytes, content_type: str = "application/json") -> int:
        headers = {**self._own, "Content-Type": content_type}
        async with self._client.post(self._url + "do", data=body, headers=headers) as response:
            return response.status


def serving(visit: Callable[[Page], Awaitable[None]]) -> None:
    async def main() -> None:
        session = Session()
        app = make_app(session, None, Door(), token=None, video=False, supervisor=Supervisor(session))
        site = app.on_shutdown[-1].__self__
        async with TestServer(app) as running, ClientSession() as client:
            await asyncio.wait_for(visit(Page(session, site, client, str(running.make_url("/")))), 60)

    asyncio.run(main())


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - what is waited for belongs to the server
        await asyncio.sleep(0.01)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Views that a message was made of."""
    seen: list[object] = []
    monkeypatch.setattr(server, "numbers", lambda session, view: seen.append(view) or "{}")
    return seen


def test_a_refused_socket_is_forgotten_like_any_other(
    monkeypatch: pytest.MonkeyPatch, made: list[object]
) -> None:
    monkeypatch.setattr(server, "_MOST_VIEWERS", 0)

    async def visit(page: Page) -> None:
        async with await page.socket("camera"):
            await until(lambda: len(page.site._sockets) == 1)
            for path in ("camera", "numbers"):
                async with await page.socket(path) as refused:
                    assert (await refused.receive()).type is WSMsgType.CLOSE
                    assert refused.close_code == 1013
            await until(lambda: len(page.site._sockets) == 1)
        await until(lambda: not page.site._sockets)

    serving(visit)


def test_a_viewers_camera_that_falls_silent_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_SILENCE_S", 0.3)

    async def visit(page: Page) -> None:
        async with await page.socket("camera") as socket:
            await socket.send_bytes(PICTURE)
            message = await socket.receive()
            assert (socket.close_code, message.extra) == (1008, "no picture came for 0.3 s")
        await until(lambda: len(page.session.asked) == 2)
        opened, back = page.session.asked
        assert back is None
        assert list(opened()) == [], "the viewer has gone"
        async with await page.socket("camera") as socket:  # and somebody else's may come
            await socket.send_bytes(PICTURE)
            await until(lambda: len(page.session.asked) == 3)

    serving(visit)


def test_numbers_that_cannot_be_made_close_the_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(session: object, view: object) -> str:
        raise ValueError("Out of range float values are not JSON compliant")

    monkeypatch.setattr(server, "numbers", fail)

    async def visit(page: Page) -> None:
        async with await page.socket("numbers") as socket:
            message = await socket.receive()
            assert (socket.close_code, message.extra) == (1011, "a fault of edgeau")

    serving(visit)


def test_numbers_are_sent_until_the_viewer_goes(made: list[object]) -> None:
    async def visit(page: Page) -> None:
        async with await page.socket("numbers") as socket:
            assert await socket.receive_str() == "{}"
        await until(lambda: page.site._listeners == 0)
        assert made == [page.session]

    serving(visit)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"do": ' + b"[" * 2000, "application/json"),
        (b"[" * 1000 + b"]" * 1000, "application/json"),
        (b"{", "application/json; charset=no-such-one"),
        (b'{"do": "record", "on": 1}', "application/json"),
    ],
)
def test_what_is_no_command_is_refused(body: bytes, content_type: str) -> None:
    async def visit(page: Page) -> None:
        assert await page.post(body, content_type) == 400

    serving(visit)


def test_a_fault_of_ours_is_not_called_a_wrong_command(caplog: pytest.LogCaptureFixture) -> None:
    async def visit(page: Page) -> None:
        assert await page.post(b'{"do": "calibrate"}') == 500
        assert await page.post(b'{"do": "artifact", "file": "none"}') == 409

    serving(visit)
    assert "a fault of ours" in caplog.text


def test_artifacts_are_loaded_one_after_the_other_and_hold_one_thread() -> None:
    async def visit(page: Page) -> None:
        statuses = await asyncio.gather(*(page.post(b'{"do": "artifact", "file": "a"}') for _ in range(8)))
        assert set(statuses) == {200}
        assert page.session.most_loads == 1

    serving(visit)
