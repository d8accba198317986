"""A report as one self-contained page with plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from edgeau import __version__
from edgeau_apps.bench.result import Result, Row, median_interval
from edgeau_apps.report.published_tables import ScoreTable, cost_table
from edgeau_apps.report.subjects import Subject
from edgeau_apps.report.tables import ReportTable, comparison, costs, layers, meaning, scores
from edgeau_export.profiling.model_profile import blocks
from edgeau_export.report.html.html import document, paragraph, section, table
from edgeau_export.report.html.plots import Bar, Point, Range, bars, points, ranges

__all__ = ["page"]

_STATUS_SERIES = {"published": 0, "computed": 1, "inferred": 2}


def page(
    subjects: Sequence[Subject],
    measured: Sequence[ReportTable],
    bench: Result | None,
    published: Mapping[str, ScoreTable] | None,
) -> str:
    """The page.

    Args:
        subjects: what is compared.
        measured: tables of what this machine or a board allows, each a section of its own.
        bench: a result of edgeau-bench, or None.
        published: tables of the papers that stand below, by name; None for none.
    """
    sections = []
    if subjects:
        compared = comparison(subjects)
        sections.append(
            section("Comparison", paragraph(meaning(subjects)), _table(compared), _plots(subjects, bench))
        )
    elif bench is not None:
        sections.append(section("Latencies", f'<div class="plots">{"".join(_latency_plots(bench))}</div>'))
    sections += [section(one.title, _table(one)) for one in measured]
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


def _plots(subjects: Sequence[Subject], bench: Result | None) -> str:
    scored = [one for one in subjects if one.f1 is not None]
    plots = [_f1_plot(scored)] if scored else []
    networks = {(one.model, one.profile.parameters, one.profile.macs) for one in subjects}
    plots.append(
        points(
            "MACs vs. parameters of each network, both on logarithmic scales.",
            [
                Point(model, max(parameters, 1) / 1e6, max(macs, 1) / 1e6)
                for model, parameters, macs in sorted(networks)
            ],
            "parameters, millions",
            "MACs of one face, millions",
            logarithmic=(True, True),
        )
    )
    if bench is not None:
        plots += _latency_plots(bench)
    return f'<div class="plots">{"".join(plots)}</div>'


def _f1_plot(scored: Sequence[Subject]) -> str:
    with_interval = any(one.f1_interval is not None for one in scored)
    return bars(
        "Mean F1 over AUs, of the data named below the table; ticks are the F1 of single AUs"
        + (", whiskers 95 % bootstrap intervals of the mean." if with_interval else "."),
        [Bar(one.label, (one.f1 or 0.0,), (one.f1_interval,), one.f1_aus) for one in scored],
        "F1, 0..1",
        top=1.0,
    )


def _latency_plots(bench: Result) -> list[str]:
    """One plot a batch size; the processor and the date are those of the measurement."""
    measured = [row for row in bench.rows if row.p50_ms is not None]
    about = bench.provenance
    return [
        ranges(
            f"{about.network} on {about.processor}, {about.date[:10]}, measured by edgeau-bench: median of a run, thick line its 95 % "
            "interval (order statistics), thin line from the 5th to the 95th percentile of the runs.",
            [_latency(row) for row in measured if row.batch == batch],
            f"latency of {'one face' if batch == 1 else f'{batch} faces in one run'}, ms",
        )
        for batch in sorted({row.batch for row in measured})
    ]


def _latency(row: Row) -> Range:
    threads = f"{row.threads} thread{'s' if row.threads > 1 else ''}" if row.threads else "its own threads"
    low, high = np.percentile(row.samples_ms, (5, 95))
    return Range(
        f"{row.precision} ({row.runtime}), {threads}",
        row.p50_ms or 0.0,
        median_interval(row.samples_ms),
        (float(low), float(high)),
    )


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
    return bars(
        "Where the work and the weights are: shares of each block.",
        data,
        "share of the network, %",
        ("MACs", "parameters"),
    )


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
