"""Cost of INT8 in decisions: F1 per AU where labels exist, flips where they do not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgeau_export.report.html.html import format_signed, number, paragraph, percent, table
from edgeau_export.report.html.plots import Bar, bars

__all__ = ["flips", "parts"]

_NAMES = {"float": "float", "as_made": "INT8", "refitted": "INT8, refitted"}


def parts(artifact: dict[str, Any], of_float: dict[str, Any] | None) -> list[str]:
    """Bars and a table of F1 per AU, with intervals; a sentence where there were no labels.

    Args:
        artifact: artifact of the report.
        of_float: accuracy of the float artifact by the manifest, or None.
    """
    measured = artifact["labelled"]
    if measured is None:
        known = artifact["accuracy"]
        if known is None:
            return [
                paragraph(
                    "No labelled faces were at hand: what this artifact costs in F1 was not measured, only flips.",
                    "soft",
                )
            ]
        return ["<h3>F1 per action unit</h3>", *_plain(known, of_float)]
    sets = [name for name in _NAMES if name in measured["mean"]]
    interval = measured["interval"]
    note = (
        f"{measured['count']} faces, {measured['data']}. Brackets and whiskers: 95 % bootstrap intervals, "
        f"{interval['resamples']} draws of {interval['resampled']}. Refitted: decided at thresholds that were fitted again."
    )
    drawn = bars(
        f"F1 per action unit. {note}",
        [
            _bar(label, row, sets)
            for label, row in measured["per_au"].items()
            if row["float"]["value"] is not None
        ],
        "F1, 0..1",
        legend=[_NAMES[name] for name in sets],
        top=1.0,
    )
    return ["<h3>F1 per action unit</h3>", f'<div class="plots">{drawn}</div>', _table(measured, sets)]


def flips(artifact: dict[str, Any]) -> list[str]:
    """Flips per AU."""
    counted = artifact["flips"]
    if counted is None:
        return []
    turned = {label: row for label, row in counted["per_au"].items() if row["flips"]}
    said = paragraph(
        f"{percent(counted['share'], 2)} [{percent(counted['low'], 2)} {percent(counted['high'], 2)}] of the decisions about "
        f"{counted['count']} {counted['data']} differ from float (95 % bootstrap interval over crops)."
    )
    if not turned:
        return ["<h3>Flipped decisions</h3>", said]
    count = counted["count"]
    worst_first = sorted(turned.items(), key=lambda item: -item[1]["flips"])
    rows = [
        (
            label,
            str(row["flips"]),
            str(row["active"]),
            f"{percent(row['flips'] / count, 1)} [{percent(row['low'], 1)} {percent(row['high'], 1)}]",
        )
        for label, row in worst_first
    ]
    drawn = bars(
        "Flipped decisions of each AU that has some; whiskers: 95 % binomial (Wilson) intervals.",
        [
            Bar(label, (100 * row["flips"] / count,), ((100 * row["low"], 100 * row["high"]),))
            for label, row in worst_first
        ],
        f"flipped decisions, % of {count} crops",
    )
    return [
        "<h3>Flipped decisions</h3>",
        said,
        f'<div class="plots">{drawn}</div>',
        table(("AU", "flips, crops", "active in float, crops", "share of crops, % [95 %]"), rows),
    ]


def _bar(label: str, row: Mapping[str, Any], sets: list[str]) -> Bar:
    return Bar(
        label,
        tuple(row[name]["value"] for name in sets),
        tuple((row[name]["low"], row[name]["high"]) for name in sets),
    )


def _table(measured: dict[str, Any], sets: list[str]) -> str:
    head = ["AU", "positives, faces", *(f"F1, {_NAMES[one]} [95 %]" for one in sets), "F1 drop"]
    rows = [
        [
            label,
            str(row["positives"]),
            *(_cell(row[name]) for name in sets),
            format_signed(_drop(row, sets[-1]), 4),
        ]
        for label, row in measured["per_au"].items()
    ]
    means = measured["mean"]
    rows.append(
        [
            "mean",
            "",
            *(_cell(means[name]["f1"]) for name in sets),
            format_signed(means[sets[-1]]["drop"]["value"], 4),
        ]
    )
    notes = [_drop_note(_NAMES[name], means[name]) for name in sets[1:]]
    return table(head, rows, notes)


def _drop_note(name: str, mean: dict[str, Any]) -> str:
    drop = mean["drop"]
    return (
        f"{name}: the mean F1 drops by {format_signed(drop['value'], 4)} [{format_signed(drop['low'], 4)} {format_signed(drop['high'], 4)}], "
        f"that of the worst AU by {format_signed(mean['drop_worst'], 4)}."
    )


def _drop(row: Mapping[str, Any], name: str) -> float | None:
    return _difference(row["float"]["value"], row[name]["value"])


def _cell(value: dict[str, float | None]) -> str:
    return f"{number(value['value'], 3)} [{number(value['low'], 3)} {number(value['high'], 3)}]"


def _plain(known: dict[str, Any], of_float: dict[str, Any] | None) -> list[str]:
    """From the manifest alone, which has no intervals."""
    before = {} if of_float is None else of_float["f1"]
    rows = [
        (
            label,
            number(before.get(label), 3),
            number(value, 3),
            format_signed(_difference(before.get(label), value), 4),
        )
        for label, value in known["f1"].items()
    ]
    mean = None if of_float is None else of_float["f1_mean"]
    rows.append(
        ("mean", number(mean, 3), number(known["f1_mean"], 3), format_signed(known["f1_drop_mean"], 4))
    )
    note = (
        f"{known['count']} faces, {known['data']}; measured in {known['engine'] or 'an engine not recorded'} when the network was made, "
        "without intervals."
    )
    data = [
        Bar(label, (before[label], value))
        for label, value in known["f1"].items()
        if value is not None and before.get(label) is not None
    ]
    drawn = (
        [bars(f"F1 per action unit. {note}", data, "F1, 0..1", legend=("float", "INT8, refitted"), top=1.0)]
        if data
        else []
    )
    return [
        *(f'<div class="plots">{plot}</div>' for plot in drawn),
        table(("AU", "F1, float", "F1, INT8, refitted", "F1 drop"), rows, [note]),
    ]


def _difference(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else before - after
