"""Executed instructions of one inference: a cost that does not depend on the machine that emulates."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

_SOURCE = Path(__file__).with_name("instructions.c")


def build_plugin(place: Path, qemu_version: str) -> Path:
    """Compile the counter for a version of qemu; needs ``gcc``."""
    api = 1 if int(qemu_version.split(".", maxsplit=1)[0]) < 9 else 2
    plugin = place / f"instructions-{api}.so"
    command = ["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", f"-DAPI_VERSION={api}"]
    subprocess.run([*command, "-o", str(plugin), str(_SOURCE)], check=True)
    return plugin


def million_instructions(counts: Path, artifacts: Sequence[str]) -> dict[str, float]:
    """Million instructions of one inference of each artifact.

    Args:
        counts: file that the counter wrote; the guest marked the start and the end of one inference of each artifact.
        artifacts: that the guest ran, in its order.
    """
    marks = [int(line) for line in counts.read_text().split()] if counts.exists() else []
    if len(marks) != 2 * len(artifacts):
        raise RuntimeError(
            f"{len(marks)} marks of {len(artifacts)} artifacts: the counter and the guest disagree"
        )
    spans = zip(marks[::2], marks[1::2], strict=True)
    return {name: round((end - start) / 1e6, 1) for name, (start, end) in zip(artifacts, spans, strict=True)}
