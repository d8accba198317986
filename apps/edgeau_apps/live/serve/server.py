"""The server: routes, the page's files, pictures and numbers.

The picture is MJPEG: every browser shows it in an ``<img>``, it needs no package, no handshake and no codec licence, and a
frame is shown when it has come. WebRTC would save bandwidth, and needs a media stack that a small board would have to build.
Each viewer is sent the newest picture when it has taken the one before: a slow one gets fewer, and slows nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import math
import secrets
import socket as sockets
import sys
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from importlib.resources import files
from importlib.util import find_spec
from typing import Any, TextIO
from urllib.parse import quote

import cv2
from aiohttp import WSMsgType, web

from edgeau._system.door import Door
from edgeau.action_units.names import DEFAULT
from edgeau.bundle import Timing
from edgeau.errors import InputError, UsageError, UserError
from edgeau.live import View
from edgeau_apps.live.overlay import Overlay
from edgeau_apps.live.recording import Kind
from edgeau_apps.live.serve.certificate import Encryption
from edgeau_apps.live.serve.guard import Guard, is_loopback
from edgeau_apps.live.serve.listening import in_url, listen, parse_address
from edgeau_apps.live.serve.message import about, numbers
from edgeau_apps.live.serve.metrics import CONTENT_TYPE, metrics
from edgeau_apps.live.serve.supervisor import Supervisor
from edgeau_apps.live.serve.viewer_camera import MOST_BYTES, ViewerCamera, decoded
from edgeau_apps.live.session import WebcamSession

__all__ = ["make_app", "serve"]

_PAGE = {"": "index.html", **dict.fromkeys(("app.js", "style.css", "favicon.svg"))}
_TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
# What is saved of a recording: file, content type.
_RECORDINGS: dict[str, tuple[Kind, str]] = {
    "recording.csv": ("csv", "text/csv"),
    "recording.jsonl": ("jsonl", "application/jsonl"),
    "recording.events.csv": ("events", "text/csv"),
}
_BOUNDARY = "frame"
_QUALITY = 80
_MOST_VIEWERS = 16  # of pictures; of numbers four times as many
_PATIENCE_S = 10.0  # a viewer that takes nothing for so long is let go
_SILENCE_S = 5.0  # a viewer's camera that sends no picture for so long is given back
_MOST_COMMAND = 2048
_SHORTEST_TOKEN = 22  # characters: 128 bits in base64


def serve(
    session: WebcamSession,
    overlay: Overlay,
    address: str,
    *,
    token: str | None,
    video: bool,
    out: TextIO,
    encryption: Encryption | None = None,
    with_metrics: bool = False,
) -> None:
    """Serve until Ctrl-C or SIGTERM, or until the session has ended for good.

    Args:
        session: not started yet.
        overlay: draws the picture.
        address: HOST:PORT to listen on.
        token: that viewers must bring; None for none on loopback, and a random one elsewhere.
        video: whether the page gets pictures.
        out: where the page's address is printed.
        encryption: TLS; None for none.
        with_metrics: whether ``/metrics`` answers.

    Raises:
        UsageError: the address is none or cannot be bound, the token is short or empty, or the certificate cannot be used.
        DependencyError: a certificate shall be made, and cryptography is not installed.
        UserError: the session ended, and did so again after each new start.
    """
    host, port = parse_address(address)
    if token == "":
        raise UsageError("--token is empty, and would let everyone in: give one, or leave it out")
    if not is_loopback(host):
        if token is not None and len(token) < _SHORTEST_TOKEN:
            raise UsageError(
                f"--token has {len(token)} characters, and anyone who guesses it can see this camera: give {_SHORTEST_TOKEN} or more (128 "
                "bits), or leave it out and a random one is made"
            )
        token = token or secrets.token_urlsafe(24)
        print("edgeau-live: anyone on the network who has the token can see this camera", file=sys.stderr)
    tls = None if encryption is None else encryption.context(host)
    shown = f"http{'s' if tls else ''}://{in_url(host)}:{port}/"
    if token:
        shown += f"?token={quote(token, safe='')}"
    share = None if is_loopback(host) else shown.replace(f"//{in_url(host)}:", f"//{_reachable(host)}:")
    door = Door(tls=tls)
    supervisor = Supervisor(session)
    app = make_app(
        session,
        overlay,
        door,
        token=token,
        video=video,
        supervisor=supervisor,
        with_metrics=with_metrics,
        share=share,
        names=(host,),
    )
    asyncio.run(listen(app, door, (host, port), lambda: print(shown, file=out, flush=True), supervisor.watch))


def _reachable(host: str) -> str:
    """The address of this machine that others reach it by, where it listens on all of them."""
    if host not in ("0.0.0.0", "::"):  # noqa: S104 - it is asked about, not bound
        return in_url(host)
    with sockets.socket(sockets.AF_INET, sockets.SOCK_DGRAM) as probe:
        try:
            probe.connect(
                ("192.0.2.1", 9)
            )  # chooses a way out and sends nothing; the address is one of documentation
        except OSError:
            return sockets.gethostname()
        return str(probe.getsockname()[0])


def _code(address: str) -> bytes:
    """A QR code as SVG, dark on white whatever the page's colours are."""
    import segno

    out = io.BytesIO()
    segno.make(address, micro=False).save(out, kind="svg", scale=5, border=3, light="#fff", xmldecl=False)
    return out.getvalue()


