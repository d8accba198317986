"""Cost of networks on a board: computed ranges, and how far the model is from what others measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from edgeau_apps.report.subjects import Subject
from edgeau_apps.report.tables import ReportTable
from edgeau_export.profiling.board_cost import (
    Board,
    Expected,
    Published,
    expected,
    frame_expected,
    published,
)

__all__ = ["board_document", "board_tables"]


def board_tables(board: Board, subjects: Sequence[Subject]) -> list[ReportTable]:
    """A table of the subjects, and one of published measurements beside what the model says of them."""
    rows = [
        (
            subject.label,
            runtime,
            precision,
            _shown(one),
            _shown(all_cores),
            _shown(frame_expected(board, one)),
        )
        for subject, runtime, precision, one, all_cores in _costs(board, subjects)
    ]
    costs = ReportTable(
        f"Expected on {board.title}: computed, not measured",
        ("model", "engine", "precision", "ms, one thread", f"ms, {board.cores} threads", "ms a frame"),
        tuple(rows),
        (
            "Middle of a range [low high], from instructions counted under emulation, bytes of weights and ranges of rates (boards.toml).",
            "A frame: landmarks, network and edgeau's own work of a tracked frame with one face, on one thread. The other columns are of the network alone.",
            *_left_out(board, subjects),
        ),
    )
    return [costs, _held_against(published())]


def board_document(board: Board, subjects: Sequence[Subject]) -> dict[str, Any]:
    """The same as plain values."""
    return {
        "board": board.title,
        "costs": [
            {
                "model": subject.label,
                "runtime": runtime,
                "precision": precision,
                "ms_one_thread": asdict(one),
                "ms_all_cores": asdict(all_cores),
                "ms_frame": asdict(frame_expected(board, one)),
            }
            for subject, runtime, precision, one, all_cores in _costs(board, subjects)
        ],
        "left_out": _left_out(board, subjects),
        "published": [asdict(row) | {"off": row.off} for row in published()],
    }


def _costs(
    board: Board, subjects: Sequence[Subject]
) -> Iterator[tuple[Subject, str, str, Expected, Expected]]:
    for subject in subjects:
        for runtime, precision in _engines(board, subject):
            one = expected(board, subject.profile, runtime, precision)
            every = expected(board, subject.profile, runtime, precision, board.cores)
            if one is not None and every is not None:
                yield subject, runtime, precision, one, every


def _left_out(board: Board, subjects: Sequence[Subject]) -> list[str]:
    """Say of which subjects nothing is expected, one line each."""
    return [
        f"{subject.label}: no figure, since instructions of {subject.runtime} {subject.precision} were not counted."
        for subject in subjects
        if subject.runtime and subject.precision not in board.instructions.get(subject.runtime, {})
    ]


def _engines(board: Board, subject: Subject) -> list[tuple[str, str]]:
    """Engine and precision of a file; of a network that is not a file all that were counted."""
    if subject.runtime:
        return [(subject.runtime, subject.precision)]
    return [(runtime, precision) for runtime, row in board.instructions.items() for precision in row]


def _held_against(rows: Sequence[Published]) -> ReportTable:
    return ReportTable(
        "The same model beside what others measured",
        ("network", "board", "engine", "threads taken", "published ms", "expected ms", "published / middle"),
        tuple(
            (
                row.network,
                row.board.partition(",")[0],
                row.engine,
                str(row.threads),
                f"{row.ms[0]:g}" if row.ms[0] == row.ms[1] else f"{row.ms[0]:g} to {row.ms[1]:g}",
                _shown(row.expected),
                f"{row.off:.2f}",
            )
            for row in rows
        ),
        _sources(rows),
    )


def _sources(rows: Sequence[Published]) -> tuple[str, ...]:
    """Each source once, with what was taken from it."""
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row.source, []).append(f"{row.network} ({row.engine})")
    return tuple(f"{', '.join(networks)}: {source}." for source, networks in found.items())


def _shown(cost: Expected) -> str:
    return f"{_ms(cost.middle)} [{_ms(cost.low)} {_ms(cost.high)}]"


def _ms(value: float) -> str:
    """Whole milliseconds; of a few or less two digits."""
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"
