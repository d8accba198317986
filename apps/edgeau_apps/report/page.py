"""A report as one self-contained page with plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgeau import __version__
from edgeau_apps.bench.result import Row
from edgeau_apps.report.published_tables import ScoreTable, cost_table
from edgeau_apps.report.subjects import Subject
from edgeau_apps.report.tables import ReportTable, ceilings_table, comparison, costs, layers, meaning, scores
from edgeau_export.profiling.model_profile import blocks
from edgeau_export.profiling.roofline import Ceilings
from edgeau_export.report.html.html import document, paragraph, section, table
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
        compared = comparison(subjects)
        sections.append(
            section("Comparison", paragraph(meaning(subjects)), _table(compared), _plots(subjects, bench))
        )
    if ceilings is not None:
        sections.append(section("Roofline", _table(ceilings_table(ceilings, subjects))))
    if subjects:
        sections.append(section("Blocks and layers", *map(_inside, subjects)))
    if published is not None:
        tables = [costs(cost_table()), *(scores(one) for one in published.values())]
        folded = [section(one.title, _table(one), folded=True) for one in tables]
        sections.append(section("Published figures", _paper_plot(), *folded))
    names = ", ".join(subject.label for subject in subjects) or "published figures"
    return document("Cost of networks", f"{names}. edgeau {__version__}, edgeau-report.", sections)


def _inside(subject: Subject) -> str:
    """Blocks of one network, and below them its layers, folded."""
    profile = subject.profile
    return section(
        subject.label,
        _block_plot(subject),
        _table(layers(subject, blocks(profile.layers), "blocks")),
        section("All layers", _table(layers(subject, profile.layers, "layers")), folded=True),
        folded=True,
    )


def _plots(subjects: Sequence[Subject], bench: Sequence[Row]) -> str:
    costs_plot = points(
        "MACs vs. parameters, both on logarithmic scales.",
        [Point(one.label, one.profile.parameters / 1e6, one.profile.macs / 1e6) for one in subjects],
        "parameters, millions",
        "MACs, millions",
        logarithmic=(True, True),
    )
    with_f1 = [one for one in subjects if one.f1 is not None]
    f1_plot = (
        bars(
            "Mean F1 over AUs, 0..1; each is of the data named below the table.",
            [Bar(one.label, (one.f1 or 0.0,)) for one in with_f1],
            "mean F1",
            top=1.0,
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
    return f'<div class="plots">{f1_plot}{costs_plot}{latency_plot}</div>'


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
