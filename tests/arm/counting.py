"""Executed instructions: a cost that does not depend on the machine that emulates."""

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
    marks = read_counts(counts)
    if len(marks) != 2 * len(artifacts):
        raise RuntimeError(
            f"{len(marks)} marks of {len(artifacts)} artifacts: the counter and the guest disagree"
        )
    spans = zip(marks[::2], marks[1::2], strict=True)
    return {name: round((end - start) / 1e6, 1) for name, (start, end) in zip(artifacts, spans, strict=True)}


def read_counts(counts: Path) -> list[int]:
    """Instructions executed up to each mark, from the file that the counter wrote; none without a file."""
    return [int(line) for line in counts.read_text().split()] if counts.exists() else []


def nested_spans(marks: Sequence[tuple[str, bool]], counts: Sequence[int]) -> list[dict[str, int]]:
    """Instructions of the parts of every outermost span, each without the parts inside it.

    Args:
        marks: the part of each mark, and True where it begins there, False where it ends; parts may lie inside each other.
        counts: instructions executed up to each mark.

    Returns:
        For every outermost span, instructions by part, in the order in which parts begin. The outermost part has what no other one
        has, so that the values add up to the whole span.

    Raises:
        RuntimeError: there are more marks than counts or fewer, a part ends that did not begin last, or one does not end.
    """
    if len(marks) != len(counts):
        raise RuntimeError(f"{len(counts)} counts of {len(marks)} marks: the counter and the guest disagree")
    spans: list[dict[str, int]] = []
    opened: list[str] = []
    last = 0
    for (part, begins), count in zip(marks, counts, strict=True):
        if opened:
            spans[-1][opened[-1]] += count - last
        last = count
        if begins:
            if not opened:
                spans.append({})
            opened.append(part)
            spans[-1].setdefault(part, 0)
        elif not opened or opened.pop() != part:
            raise RuntimeError(f"{part!r} ends, which did not begin last")
    if opened:
        raise RuntimeError(f"{opened[-1]!r} does not end")
    return spans
