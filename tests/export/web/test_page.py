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
        # INT8: one level of one pixel moves a probability by some hundredths.
        assert abs(float(shown[label]) - unit.probability) < 0.1, label
    assert not page.errors