def make_app(
    session: WebcamSession,
    overlay: Overlay,
    door: Door,
    *,
    token: str | None,
    video: bool,
    supervisor: Supervisor,
    with_metrics: bool = False,
    share: str | None = None,
    names: Iterable[str] = (),
) -> web.Application:
    """The application; it starts and closes nothing but its own tasks.

    Args:
        session: what is followed.
        overlay: draws the picture.
        door: counts connections.
        token: that viewers must bring; None for none.
        video: whether the page gets pictures.
        supervisor: knows the session's health.
        with_metrics: whether /metrics is answered.
        share: the address that other devices reach the page at, with the token; None where they cannot.
        names: of this machine besides its own, which the page answers to.
    """
    guard = Guard(token, door, open_paths=("/health",), names=names)
    app = web.Application(middlewares=[guard.middleware], client_max_size=_MOST_COMMAND)
    site = _Site(session, overlay, guard, video=video, address=share)
    app.router.add_get("/", site.page)
    app.router.add_get("/{name:app.js|style.css|favicon.svg}", site.page)
    app.router.add_get("/plate/{label}.webp", site.plate)
    app.router.add_get("/share.svg", site.share)
    app.router.add_get("/about", site.about)
    app.router.add_get("/health", partial(_health, supervisor))
    app.router.add_get("/artifacts", site.artifacts)
    app.router.add_get("/{name:recording(?:\\.csv|\\.jsonl|\\.events\\.csv)}", site.recording)
    app.router.add_get("/numbers", site.numbers)
    app.router.add_get("/camera", site.camera)
    app.router.add_post("/do", site.do)
    if video:
        app.router.add_get("/video", site.video)
    if with_metrics:
        app.router.add_get("/metrics", partial(_metrics, session, supervisor, door))
    app.on_startup.append(site.begin)
    app.on_shutdown.append(site.end)
    return app


async def _health(supervisor: Supervisor, _request: web.Request) -> web.Response:
    """200 where results come, else 503; nothing of the picture or the people in it, so that it needs no token."""
    health = supervisor.health()
    status = 200 if health["status"] == "running" else 503
    return web.json_response(health, status=status, headers={"Connection": "close"})


async def _metrics(
    session: WebcamSession, supervisor: Supervisor, door: Door, _request: web.Request
) -> web.Response:
    """For Prometheus; behind the token like everything else."""
    text = metrics(session, supervisor.health(), door.open)
    return web.Response(text=text, headers={"Content-Type": CONTENT_TYPE})


