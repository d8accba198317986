"""A page of a file in a real Chromium: what it asks for and says, whether it fits, what axe finds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.chromium import CHROMIUM, FLAGS

_OPEN = """() => { for (const one of document.querySelectorAll("details"))
  one.open = [...one.querySelectorAll("td")].filter((cell) => cell.closest("details") === one).length < 150; }"""

VIEWS = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]


@dataclass(frozen=True)
class Look:
    """Width that the page takes, addresses that it asked for, lines of its console, drawings with a size, and what axe found."""

    width: int
    asked: list[str]
    said: list[str]
    drawn: int
    violations: str


def look_at(file: Path, width: int, scheme: str) -> Look:
    """Open every folded part but long tables, whose cells are alike and take axe minutes, and look."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    ).Axe()
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    asked: list[str] = []
    said: list[str] = []
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("console", lambda message: said.append(message.text))
        tab.goto(file.as_uri())
        tab.evaluate(_OPEN)
        wide = tab.evaluate("document.documentElement.scrollWidth")
        drawn = tab.evaluate(
            "[...document.querySelectorAll('svg')].filter(one => one.clientHeight > 50).length"
        )
        found = axe.run(tab)
        browser.close()
    return Look(
        wide,
        [url for url in asked if not url.startswith("data:")],
        said,
        drawn,
        found.generate_report() if found.violations_count else "",
    )
