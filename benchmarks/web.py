"""The page of ``edgeau-export --target web`` in Chromium: megabytes, time to the first action units, results a second.

``python benchmarks/web.py`` exports both packaged networks into a temporary folder, serves them and measures in one browser:

- the folder's size, and what one browser loads of it;
- loading: from the page's address to "ready", the second time from what the service worker kept;
- the first action units after the first frame of a camera that shows the packaged clip;
- results a second of one face in the clip's frames of 640 x 480, one after the other on the page's one thread, of both builds of the
  runtime (relaxed SIMD and plain SIMD): by the clock, from giving a frame to having its result, and by the thread's processor time,
  which other work on the machine hardly changes.

``--write docs/web.md`` puts the table into that page.

``--faces DIR... --results FILE`` writes the browser's row of ``benchmarks/nine_places.py`` instead: each network alone on the aligned
crops of test faces, as that command takes them.

Needs Chromium and playwright.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import json
import os
import shutil
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
from numpy.typing import NDArray
from page_part import write_part
from playwright.sync_api import Browser, Page, sync_playwright
from this_machine import measured_here, today

from edgeau import open_source
from edgeau.bundle import load_bundle
from edgeau_export.export import export_bundle

_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
_WARM = 10  # results before the counting
# A browser without relaxed SIMD refuses the small module that LiteRT.js asks it by.
_PLAIN_SIMD = b"""{ const i = WebAssembly.instantiate.bind(WebAssembly);
WebAssembly.instantiate = (code, ...rest) => (code.byteLength < 1000 ? Promise.reject(new Error("plain")) : i(code, ...rest)); }
"""
# Relaxed SIMD's dot product of four bytes, 127 by 255 where the second are unsigned: processors with one instruction for it give
# 4 x 127 x 255, or, signed, 4 x 127 x -1; where the browser makes it of instructions that saturate, 2 x 32767.
_DOT = """async () => {
  const lanes = (byte) => [0xfd, 0x0c, ...Array(16).fill(byte)];
  const code = [0, ...lanes(0x7f), ...lanes(0xff), ...lanes(0), 0xfd, 0x93, 0x02, 0xfd, 0x1b, 0, 0x0b], body = [code.length, ...code];
  const module = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7f, 3, 2, 1, 0, 7, 5, 1, 1, 0x66, 0, 0, 10, body.length + 1, 1, ...body];
  return (await WebAssembly.instantiate(new Uint8Array(module))).instance.exports.f();
}"""
_SATURATED = 2 * 32767
_OPEN = """async () => {
  window.worker = new Worker("worker.js");
  window.answer = () => new Promise((resolve, reject) => {
    window.worker.onmessage = ({ data }) => {
      if (data.kind === "failed") reject(new Error(data.said));
      if (data.kind === "ready" || data.kind === "faces") resolve(data);
    };
  });
  window.worker.postMessage({ kind: "open", folder: new URL("./", location.href).href });
  return (await window.answer()).about.engine;
}"""
_RUN = """async ({ first, last, width, height, step }) => {
  const took = [];
  for (let number = first; number < last; number++) {
    const bytes = await (await fetch(`frames/${number}`)).arrayBuffer();
    const picture = new ImageData(new Uint8ClampedArray(bytes), width, height);
    const began = performance.now();
    window.worker.postMessage({ kind: "frame", number, picture, timeS: number * step });
    await window.answer();
    took.push(performance.now() - began);
  }
  return took;
}"""
_CROPS = """async ({ count, width, height }) => {
  const worker = new Worker("worker.js"), rows = [];
  const answer = () => new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => {
      if (data.kind === "failed") reject(new Error(data.said));
      if (data.kind === "ready" || data.kind === "logits") resolve(data);
    };
  });
  worker.postMessage({ kind: "open", folder: new URL("./", location.href).href });
  await answer();
  for (let number = 0; number < count; number++) {
    const bytes = await (await fetch(`crops/${number}`)).arrayBuffer();
    worker.postMessage({ kind: "crop", number, picture: new ImageData(new Uint8ClampedArray(bytes), width, height) });
    rows.push([...(await answer()).logits]);
  }
  worker.terminate();
  return rows;
}"""


class _Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        content = self.server.extra.get(self.path)  # type: ignore[attr-defined]
        if content is None:
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _served(folder: Path, extra: dict[str, bytes]) -> str:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Handler, directory=folder))
    server.extra = extra  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://localhost:{server.server_port}/"


def _ready(page: Page, url: str) -> float:
    """Seconds until the page is ready."""
    started = time.perf_counter()
    page.goto(url)
    page.wait_for_selector("#state:text-is('ready')", timeout=60_000)
    return time.perf_counter() - started


def _first_units_s(browser: Browser, url: str) -> dict[str, float]:
    context = browser.new_context()
    page = context.new_page()
    found = {"load_s": _ready(page, url), "load_again_s": _ready(page, url)}
    page.click("#camera")
    page.wait_for_selector(".au", timeout=60_000)
    found["first_units_s"] = float(page.inner_text("#first").split()[0])
    context.close()
    return found


def _has_dot_product(browser: Browser) -> bool:
    """True where the browser has one instruction of this processor for relaxed SIMD's dot product of bytes."""
    page = browser.new_page()
    found = page.evaluate(_DOT)
    page.close()
    return bool(found != _SATURATED)


