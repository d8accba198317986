"""A report as one self-contained page with plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgeau import __version__
from edgeau_apps.bench.result import Row
from edgeau_apps.report.published_tables import ScoreTable, cost_table
from edgeau_apps.report.subjects import Subject
from edgeau_apps.report.tables import ReportTable, ceilings_table, comparison, costs, layers, scores
from edgeau_export.profiling.model_profile import blocks
from edgeau_export.profiling.roofline import Ceilings
from edgeau_export.report.html.html import document, section, table
from edgeau_export.report.html.plots import Bar, Point, bars, points

__all__ = ["page"]

_STATUS_SERIES = {"published": 0, "computed": 1, "inferred": 2}


def page(
    subjects: Sequence[Subject],
    ceilings: Ceilings | None,
    bench: Sequence[Row],
    published: Mapping[str, ScoreTable] | None,
) -> str:
    """The page.

    Args:
        subjects: what is compared.
        ceilings: ceilings of this machine, or None.
        bench: latencies, or none.
        published: tables of the papers that stand below, by name; None for none.
    """
    sections = []
    if subjects:
        sections.append(section("Comparison", _plots(subjects, bench), _table(comparison(subjects))))
    if ceilings is not None:
        sections.append(section("Roofline", _table(ceilings_table(ceilings, subjects))))
    for subject in subjects:
        profile = subject.profile
        whole = blocks(profile.layers)
        sections.append(
            section(
                profile.name,
                _block_plot(subject),
                _table(layers(profile, whole, "blocks")),
                section("All layers", _table(layers(profile, profile.layers, "layers")), folded=True),
            )
        )
    if published is not None:
        tables = [costs(cost_table()), *(scores(one) for one in published.values())]
        sections.append(section("Published figures", _paper_plot(), *map(_headed, tables)))
    names = ", ".join(subject.profile.name for subject in subjects) or "published figures"
    return document(f"Cost of {names}", f"edgeau {__version__}, edgeau-report", sections)


def _plots(subjects: Sequence[Subject], bench: Sequence[Row]) -> str:
    costs_plot = points(
        "MACs vs. parameters, both on logarithmic scales.",
        [Point(one.profile.name, one.profile.parameters / 1e6, one.profile.macs / 1e6) for one in subjects],
        "parameters, millions",
        "MACs, millions",
        logarithmic=(True, True),
    )
    with_f1 = [one for one in subjects if one.f1 is not None]
    f1_plot = (
        points(
            "Mean F1 against what is computed; each F1 is of the data named below the table.",
            [Point(one.profile.name, one.profile.macs / 1e6, one.f1 or 0.0) for one in with_f1],
            "MACs, millions",
            "mean F1",
        )
        if with_f1
        else ""
    )
    latency_plot = (
        points(
            "Median latency against size, as measured by edgeau-bench.",
            [
                Point(f"{row.artifact}, {row.threads}", row.bytes / 1e6, row.p50_ms)
                for row in bench
                if row.p50_ms
            ],
            "size, MB",
            "median latency, ms",
        )
        if any(row.p50_ms for row in bench)
        else ""
    )
    return f'<div class="plots">{costs_plot}{f1_plot}{latency_plot}</div>'


def _block_plot(subject: Subject) -> str:
    profile = subject.profile
    heavy = [block for block in blocks(profile.layers) if block.macs or block.parameters]
    data = [
        Bar(
            block.name,
            (100 * block.macs / max(1, profile.macs), 100 * block.parameters / max(1, profile.parameters)),
        )
        for block in heavy
    ]
    if not data:
        return ""
    return bars("Where the work and the weights are.", data, "share, percent", ("MACs", "parameters"))


def _paper_plot() -> str:
    """Parameters against MACs of the methods that have both; the colour is the weaker of the two figures' standing."""
    known = [row for row in cost_table().row if row.parameters.value and row.macs.value]
    data = [
        Point(
            row.method,
            (row.parameters.value or 0) / 1e6,
            (row.macs.value or 0) / 1e6,
            max(_STATUS_SERIES[row.parameters.status], _STATUS_SERIES[row.macs.status]),
        )
        for row in known
    ]
    return points(
        "Methods with both figures; a point is as good as the weaker of its two. Pictures differ in size.",
        data,
        "parameters, millions",
        "MACs, millions",
        logarithmic=(True, True),
        legend=tuple(_STATUS_SERIES),
    )


def _table(one: ReportTable) -> str:
    return table(one.head, one.rows, one.notes)


def _headed(one: ReportTable) -> str:
    return f"<h3>{one.title}</h3>{_table(one)}"
