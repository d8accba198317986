"""Sites as ``edgeau-export --target web`` makes them, a web server that notes what it was asked for, and a real Chromium."""

from __future__ import annotations

import functools
import http.server
import threading
from pathlib import Path

import numpy as np
import pytest

from edgeau_export.export import export_bundle
from tests.chromium import CHROMIUM, FLAGS


class _Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        self.server.asked.append(self.path)

    def do_GET(self):
        content = self.server.extra.get(self.path)
        if content is None:
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class SiteServer:
    """A plain web server for a folder; ``asked`` are the paths of its requests."""

    def __init__(self, folder: Path):
        handler = functools.partial(_Handler, directory=folder)
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.asked = []
        self._server.extra = {}
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://localhost:{self._server.server_port}/"

    @property
    def asked(self) -> list[str]:
        return self._server.asked

    @property
    def extra(self) -> dict[str, bytes]:
        """Content that is served beside the folder, by path."""
        return self._server.extra

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="session")
def sites(tmp_path_factory):
    """The packaged networks as sites, by name."""
    folder = tmp_path_factory.mktemp("sites")
    for model in ("default", "light"):
        export_bundle("web", folder / model, model)
    return {model: folder / model for model in ("default", "light")}


@pytest.fixture(scope="session")
def site(sites):
    """The packaged default as a site."""
    return sites["default"]


@pytest.fixture
def serve():
    """Serves folders until the test ends."""
    servers = []

    def start(folder: Path) -> SiteServer:
        servers.append(SiteServer(folder))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture(
    scope="module"
)  # as long as Playwright's event loop runs, no other file of tests can have its own
def launch():
    """Starts Chromium with more flags."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        opened = []

        def start(*flags: str):
            opened.append(playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *flags]))
            return opened[-1]

        yield start
        for browser in opened:
            browser.close()


_ANALYSE = """async ({ count, width, height, times }) => {
  const worker = new Worker("worker.js"), results = [];
  const answer = () => new Promise((resolve, reject) => {
    worker.onerror = (event) => reject(new Error(event.message));
    worker.onmessage = ({ data }) => {
      if (data.kind === "failed") reject(new Error(data.said));
      if (data.kind === "ready" || data.kind === "faces") resolve(data);
    };
  });
  worker.postMessage({ kind: "open", folder: new URL("./", location.href).href });
  const { about } = await answer();
  for (let number = 0; number < count; number++) {
    const bytes = await (await fetch(`frames/${number}`)).arrayBuffer();
    const picture = new ImageData(new Uint8ClampedArray(bytes), width, height);
    worker.postMessage({ kind: "frame", number, picture, timeS: times ? times[number] : null });
    const { faces, tookMs } = await answer();
    results.push({ tookMs, faces: faces.map((face) => ({ ...face, points: [...face.points] })) });
  }
  worker.terminate();
  return { about, results };
}"""


def analyse(page, server, frames, times=None):
    """What the built worker says of frames, uint8 BGR of one size each: as a stream where there are times, else each by itself."""
    for number, frame in enumerate(frames):
        rgba = np.full((*frame.shape[:2], 4), 255, np.uint8)
        rgba[..., :3] = frame[..., ::-1]
        server.extra[f"/frames/{number}"] = rgba.tobytes()
    height, width = frames[0].shape[:2]
    given = {"count": len(frames), "width": width, "height": height, "times": times}
    return page.evaluate(_ANALYSE, given)


@pytest.fixture(scope="session")
def analyse_in_browser():
    return analyse


@pytest.fixture(scope="module")
def browser(launch):
    return launch()


@pytest.fixture
def visit(browser):
    """Opens a site in a context of its own: its page, with its errors in ``page.errors``, once it is ready or has stopped."""
    contexts = []

    def open_(url: str, *, in_browser=None, width=1280, height=900, init_script=None, **options):
        context = (in_browser or browser).new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.errors = []
        page.requested = []
        context.on("request", lambda request: page.requested.append(request.url))
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.on("console", lambda m: page.errors.append(m.text) if m.type == "error" else None)
        if init_script:
            page.add_init_script(init_script)
        page.goto(url)
        page.wait_for_selector("#state:text-matches('^(ready|stopped)$')", timeout=60_000)
        return page

    yield open_
    for context in contexts:
        context.close()