def _results(browser: Browser, url: str, count: int) -> dict[str, Any]:
    context = browser.new_context(service_workers="block")
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("#state:text-is('ready')", timeout=60_000)
    page.goto(f"{url}manifest.json")  # nothing of the page runs beside
    engine = page.evaluate(_OPEN)
    given = {"width": 640, "height": 480, "step": 0.04}
    page.evaluate(_RUN, {"first": 0, "last": _WARM, **given})
    before_s = _worker_cpu_s()
    took = page.evaluate(_RUN, {"first": _WARM, "last": count, **given})
    cpu_ms = 1000 * (_worker_cpu_s() - before_s) / len(took)
    context.close()
    return {
        "engine": engine,
        "results": len(took),
        "median_ms": statistics.median(took),
        "a_second": 1000 * len(took) / sum(took),
        "cpu_ms": cpu_ms,
        "a_second_by_cpu": 1000 / cpu_ms,
    }


def _worker_cpu_s() -> float:
    """Processor time so far of the threads that run the workers of this program's browsers, seconds."""
    ticks = 0
    for process in psutil.Process().children(recursive=True):
        for thread in Path(f"/proc/{process.pid}/task").glob("*"):
            if (thread / "comm").read_text().startswith("DedicatedWorker"):
                fields = (thread / "stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])  # user and system, proc(5)
    return ticks / os.sysconf("SC_CLK_TCK")


def logits_in_browser(site: Path, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Logits of a site's network for aligned crops, uint8 ``(n, height, width, 3)`` RGB, in Chromium: float32 ``(n, C)``."""
    raw = {
        f"/crops/{number}": cv2.cvtColor(crop, cv2.COLOR_RGB2RGBA).tobytes()
        for number, crop in enumerate(crops)
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_FLAGS)
        page = browser.new_context(service_workers="block").new_page()
        page.goto(f"{_served(site, raw)}manifest.json")
        given = {"count": len(crops), "width": crops.shape[2], "height": crops.shape[1]}
        rows = page.evaluate(_CROPS, given)
        browser.close()
    return np.asarray(rows, np.float32)


def _write_rows(faces: list[Path], results: Path, count: int) -> None:
    """Write the browser's rows into the results of ``nine_places.py``."""
    from nine_places import PLACES, Reference, artifact_of, thresholds_of

    found = json.loads(results.read_text("utf-8")) if results.is_file() else {"networks": {}}
    with tempfile.TemporaryDirectory() as place:
        for network in ("default", "light"):
            site = Path(place) / network
            export_bundle("web", site, network)
            bundle = load_bundle(site)
            artifact = artifact_of(bundle, PLACES["browser"])
            reference = Reference(network, faces, count)
            logits = logits_in_browser(site, reference.crops)
            row = {"title": PLACES["browser"].title, "date": today()}
            row |= reference.compared(logits, thresholds_of(bundle, artifact), np.arange(len(logits)))
            row |= {"megabytes": artifact.bytes / 1e6, "executes": True}
            found["networks"].setdefault(network, {})["browser"] = row
            print(network, json.dumps(row))
    results.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def _megabytes(folder: Path) -> dict[str, float]:
    sizes = {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in folder.rglob("*")
        if path.is_file()
    }
    loaded = {
        name: size for name, size in sizes.items() if "compat" not in name and not name.startswith("report")
    }
    return {"folder_mb": sum(sizes.values()) / 1e6, "loaded_mb": sum(loaded.values()) / 1e6}


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Measures the page of edgeau-export --target web in Chromium."
    )
    parser.add_argument("--faces", type=Path, nargs="+", metavar="DIR", help="splits of edgeau-synth")
    parser.add_argument("--results", type=Path, help="results of nine_places.py")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table into this page")
    options = parser.parse_args()
    if options.faces:
        _write_rows(options.faces, options.results, options.count)
        return
    found = _measured()
    print(json.dumps(found, indent=1))
    if options.write:
        write_part(options.write, "web", table(found))


def table(found: dict[str, Any]) -> str:
    """Markdown."""
    dot_product = "a single instruction" if found["dot_product"] else "composed of several instructions"
    where = f"{found['machine']}, {found['browser']}, {found['date']}, load {found['load']} before"
    lines = [
        f"`python benchmarks/web.py`: {where}; relaxed SIMD's dot product of bytes is {dot_product} here.",
        "",
        "| one face in frames of 640 x 480, one thread | results per second | median ms | CPU time per result, ms | results per second of CPU time |",
        "|---|---|---|---|---|",
    ]
    for row in found["models"]:
        for kind, title in (("relaxed", "relaxed SIMD"), ("plain", "plain SIMD")):
            one = row[kind]
            lines.append(
                f"| `{row['model']}`, {title} | {one['a_second']:.0f} | {one['median_ms']:.0f} | {one['cpu_ms']:.0f} | {one['a_second_by_cpu']:.0f} |"
            )
    lines += [
        "",
        "| | folder, MB | loaded once, MB | ready, s | ready from the cache, s | first action units after the camera's first frame, s |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{row['model']}` | {row['folder_mb']:.1f} | {row['loaded_mb']:.1f} | {row['load_s']:.1f} | {row['load_again_s']:.1f} | {row['first_units_s']:.2f} |"
        for row in found["models"]
    ]
    return "\n".join(lines)


def _measured() -> dict[str, Any]:
    with open_source("clip") as source:
        frames = [frame.image for frame in source]
    raw = {}
    for number, frame in enumerate(frames):
        raw[f"/frames/{number}"] = cv2.cvtColor(frame, cv2.COLOR_BGR2RGBA).tobytes()
    rows = []
    found = measured_here()
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        folder = Path(place)
        film = folder / "clip.mjpeg"
        film.write_bytes(b"".join(np.asarray(cv2.imencode(".jpg", frame)[1]).tobytes() for frame in frames))
        camera = (
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-video-capture={film}",
        )
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=[*_FLAGS, *camera])
        found["browser"] = f"Chromium {browser.version.partition('.')[0]}"
        found["dot_product"] = _has_dot_product(browser)
        for model in ("default", "light"):
            site = folder / model
            export_bundle("web", site, model)
            row = {"model": model, **_megabytes(site), **_first_units_s(browser, _served(site, raw))}
            plain = {"/worker.js": _PLAIN_SIMD + (site / "worker.js").read_bytes()}
            row["relaxed"] = _results(browser, _served(site, raw), len(frames))
            row["plain"] = _results(browser, _served(site, {**raw, **plain}), len(frames))
            rows.append(row)
        browser.close()
    return {**found, "models": rows}


if __name__ == "__main__":
    main()
