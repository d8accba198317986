"""Latencies for a report, from a file that ``edgeau-bench --json`` wrote."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeau.errors import InputError

__all__ = ["BenchRow", "read_bench"]


@dataclass(frozen=True)
class BenchRow:
    """One row of a benchmark: which artifact with how many threads, its size in bytes and median latency in milliseconds."""

    artifact: str
    runtime: str
    precision: str
    threads: int
    bytes: int
    p50_ms: float


def read_bench(path: Path) -> list[BenchRow]:
    """The rows of a result of ``edgeau-bench --json``.

    Raises:
        InputError: the file is missing or is no such result.
    """
    try:
        document = json.loads(path.read_text("utf-8"))
        return [_row(row) for row in document["rows"]]
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} is no result of edgeau-bench --json ({type(error).__name__}: {error}); "
            "make one with: edgeau-bench BUNDLE --json > bench.json"
        ) from error


def _row(row: dict[str, Any]) -> BenchRow:
    return BenchRow(
        artifact=str(row["artifact"]),
        runtime=str(row["runtime"]),
        precision=str(row["precision"]),
        threads=int(row["threads"]),
        bytes=int(row["bytes"]),
        p50_ms=float(row["p50_ms"]),
    )
