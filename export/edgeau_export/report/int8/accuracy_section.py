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
        "F1",
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
        f"{percent(counted['share'], 2)} of the decisions about {counted['count']} {counted['data']} differ from float."
    )
    if not turned:
        return ["<h3>Flipped decisions</h3>", said]
    rows = [
        (label, str(row["flips"]), str(row["active"]), percent(row["flips"] / counted["count"], 1))
        for label, row in sorted(turned.items(), key=lambda item: -item[1]["flips"])
    ]
    return [
        "<h3>Flipped decisions</h3>",
        said,
        table(("AU", "flips", "active in float", "share of crops"), rows),
    ]


def _bar(label: str, row: Mapping[str, Any], sets: list[str]) -> Bar:
    return Bar(
        label,
        tuple(row[name]["value"] for name in sets),
        tuple((row[name]["low"], row[name]["high"]) for name in sets),
    )


def _table(measured: dict[str, Any], sets: list[str]) -> str:
    head = ["AU", "positives", *(name for one in sets for name in (_NAMES[one], "")), "drop"]
    rows = [
        [
            label,
            str(row["positives"]),
            *(cell for name in sets for cell in _cells(row[name])),
            format_signed(_drop(row, sets[-1]), 4),
        ]
        for label, row in measured["per_au"].items()
    ]
    means = measured["mean"]
    rows.append(
        [
            "mean",
            "",
            *(cell for name in sets for cell in _cells(means[name]["f1"])),
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


def _cells(value: dict[str, float | None]) -> tuple[str, str]:
    return number(value["value"], 3), f"[{number(value['low'], 3)} {number(value['high'], 3)}]"


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
        [bars(f"F1 per action unit. {note}", data, "F1", legend=("float", "INT8, refitted"), top=1.0)]
        if data
        else []
    )
    return [
        *(f'<div class="plots">{plot}</div>' for plot in drawn),
        table(("AU", "float", "INT8, refitted", "drop"), rows, [note]),
    ]


def _difference(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else before - after