class _Site:
    """The handlers, and the newest view as asyncio sees it."""

    def __init__(
        self, session: WebcamSession, overlay: Overlay, guard: Guard, *, video: bool, address: str | None
    ) -> None:
        self._address = address
        self._session, self._overlay, self._guard, self._video = session, overlay, guard, video
        self._number = 0
        self._view: View | None = None
        self._fresh = asyncio.Event()
        self._viewers = self._listeners = 0
        self._picture: tuple[int, bytes] = (0, b"")
        self._drawing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._sockets: set[web.WebSocketResponse] = set()
        self._camera_taken = False
        self._measuring, self._changing = asyncio.Lock(), asyncio.Lock()

    async def begin(self, _app: web.Application) -> None:
        """Follow the session."""
        self._session.start()
        self._task = asyncio.create_task(self._follow())

    async def end(self, _app: web.Application) -> None:
        """Let everybody go."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        for socket in list(self._sockets):
            with contextlib.suppress(Exception):
                await asyncio.wait_for(socket.close(code=1001, message=b"the program ends"), 0.3)

    async def page(self, request: web.Request) -> web.Response:
        """One of the page's files."""
        asked = request.match_info.get("name", "")
        name = _PAGE[asked] or asked
        text = (files("edgeau_apps.live") / "page" / name).read_text("utf-8")
        return web.Response(text=text, content_type=_TYPES[name.rpartition(".")[2]])

    async def plate(self, request: web.Request) -> web.Response:
        """The rendered pictures of an AU."""
        label = request.match_info["label"]
        if label not in DEFAULT:
            raise web.HTTPNotFound(text="there is no such picture\n")
        content = (files("edgeau") / "assets" / "plate" / f"{label}.webp").read_bytes()
        return web.Response(body=content, content_type="image/webp")

    async def share(self, _request: web.Request) -> web.Response:
        """The page's address as a code for a phone's camera."""
        if self._address is None or find_spec("segno") is None:
            raise web.HTTPNotFound(
                text="only this machine can see the page, or the package segno is missing\n"
            )
        return web.Response(body=await asyncio.to_thread(_code, self._address), content_type="image/svg+xml")

    async def about(self, _request: web.Request) -> web.Response:
        """Labels, thresholds, engine."""
        share = self._address is not None and find_spec("segno") is not None
        found = await asyncio.to_thread(about, self._session, video=self._video, share=share)
        return web.json_response(found)

    async def artifacts(self, _request: web.Request) -> web.Response:
        """Every artifact with its latency here: with as many threads as it is fastest with, which it would be loaded with."""
        async with self._measuring:
            rows = await asyncio.to_thread(self._session.artifacts)
        best: dict[str, Timing] = {}
        for row in rows:
            name = self._session.bundle.name(row.file, row.runtime, row.precision)
            if name not in best or (row.latency_ms or math.inf) < (best[name].latency_ms or math.inf):
                best[name] = row
        return web.json_response(
            [
                {
                    "file": name,
                    "runtime": row.runtime,
                    "precision": row.precision,
                    "threads": row.threads,
                    "ms": None if row.latency_ms is None else round(row.latency_ms, 2),
                    "cpu_ms": None if row.cpu_ms is None else round(row.cpu_ms, 2),
                    "fault": row.fault,
                }
                for name, row in best.items()
            ]
        )

    async def recording(self, request: web.Request) -> web.Response:
        """The recording, to be saved: its table, its JSON lines or its events."""
        name = request.match_info["name"]
        kind, content_type = _RECORDINGS[name]
        content = await asyncio.to_thread(self._session.fetch_recording, kind)
        if content is None:
            raise web.HTTPNotFound(text="nothing was recorded yet\n")
        headers = {"Content-Disposition": f'attachment; filename="edgeau-{name}"'}
        return web.Response(body=content, content_type=content_type, headers=headers)

    async def do(self, request: web.Request) -> web.Response:
        """Record, calibrate, or change the artifact."""
        try:
            command = json.loads(await asyncio.wait_for(request.read(), _PATIENCE_S))
            act = self._action(command)
        except asyncio.TimeoutError as error:
            raise web.HTTPRequestTimeout(text="the command did not come in time\n") from error
        except (ValueError, RecursionError) as error:
            raise web.HTTPBadRequest(text="this is not a command\n") from error
        try:
            said = await act
        except UserError as error:
            raise web.HTTPConflict(text=f"{error}\n") from error
        return web.json_response({"said": said})

    def _action(self, command: Any) -> Awaitable[str]:
        """The act that a command asks for, not begun yet; its result is said to whoever asked.

        Raises:
            ValueError: it is not a command.
        """
        match command:
            case {"do": "record", "on": bool(on)}:
                return self._record(on=on)
            case {"do": "calibrate"}:
                return self._calibrate()
            case {"do": "artifact", "file": str(file)}:
                return self._change(file)
        raise ValueError(command)

    async def _record(self, *, on: bool) -> str:
        await asyncio.to_thread(self._session.record, on=on)
        return "recording" if on else "the recording has ended"

    async def _calibrate(self) -> str:
        await asyncio.to_thread(self._session.calibrate)
        return self._session.said

    async def _change(self, file: str) -> str:
        async with (
            self._changing
        ):  # those that wait hold none of the few threads, which everybody else's pictures need
            await asyncio.to_thread(self._session.use_artifact, file)
        return f"changing to {file}"

    async def numbers(self, request: web.Request) -> web.WebSocketResponse:
        """A message a result, the newest first; a slow listener misses some."""
        async with self._socket(request, 4096) as socket:
            if self._listeners >= 4 * _MOST_VIEWERS:
                await socket.close(code=1013, message=b"too many viewers")
                return socket
            self._listeners += 1
            talking = asyncio.create_task(self._talk(socket))
            try:
                async for _ in socket:  # what listeners say is not heard, but a closing is
                    pass
            finally:
                self._listeners -= 1
                talking.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await talking
            return socket

    async def _talk(self, socket: web.WebSocketResponse) -> None:
        """Send numbers until the socket is closed; it is also closed where they cannot be sent, or made."""
        code, why = 1011, b"a fault of edgeau"
        seen = 0
        try:
            while not socket.closed:
                seen, view = await self._next(seen)
                await asyncio.wait_for(socket.send_str(numbers(self._session, view)), _PATIENCE_S)
        except (ConnectionError, asyncio.TimeoutError):
            code, why = 1008, b"too slow"
        finally:
            if not socket.closed:
                with contextlib.suppress(ConnectionError, asyncio.TimeoutError):
                    await asyncio.wait_for(socket.close(code=code, message=why), 1)

    async def video(self, request: web.Request) -> web.StreamResponse:
        """The picture, as MJPEG."""
        if self._viewers >= _MOST_VIEWERS:
            raise web.HTTPServiceUnavailable(text="too many viewers\n")
        self._viewers += 1
        try:
            response = web.StreamResponse(
                headers={
                    **self._guard.headers(),
                    "Content-Type": f"multipart/x-mixed-replace; boundary={_BOUNDARY}",
                }
            )
            await response.prepare(request)
            seen = 0
            while True:
                seen, view = await self._next(seen)
                content = await self._jpeg(seen, view)
                head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(content)}\r\n\r\n"
                await asyncio.wait_for(response.write(head.encode() + content + b"\r\n"), _PATIENCE_S)
        except (ConnectionError, asyncio.TimeoutError):
            if request.transport is not None:
                request.transport.abort()  # what it did not take must not wait in memory
            return response
        finally:
            self._viewers -= 1

    async def camera(self, request: web.Request) -> web.WebSocketResponse:
        """The viewer's own camera: pictures in, numbers out by the other socket."""
        async with self._socket(request, MOST_BYTES, _SILENCE_S) as socket:
            if self._camera_taken:
                await socket.close(code=1013, message=b"another viewer's camera is in use")
                return socket
            self._camera_taken = True
            camera, begun = ViewerCamera(), False
            try:
                async for message in socket:
                    if message.type is not WSMsgType.BINARY:
                        await socket.close(code=1003, message=b"pictures only")
                        break
                    camera.give(await asyncio.to_thread(decoded, message.data))
                    if not begun:  # the own stream goes on until a picture has come
                        begun = True
                        self._session.use_source(camera.open)
            except InputError as error:
                await socket.close(code=1007, message=str(error).encode()[:120])
            except asyncio.TimeoutError:
                await socket.close(code=1008, message=f"no picture came for {_SILENCE_S:g} s".encode())
            finally:
                self._camera_taken = False
                camera.end()
                if begun:
                    self._session.use_source(None)
            return socket

    @asynccontextmanager
    async def _socket(
        self, request: web.Request, most: int, silence_s: float | None = None
    ) -> AsyncIterator[web.WebSocketResponse]:
        """A socket that :meth:`end` closes if it is still open then.

        Args:
            request: that asks for it.
            most: largest message that is taken, bytes.
            silence_s: longest wait for a message, seconds, after which reading raises ``asyncio.TimeoutError``; None for any.
        """
        socket = web.WebSocketResponse(heartbeat=20, max_msg_size=most, receive_timeout=silence_s)
        if not socket.can_prepare(request).ok:
            raise web.HTTPUpgradeRequired(text="this is a WebSocket\n", headers={"Upgrade": "websocket"})
        await socket.prepare(request)
        self._sockets.add(socket)
        try:
            yield socket
        finally:
            self._sockets.discard(socket)

    async def _follow(self) -> None:
        """Hand every new view to whoever waits."""
        while True:
            number, view = await asyncio.to_thread(self._session.wait, self._number, 0.5)
            if view is not None:
                self._number, self._view = number, view
                self._fresh.set()
                self._fresh = asyncio.Event()
            elif not self._session.alive:
                await asyncio.sleep(0.2)

    async def _next(self, seen: int) -> tuple[int, View]:
        while self._view is None or self._number == seen:
            await self._fresh.wait()
        return self._number, self._view

    async def _jpeg(self, number: int, view: View) -> bytes:
        """The drawn picture, made once for all viewers."""
        async with self._drawing:
            if self._picture[0] != number:
                self._picture = (number, await asyncio.to_thread(self._drawn, view))
            return self._picture[1]

    def _drawn(self, view: View) -> bytes:
        image = self._overlay.draw_outline(view)
        _, content = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        return bytes(content.tobytes())
