"""Plan of a data set, and its shards in the order of rendering."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgeau_training.synth import shards

__all__ = ["ORDER", "Plan", "Shard", "planned_shards"]

# Validation first, so that a training can start on a growing set; test last, since nothing waits for it.
ORDER = ("val", "train", "test")


@dataclass(frozen=True)
class Plan:
    """Contents of a data set: rig folder, output folder, seed, pictures per split, picture size in pixels."""

    rig: Path
    out: Path
    seed: int
    counts: dict[str, int]
    size: int = 256
    cache: Path | None = None


@dataclass(frozen=True)
class Shard:
    """Samples first..first+rows-1 of a split."""

    split: str
    number: int
    first: int
    rows: int


def planned_shards(counts: dict[str, int]) -> list[Shard]:
    """Return every shard of a data set in the order of rendering."""
    return [
        Shard(split, start // shards.SHARD_ROWS, start, min(shards.SHARD_ROWS, counts[split] - start))
        for split in ORDER
        for start in range(0, counts[split], shards.SHARD_ROWS)
    ]
