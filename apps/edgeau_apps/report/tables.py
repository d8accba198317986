"""Tables of a report as rows of text, and their two plain forms: aligned for a terminal, Markdown for a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgeau._system.text_table import aligned_lines
from edgeau_apps.bench.result import Result, shown_ms
from edgeau_apps.report.published_tables import Cost, CostTable, ScoreTable
from edgeau_apps.report.subjects import Subject
from edgeau_export.profiling.model_profile import Layer
from edgeau_export.profiling.roofline import Ceilings, bound_seconds

__all__ = [
    "ReportTable",
    "aligned",
    "ceilings_table",
    "comparison",
    "costs",
    "latencies_table",
    "layers",
    "markdown",
    "meaning",
    "scores",
]

_NONE = "-"
_SENTENCE = 60  # a wider column holds sentences


@dataclass(frozen=True)
class ReportTable:
    """A title, a head, rows of as many cells, and what must be said below."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def comparison(subjects: Sequence[Subject]) -> ReportTable:
    """One row a network or artifact."""
    head = (
        "model",
        "mean F1, 0..1",
        "input, pixels",
        "parameters",
        "MACs",
        "FLOPs",
        "activations, values",
        "peak, MB",
        "file, MB",
        "MACs in INT8",
    )
    notes = [
        "Input: height, width and channels as the file takes them. A MAC is one product and one sum in a convolution or matrix product; FLOPs are twice that.",
        "Peak is of activations alone, float32 for a network, as they are stored for a file.",
    ]
    data = sorted({subject.f1_data for subject in subjects if subject.f1_data})
    notes += [f"F1 is the mean over AUs on {one}." for one in data]
    for subject in subjects:
        profile = subject.profile
        notes += [
            f"{subject.label}: NOT COUNTED {kind} x {number}" for kind, number in profile.unknown.items()
        ]
    return ReportTable("Comparison", head, tuple(_compared(subject) for subject in subjects), tuple(notes))


def _compared(subject: Subject) -> tuple[str, ...]:
    profile = subject.profile
    share = profile.integer_share
    return (
        subject.label,
        _f1_cell(subject),
        " x ".join(map(str, profile.input_shape[1:])),
        f"{profile.parameters:,}",
        f"{profile.macs:,}",
        f"{profile.flops:,}",
        f"{profile.activations:,}",
        _megabytes(profile.peak_bytes),
        _megabytes(profile.file_bytes),
        _NONE if share is None else f"{share:.1%}",
    )


def _f1_cell(subject: Subject) -> str:
    if subject.f1 is None:
        return _NONE
    interval = "" if subject.f1_interval is None else " [{:.3f} {:.3f}]".format(*subject.f1_interval)
    return f"{subject.f1:.3f}{interval}"


def meaning(subjects: Sequence[Subject]) -> str:
    """Say in words what the comparison shows: the best F1, and what the smallest file gives up of it."""
    words = (
        "F1 says how well decisions agree with labels (1 is perfect); on other faces it is another one, so compare rows of the same data only."
        " MACs and parameters say how much is computed and stored, not how fast: edgeau-bench measures that."
    )
    scored = [(subject.f1, subject) for subject in subjects if subject.f1 is not None]
    if not scored:
        return words
    best_f1, best = max(scored, key=lambda one: one[0])
    said = f"{best.label} has the highest mean F1, {best_f1:.3f}."
    files = [(one.profile.file_bytes, f1, one) for f1, one in scored if one.profile.file_bytes]
    if files:
        size, f1, smallest = min(files, key=lambda one: one[0])
        said += f" The smallest file is {smallest.label}: {size / 1e6:.1f} MB, mean F1 {f1:.3f} ({f1 - best_f1:+.3f})."
    missing = [subject.label for _, subject in scored if subject.f1_interval is None]
    unknown = (
        "" if not missing else f" The interval of the mean F1 was not recorded for {', '.join(missing)}."
    )
    return f"{said} {words} Brackets hold 95 % bootstrap intervals.{unknown}"


def layers(subject: Subject, rows: Sequence[Layer], title: str) -> ReportTable:
    """Layers or blocks of one network."""
    profile = subject.profile
    head = ("layer", "kind", "parameters", "MACs", "share of MACs", "activations, values", "integer")
    return ReportTable(
        f"{subject.label}: {title}",
        head,
        tuple(_layer(row, profile.macs) for row in rows),
        (
            f"{profile.title}; counted by {profile.counted}.",
            "Without multiply-accumulates: "
            + (", ".join(f"{kind} x {n}" for kind, n in profile.without_macs.items()) or "none")
            + ".",
            *profile.notes,
        ),
    )


