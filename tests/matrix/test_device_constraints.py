"""The device's versions are those that are tested, each with digests."""

from __future__ import annotations

import re

from tests.matrix.device_constraints import PYTHONS, ROOT, WANTED, constraints

_ENTRY = re.compile(
    r"^([\w.-]+)==(\S+)( ; [^\\\n]+)? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)


def test_every_entry_has_digests_and_the_tested_version() -> None:
    text = (ROOT / "constraints-device.txt").read_text()
    entries = _ENTRY.findall(text)
    assert len(entries) == text.count("==") - text.count("python_version ==")
    names = {name for name, *_ in entries}
    assert set(WANTED) <= names
    tested = {}
    for python in PYTHONS:
        for line in constraints(python, "aarch64").splitlines():
            name, _, version = line.partition("==")
            tested.setdefault(name.lower().replace("_", "-"), set()).add(version)
    for name, version, *_ in entries:
        assert version in tested.get(name, {version}), name
