"""The page in a real Chromium."""

import re

import cv2
import numpy as np

from edgeau import Pipeline
from edgeau.sources.picture_file import read_picture


def shown_numbers(page):
    return page.eval_on_selector_all(
        ".au",
        "rows => Object.fromEntries(rows.map(row => [row.dataset.au, row.querySelector('.value').textContent]))",
    )


def test_a_picture_gives_the_action_units_that_python_gives(site, serve, visit, root):
    page = visit(serve(site).url)
    assert page.inner_text("#state") == "ready", page.inner_text("#problem")
    page.set_input_files("#file", root / "docs" / "portrait.jpg")
    page.wait_for_selector(".au", timeout=30_000)
    shown = shown_numbers(page)
    with Pipeline.load(site) as pipeline:
        (face,) = pipeline.process(read_picture(root / "docs" / "portrait.jpg")).faces
    assert list(shown) == list(face.aus)
    for label, unit in face.aus.items():
        assert re.fullmatch(r"\d\.\d\d", shown[label])
        assert abs(float(shown[label]) - unit.probability) < 0.006, label
    assert not page.errors


# What LiteRT.js asks a browser by: a browser without relaxed SIMD, such as Firefox ESR 140, refuses a small module that uses it.
WITHOUT_RELAXED_SIMD = b"""{
  const instantiate = WebAssembly.instantiate.bind(WebAssembly);
  WebAssembly.instantiate = (code, ...rest) =>
    code.byteLength < 1000 ? Promise.reject(new Error("no relaxed SIMD")) : instantiate(code, ...rest);
}
"""


def test_a_browser_without_relaxed_simd_takes_the_other_build(site, serve, visit, root):
    server = serve(site)
    server.extra["/worker.js"] = WITHOUT_RELAXED_SIMD + (site / "worker.js").read_bytes()
    page = visit(server.url, service_workers="block")
    assert page.inner_text("#state") == "ready", page.inner_text("#problem")
    assert page.text_content("#engine") == "LiteRT.js, WebAssembly SIMD, 1 thread"
    assert "/litert/litert_wasm_compat_internal.wasm" in server.asked
    page.set_input_files("#file", root / "docs" / "portrait.jpg")
    page.wait_for_selector(".au", timeout=30_000)
    assert float(page.inner_text("[data-au=AU12] .value")) > 0.98


def test_a_transparent_picture_is_read_over_grey_as_in_python(site, serve, visit, root, tmp_path):
    """Half of the face is half transparent: over black it would be another face."""
    portrait = read_picture(root / "docs" / "portrait.jpg")
    opacity = np.full((*portrait.shape[:2], 1), 255, np.uint8)
    opacity[:, portrait.shape[1] // 2 :] = 100
    file = tmp_path / "cut out.png"
    cv2.imwrite(str(file), np.concatenate((portrait, opacity), axis=2))
    page = visit(serve(site).url)
    page.set_input_files("#file", file)
    page.wait_for_selector(".au", timeout=30_000)
    shown = shown_numbers(page)
    with Pipeline.load(site) as pipeline:
        (face,) = pipeline.process(read_picture(file)).faces
    for label, unit in face.aus.items():
        if unit.probability is None:
            assert shown[label] == unit.reason
        else:
            assert abs(float(shown[label]) - unit.probability) < 0.06, (
                label
            )  # INT8, and blends are rounded otherwise


def test_a_source_that_is_left_while_it_begins_leaves_the_next_one_alone(sites, serve, visit):
    page = visit(serve(sites["light"]).url)
    page.evaluate("for (let press = 0; press < 3; press++) document.getElementById('clip').click()")
    page.wait_for_selector(".au", timeout=30_000)
    assert not page.is_visible("#problem"), page.inner_text("#problem")
    assert page.inner_text("#state") == "running"
    assert page.get_attribute("#clip", "aria-pressed") == "true"


# A large picture takes a second to decode; here the first one does.
SLOW_FIRST_PICTURE = """{
  const open = createImageBitmap.bind(window);
  let first = true;
  window.createImageBitmap = async (source, ...rest) => {
    if (source instanceof Blob && first) {
      first = false;
      await new Promise((resolve) => setTimeout(resolve, 2000));
      window.firstIsOpen = true;
    }
    return open(source, ...rest);
  };
}
"""


def test_of_two_pictures_the_one_chosen_last_is_shown(sites, serve, visit, root, tmp_path):
    slow, quick = tmp_path / "slow.png", tmp_path / "quick.png"
    cv2.imwrite(str(slow), np.zeros((120, 160, 3), np.uint8))
    cv2.imwrite(str(quick), read_picture(root / "docs" / "portrait.jpg"))
    page = visit(serve(sites["light"]).url, init_script=SLOW_FIRST_PICTURE)
    page.set_input_files("#file", slow)
    page.set_input_files("#file", quick)
    page.wait_for_selector("#state:text-is('quick.png: 1 face')", timeout=30_000)
    page.wait_for_function("() => window.firstIsOpen")
    page.wait_for_timeout(1500)
    assert page.inner_text("#state") == "quick.png: 1 face"
    assert page.evaluate("document.getElementById('still').width") == 512
    assert page.query_selector(".au")


def test_a_film_that_breaks_is_said(sites, serve, visit):
    page = visit(serve(sites["light"]).url)
    page.click("#clip")
    page.wait_for_selector(".au", timeout=30_000)
    # What a browser says of a file that is damaged further on, or that the web server stops sending.
    page.evaluate("document.getElementById('film').dispatchEvent(new Event('error'))")
    page.wait_for_selector("#problem:not([hidden])")
    assert page.inner_text("#problem").startswith("This browser cannot play The sample clip as a video.")
    assert page.inner_text("#state") == "ready"
    assert page.query_selector(".au") is None