def _layer(row: Layer, macs: int) -> tuple[str, ...]:
    share = f"{row.macs / macs:.1%}" if macs and row.macs else _NONE
    integer = _NONE if row.integer is None else "yes" if row.integer else "no"
    return (
        row.name,
        row.kind,
        f"{row.parameters:,}",
        f"{row.macs:,}",
        share,
        f"{row.activations:,}",
        integer,
    )


def costs(table: CostTable) -> ReportTable:
    """The comparison of costs, each figure with its status."""
    rows = tuple(
        (row.method, *_cost(row.parameters), *_cost(row.macs), _joined(row.parameters.note, row.macs.note))
        for row in table.row
    )
    head = ("method", "parameters", "status", "MACs", "status", "note")
    return ReportTable(table.title, head, rows, (f"Source: {table.source}.",))


def _cost(cost: Cost) -> tuple[str, str]:
    return ("n/a" if cost.value is None else f"{cost.value:,.0f}", cost.status)


def _joined(first: str, second: str) -> str:
    return "; ".join(note for note in (first, second) if note)


def scores(table: ScoreTable) -> ReportTable:
    """A paper's table."""
    mean = any(row.mean is not None for row in table.row)
    head = ("method", *table.columns, *(("mean as printed",) if mean else ()))
    rows = tuple(
        (
            row.method,
            *(_as_printed(value, table.decimals) for value in row.values),
            *(((_NONE if row.mean is None else _as_printed(row.mean, table.decimals)),) if mean else ()),
        )
        for row in table.row
    )
    return ReportTable(
        f"{table.title} ({table.unit}; {table.status})",
        head,
        rows,
        (f"Source: {table.source}.", *table.notes),
    )


def _as_printed(value: float, decimals: int) -> str:
    """With so many decimals, or more where the number has more: ``50.0``, ``57.24``."""
    given = len(f"{value:g}".partition(".")[2])
    return f"{value:.{max(decimals, given)}f}"


def ceilings_table(ceilings: Ceilings, subjects: Sequence[Subject]) -> ReportTable:
    """Make the table of what this machine's roofline allows each subject."""
    rows = tuple(
        (subject.label, shown_ms(1e3 * bound_seconds(subject.profile, ceilings))) for subject in subjects
    )
    return ReportTable(
        "Roofline of this machine, one thread",
        ("model", "least latency of one face, ms"),
        rows,
        (
            (
                f"{ceilings.processor}: float32 {ceilings.float_macs / 1e9:.1f}, uint8 by int8 "
                f"{ceilings.integer_macs / 1e9:.1f} billion MACs a second; copy {ceilings.bandwidth / 1e9:.1f} GB/s; "
                "measured now."
            ),
        ),
    )


def latencies_table(bench: Result) -> ReportTable:
    """Make the table of latencies that edgeau-bench measured."""
    about = bench.provenance
    rows = [row for row in bench.rows if row.p50_ms is not None]
    return ReportTable(
        f"Latencies of {about.network} on {about.processor}, {about.date[:10]}, measured by edgeau-bench",
        ("model", "threads", "faces a run", "p50, ms", "p95, ms"),
        tuple(
            (row.label, str(row.threads or _NONE), str(row.batch), shown_ms(row.p50_ms), shown_ms(row.p95_ms))
            for row in rows
        ),
        tuple(f"{row.label}: {row.fault}" for row in bench.rows if row.fault),
    )


def aligned(table: ReportTable) -> str:
    """For a terminal; a column of sentences stands below, a line a row."""
    columns = list(zip(table.head, *table.rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    kept = [number for number, width in enumerate(widths) if width <= _SENTENCE]
    lines = aligned_lines([[cells[n] for n in kept] for cells in zip(*columns, strict=True)], right=True)
    sentences = [
        f"{row[0]}: {row[number]}"
        for number in range(len(columns))
        if number not in kept
        for row in table.rows
        if row[number]
    ]
    return "\n".join([table.title, *lines, *sentences, *table.notes])


def markdown(table: ReportTable) -> str:
    """For a page."""
    rule = "|".join(["---", *("---:" for _ in table.head[1:])])
    lines = [f"| {' | '.join(map(_escaped, row))} |" for row in (table.head, *table.rows)]
    lines.insert(1, f"|{rule}|")
    notes = "".join(f"\n- {note}" for note in table.notes)
    return f"### {table.title}\n\n" + "\n".join(lines) + (f"\n{notes}" if notes else "")


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|")


def _megabytes(size: int | None) -> str:
    return _NONE if size is None else f"{size / 1e6:.1f}"
