"""Numbers that Python and the page share stand once."""

import runpy


def test_the_page_has_the_numbers_of_the_python_code(root):
    written = runpy.run_path(str(root / "web" / "facts.py"))
    assert written["FILE"].read_text("utf-8") == written["text"](), "run: python web/facts.py"
