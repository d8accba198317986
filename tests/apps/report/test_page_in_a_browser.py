"""The page in a real browser: it fits a phone and a desk, asks for nothing and says nothing in the console, and axe finds nothing."""

import pytest

from edgeau_apps.report.command import main
from tests.report_pages import VIEWS, look_at


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    file = tmp_path_factory.mktemp("report") / "report.html"
    assert main(["drml-convnet", "default", "--papers", "--html", str(file)]) == 0
    return file


@pytest.mark.parametrize(("width", "scheme"), VIEWS)
def test_it_fits_is_alone_and_axe_finds_no_violation(page, width, scheme):
    seen = look_at(page, width, scheme)
    assert seen.width == width
    assert seen.drawn >= 4
    assert seen.asked == [page.as_uri()]
    assert seen.said == []
    assert not seen.violations, seen.violations
