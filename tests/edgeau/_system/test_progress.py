"""One kind of progress bar, and none where nobody asked."""

import re
from pathlib import Path

import pytest

from edgeau._system.progress import progress_bar, show_progress

ROOT = Path(__file__).resolve().parents[3]
SOURCES = [
    path
    for folder in ("edgeau", "apps", "export", "calibration", "training")
    for path in (ROOT / folder).rglob("*.py")
    if path.name != "progress.py"
]


@pytest.fixture
def bars_again():
    yield
    show_progress(True)


def test_a_bar_is_silent_off_a_terminal_when_hidden_and_when_quiet(bars_again) -> None:
    pytest.importorskip("tqdm")
    assert progress_bar(range(3)).disable, "stderr is no terminal here"
    assert progress_bar(range(3), hidden=True).disable
    show_progress(False)
    assert progress_bar(range(3)).disable


def test_nobody_draws_a_bar_of_their_own() -> None:
    assert [
        str(path) for path in SOURCES if re.search(r"import tqdm\b(?!.*write)", path.read_text("utf-8"))
    ] == []
