"""The page in a real browser: it fits a phone and a desk, asks for nothing and says nothing in the console."""

import pytest

from edgeau.bundle import packaged_bundle_path
from edgeau_apps.report.command import main
from tests.chromium import CHROMIUM, FLAGS


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    file = tmp_path_factory.mktemp("report") / "report.html"
    arguments = ["mrpnet", "siat-two-view", "drml-convnet", str(packaged_bundle_path())]
    assert main([*arguments, "--papers", "--html", str(file)]) == 0
    return file


@pytest.mark.slow
@pytest.mark.parametrize("size", [(390, 844), (1280, 900)])
def test_it_fits_and_is_alone(page, size):
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    asked, said = [], []
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        tab = browser.new_page(viewport={"width": size[0], "height": size[1]})
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("console", lambda message: said.append(message.text))
        tab.goto(page.as_uri())
        wide = tab.evaluate("document.documentElement.scrollWidth")
        drawn = tab.evaluate(
            "[...document.querySelectorAll('svg')].filter(one => one.clientHeight > 50).length"
        )
        browser.close()
    assert wide == size[0]
    assert drawn >= 4
    assert asked == [page.as_uri()]
    assert said == []
