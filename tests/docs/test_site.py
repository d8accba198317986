"""The documentation site is built strictly: no dead link, no missing anchor, every page in its navigation, nothing from elsewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("mkdocs")
    pytest.importorskip("material")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def test_every_page_is_there_and_can_be_searched(site):
    for page in (ROOT / "docs").glob("*.md"):
        name = "" if page.name == "README.md" else page.stem
        assert (site / name / "index.html").is_file(), page
    assert (site / "search" / "search_index.json").stat().st_size > 100_000


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("pipeline", "edgeau.pipeline.Pipeline.load"),
        ("live", "edgeau.live"),
        ("time", "edgeau.temporal.smoothing.Smoother"),
        ("time", "edgeau.temporal.events.EventDetector"),
        ("limits", "edgeau.faces.quality.limits.Limits"),
        ("sinks", "edgeau.sinks.open_sink"),
    ],
)
def test_the_api_is_documented(site, page, name):
    assert f'id="{name}"' in (site / "api" / page / "index.html").read_text(encoding="utf-8")


def test_marks_of_sphinx_are_not_shown(site):
    shown = [page for page in (site / "api").rglob("*.html") if ":class:" in page.read_text(encoding="utf-8")]
    assert shown == []


def test_nothing_is_loaded_from_elsewhere(site):
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(
            r'<(?:script|img|iframe)[^>]+src="([^"]+)"|<link[^>]+rel="stylesheet"[^>]+href="([^"]+)"', text
        )
        assert [one for pair in loaded for one in pair if "://" in one] == [], page


def test_links_lead_somewhere(site):
    dead = []
    for page in site.rglob("*.html"):
        for link in re.findall(r'href="([^"#?:]+)(?:#[^"]*)?"', page.read_text(encoding="utf-8")):
            target = site / link.lstrip("/") if link.startswith("/") else page.parent / link
            if not (target / "index.html").is_file() and not target.is_file():
                dead.append(f"{page.relative_to(site)}: {link}")
    assert [one for one in dead if not one.startswith("404.html")] == []
