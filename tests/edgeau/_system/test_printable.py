"""Names that are no text become text."""

import os

import pytest

from edgeau._system.printable import printable


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("caf\u00e9 \u4eba", "caf\u00e9 \u4eba"),
        (os.fsdecode(b"caf\xe9.jpg"), "caf\\xe9.jpg"),
        ("half \ud800", "half \\ud800"),
    ],
)
def test_bytes_that_are_no_text_are_escaped(given: str, shown: str) -> None:
    assert printable(given) == shown
