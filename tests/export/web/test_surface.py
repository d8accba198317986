"""Desk and phone, keyboard and screen reader."""

from __future__ import annotations

import pytest


@pytest.fixture
def axe():
    return pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    ).Axe()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (390, "light")])
def test_axe_finds_no_violation(width, scheme, sites, serve, visit, axe):
    # axe puts a script into the page, which the page's own policy forbids.
    page = visit(serve(sites["light"]).url, width=width, height=844, color_scheme=scheme, bypass_csp=True)
    assert axe.run(page).violations_count == 0
    page.click("#clip")
    page.wait_for_selector(".au", timeout=30_000)
    found = axe.run(page)
    assert found.violations_count == 0, found.generate_report()
    page.evaluate("document.getElementById('problem').textContent = 'Something to do.'")
    page.evaluate("document.getElementById('problem').hidden = false")
    found = axe.run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("width", [390, 320])
def test_nothing_is_wider_than_a_phone(width, sites, serve, visit):
    page = visit(serve(sites["light"]).url, width=width, height=844)
    page.click("#clip")
    page.wait_for_selector(".au", timeout=30_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # What a finger presses is 44 pixels high.
    assert all(
        page.locator(f"#{name}").bounding_box()["height"] >= 44 for name in ("camera", "clip", "choose")
    )


def test_it_can_be_used_with_the_keyboard_and_read_aloud(sites, serve, visit):
    page = visit(serve(sites["light"]).url)
    order = []
    for _ in range(3):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.id"))
    assert order == ["camera", "clip", "choose"]
    page.focus("#clip")
    page.keyboard.press("Enter")
    page.wait_for_selector(".au", timeout=30_000)
    meter = page.locator("[data-au=AU12] [role=meter]")
    assert meter.get_attribute("aria-label") == "AU12, Lip corner puller"
    assert "left" in meter.get_attribute("aria-valuetext")
    assert page.locator("#state").get_attribute("role") == "status"
    assert page.locator("#problem").get_attribute("role") == "alert"
    page.keyboard.press("Enter")
    assert page.query_selector(".au") is None


def test_a_picture_is_dropped_on_the_page(sites, serve, visit, root):
    page = visit(serve(sites["light"]).url)
    page.evaluate(
        """async (bytes) => {
          const given = new DataTransfer();
          given.items.add(new File([new Uint8Array(bytes)], "dropped.jpg", { type: "image/jpeg" }));
          document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: given, bubbles: true, cancelable: true }));
        }""",
        list((root / "docs" / "portrait.jpg").read_bytes()),
    )
    page.wait_for_selector("#state:text-is('dropped.jpg: 1 face')", timeout=30_000)
    assert float(page.inner_text("[data-au=AU12] .value")) > 0.9
