"""The folder of ``edgeau-export --target web`` on a web server: files, and nothing of this machine's camera."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import TextIO

from aiohttp import web

from edgeau._system.door import Door
from edgeau._system.service_manager import notify, watchdog_interval_s
from edgeau.bundle.signature import SignaturePolicy
from edgeau.errors import InputError
from edgeau_apps.live.serve.certificate import Encryption
from edgeau_apps.live.serve.guard import LIVE_HEADERS, Guard, is_loopback
from edgeau_apps.live.serve.listening import in_url, listen, parse_address

__all__ = ["make_site_app", "serve_site"]

_PAGE = "index.html"
_NEEDED = ("manifest.json", _PAGE, "sw.js", "worker.js")
_TYPES = {
    ".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".json": "application/json", ".md": "text/plain",
    ".txt": "text/plain", ".wasm": "application/wasm", ".webm": "video/webm",
}  # fmt: skip
_HEADERS = {
    **LIVE_HEADERS,
    # What the page itself allows, for its worker and service worker too; inline styles are those of the bundle's report.
    "Content-Security-Policy": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' blob: data:; media-src 'self' blob: mediastream:; connect-src 'self'; worker-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",  # kept, and asked about: another export has the same names
}
_PATIENCE_S = 300.0  # a file that was not taken for so long; 11 MB in that time are 38 kB a second


def serve_site(
    folder: Path,
    address: str,
    *,
    out: TextIO,
    encryption: Encryption | None = None,
    patience_s: float = _PATIENCE_S,
    signatures: SignaturePolicy | None = None,
) -> None:
    """Serve a site until Ctrl-C or SIGTERM. Whoever reaches the address may load it: there is nothing in it but the bundle and its page.

    Args:
        folder: made by ``edgeau-export --target web``; it may be replaced by another export meanwhile. Where a signature is required,
            the copy that was verified is served, so that another export is served from the next start on.
        address: HOST:PORT to listen on.
        out: where the site's address is printed.
        encryption: TLS; None for none.
        patience_s: longest that one file may take, seconds.
        signatures: what is asked of its signature; None asks what the environment says (``EDGEAU_SIGNATURES``, ``EDGEAU_TRUST``), and
            without it nothing.

    Raises:
        InputError: the folder is no such site.
        BundleError: the signature that is required is missing or wrong.
        OutputError: a signature is required, and there is no room for the copy that is then served.
        UsageError: the address is none or cannot be bound, or the certificate cannot be used; or what the environment says of signatures
            does not fit.
        DependencyError: a certificate shall be made or a signature verified, and cryptography is not installed.
    """
    lacking = [name for name in _NEEDED if not (folder / name).is_file()]
    if lacking:
        what = f"lacks {', '.join(lacking)}" if folder.is_dir() else "is not a folder"
        raise InputError(
            f"{folder} {what}; --static serves what edgeau-export --target web --out {folder} makes"
        )
    folder = (signatures or SignaturePolicy.of()).apply(folder)
    host, port = parse_address(address)
    if not is_loopback(host):
        print("edgeau-live: anyone on the network can load this folder", file=sys.stderr)
    tls = None if encryption is None else encryption.context(host)
    shown = f"http{'s' if tls else ''}://{in_url(host)}:{port}/"
    door = Door(tls=tls)
    app = make_site_app(folder, door, patience_s, names=(host,))
    asyncio.run(listen(app, door, (host, port), lambda: print(shown, file=out, flush=True), _told_alive))


def make_site_app(
    folder: Path, door: Door, patience_s: float = _PATIENCE_S, *, names: Iterable[str] = ()
) -> web.Application:
    """Make the application that answers with a folder's files.

    Args:
        folder: of the site.
        door: counts connections.
        patience_s: longest that one file may take, seconds.
        names: of this machine besides its own, which the site answers to.
    """
    app = web.Application(middlewares=[Guard(None, door, headers=_HEADERS, names=names).middleware])

    async def answer(request: web.Request) -> web.StreamResponse:
        path = await asyncio.to_thread(_file, folder, request.match_info["name"] or _PAGE)
        kind = _TYPES.get(path.suffix, "application/octet-stream")
        response = web.FileResponse(path, headers={**_HEADERS, "Content-Type": kind})
        try:
            await asyncio.wait_for(response.prepare(request), patience_s)
        except (ConnectionError, asyncio.TimeoutError):
            if request.transport is not None:
                request.transport.abort()
        return response

    app.router.add_get("/{name:.*}", answer)
    return app


def _file(folder: Path, name: str) -> Path:
    """The file of a path below the folder; hidden files, and those that links lead out to, are not there."""
    parts = PurePosixPath(name).parts
    try:
        path = folder.joinpath(*parts).resolve(strict=True)
        inside = path.is_relative_to(folder.resolve(strict=True)) and path.is_file()
    except (OSError, ValueError):  # a name with a zero byte is a ValueError
        inside = False
    if not inside or any(part.startswith((".", "/")) for part in parts):
        raise web.HTTPNotFound(text="there is no such file\n")
    return path


async def _told_alive() -> BaseException:
    """Tell the service manager that the site is ready, and that it still answers."""
    notify(READY="1", STATUS="serving files")
    interval_s = watchdog_interval_s()
    while True:
        await asyncio.sleep(3600.0 if interval_s is None else interval_s / 3)
        notify(WATCHDOG="1")
