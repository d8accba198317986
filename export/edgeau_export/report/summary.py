"""What ``edgeau-export`` prints on stdout when it is done."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgeau.bundle.manifest import Artifact, Manifest

__all__ = ["summary"]

_HEAD = ("artifact", "runtime", "precision", "MB", "max diff", "mean diff", "flips", "measured in")


def summary(manifest: Manifest, out: Path) -> str:
    """A table of the artifacts, what waits for the board, and where the bundle is."""
    untrained = "" if manifest.network.trained else "  UNTRAINED: random weights"
    rows = [_HEAD, *(_row(artifact) for artifact in manifest.artifacts)]
    lines = [f"{manifest.network.title} for {manifest.target}{untrained}", *_aligned(rows)]
    commands = dict.fromkeys(stage.command for stage in manifest.pending)  # one may finish several stages
    lines += [f"on the board, in the bundle's folder: {command}" for command in commands]
    return "\n".join([*lines, f"bundle: {out}"])


def _row(artifact: Artifact) -> tuple[str, ...]:
    parity = artifact.parity
    measured = (
        ("-", "-", "-", "-")
        if parity is None
        else (
            f"{parity.max_abs_logit:.2g}",
            f"{parity.mean_abs_logit:.2g}",
            f"{parity.decision_flips:.2%}",
            parity.engine or "not recorded",
        )
    )
    return (artifact.file, artifact.runtime, artifact.precision, f"{artifact.bytes / 1e6:.1f}", *measured)


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
