"""The page in a real Chromium."""

import re

from edgeau import Pipeline
from edgeau.sources.picture_file import read_picture


def test_a_picture_gives_the_action_units_that_python_gives(site, serve, visit, root):
    page = visit(serve(site).url)
    assert page.inner_text("#state") == "ready", page.inner_text("#problem")
    page.set_input_files("#file", root / "docs" / "portrait.jpg")
    page.wait_for_selector(".au", timeout=30_000)
    shown = page.eval_on_selector_all(
        ".au",
        "rows => Object.fromEntries(rows.map(row => [row.dataset.au, row.querySelector('.value').textContent]))",
    )
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
