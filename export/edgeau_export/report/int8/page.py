"""The page of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from edgeau.action_units.names import DEFAULT, MOVES, au_number, facs_name
from edgeau_export.report.html.html import document as html_document
from edgeau_export.report.html.html import format_signed, number, paragraph, percent, picture, section, table
from edgeau_export.report.html.plots import Point, points
from edgeau_export.report.int8 import accuracy_section, inside_section

__all__ = ["page"]


def page(report: dict[str, Any], galleries: Mapping[str, Sequence[str]], gallery_of: str) -> str:
    """The whole page as HTML.

    Args:
        report: result of :func:`edgeau_export.report.int8.document.document`.
        galleries: file -> figures of its worst flips.
        gallery_of: which crops they show, for people.
    """
    network = report["network"]
    lead = (
        f"{network['parameters']:,} parameters, {len(report['labels'])} action units, for {report['target']}. "
        f"Trained on: {network['training']}"
    )
    sections = [_untrained(network), _artifacts(report), _front(report["front"])]
    of_float = next((one["accuracy"] for one in report["artifacts"] if one["precision"] == "fp32"), None)
    for artifact in report["artifacts"]:
        if artifact["precision"] == "fp32":
            continue
        parts = [
            *accuracy_section.parts(artifact, of_float),
            *accuracy_section.flips(artifact),
            *_gallery(galleries.get(artifact["file"], ()), gallery_of),
            *inside_section.parts(artifact),
        ]
        if parts:
            heading = f"{artifact['precision'].upper()} in {artifact['runtime']} ({artifact['file']})"
            sections.append(section(heading, _calibration(artifact), *parts))
    sections.append(_plate(report["labels"]))
    sections.append(_tools(report["tools"]))
    return html_document(f"{network['title']}: what the export costs", lead, filter(None, sections))


def _plate(labels: Sequence[str]) -> str:
    """Rendered pictures of the action units that have some, folded."""
    rows = [
        f"<h3>{label} {facs_name(label).lower()}</h3>"
        + picture(
            (files("edgeau") / "assets" / "plate" / f"{label}.webp").read_bytes(),
            f"{label} at rest, at three intensities and, where it has sides, on one",
            MOVES[au_number(label)],
            "webp",
        )
        for label in labels
        if label in DEFAULT
    ]
    if not rows:
        return ""
    means = paragraph(
        "One rendered face: at rest, then the AU alone at 0.35, 0.7 and 1 of the rig's intensity, then on the person's left side alone where it "
        "has sides. Rendered with ICT-FaceKit's light face model, Copyright (c) 2020 USC Institute for Creative Technologies, MIT License.",
        "soft",
    )
    return section("The action units in pictures", section("Show them", means, *rows, folded=True))


def _untrained(network: dict[str, Any]) -> str:
    if network["trained"]:
        return ""
    return paragraph("UNTRAINED: these weights saw no data, so every figure below is meaningless.", "bad")


def _artifacts(report: dict[str, Any]) -> str:
    head = (
        "artifact",
        "runtime",
        "precision",
        "mean F1, 0..1",
        "mean F1 drop",
        "worst AU's F1 drop",
        "size, MB",
        "size, % of float",
        "decisions flipped",
        "flips measured in",
        "F1 measured in",
        "MACs in INT8",
    )
    rows = [_row(artifact) for artifact in report["artifacts"]]
    notes = [
        "In the order in which a device tries them.",
        *dict.fromkeys(
            f"Flips: share of AU decisions other than those of {parity['reference']}, on {parity['inputs']}."
            for artifact in report["artifacts"]
            if (parity := artifact["parity"]) is not None
        ),
    ]
    means = (
        "What this means: F1 says how well decisions agree with labels (1 is perfect), so its drop is what an artifact costs. A flipped "
        "decision is another than the float network's, right or wrong; many flips beside a small drop are faces near a threshold."
    )
    return section("Artifacts", paragraph(means), table(head, rows, notes))


def _row(artifact: dict[str, Any]) -> tuple[str, ...]:
    parity, accuracy, inside = artifact["parity"], artifact["accuracy"] or {}, artifact["inside"]
    measured = artifact["labelled"]
    best = None if measured is None else measured["mean"].get("refitted", measured["mean"]["as_made"])
    f1 = accuracy.get("f1_mean") if best is None else best["f1"]["value"]
    drop = accuracy.get("f1_drop_mean") if best is None else best["drop"]["value"]
    worst = accuracy.get("f1_drop_max") if best is None else best["drop_worst"]
    return (
        artifact["file"],
        artifact["runtime"],
        artifact["precision"],
        number(f1, 3),
        format_signed(drop, 4),
        format_signed(worst, 4),
        f"{artifact['bytes'] / 1e6:.1f}",
        percent(artifact["size_ratio"], 0),
        "-" if parity is None else percent(parity["decision_flips"], 2),
        "-" if parity is None else _engine(parity),
        "-" if f1 is None else _engine(accuracy),
        percent(None if inside is None else inside["integer_share"], 1),
    )


def _engine(figures: dict[str, Any]) -> str:
    return figures.get("engine") or "not recorded"


def _front(front: dict[str, Any]) -> str:
    tried = front["candidates"]
    if not tried:
        return ""
    drop_is = front["drop_is"]
    shown = 100.0 if drop_is == "flipped decisions" else 1.0
    unit = f"{drop_is}, %" if drop_is == "flipped decisions" else f"{drop_is}, 0..1"
    head = ("quantization", f"{unit} [95 %]", "MACs in INT8", "size, MB", "in the bundle")
    rows = [
        (
            one["name"],
            _with_interval(one, shown),
            percent(one["integer_share"], 1),
            f"{one['bytes'] / 1e6:.1f}",
            "yes" if one["chosen"] else "no",
        )
        for one in tried
    ]
    plots = [
        _plot(tried, "integer_share", 100, "MACs in INT8, %", unit, shown),
        _plot(tried, "bytes", 1e-6, "size, MB", unit, shown),
    ]
    note = "Brackets and lines: 95 % bootstrap intervals over the faces that the search measured on, at thresholds of all of them."
    return section("What was tried", f'<div class="plots">{"".join(plots)}</div>', table(head, rows, [note]))


def _with_interval(one: Mapping[str, Any], shown: float) -> str:
    digits = 4 if shown == 1 else 2
    ends = one["interval"]
    said = format_signed(one["drop"] * shown, digits)
    return (
        said
        if ends is None
        else f"{said} [{format_signed(ends[0] * shown, digits)} {format_signed(ends[1] * shown, digits)}]"
    )


def _plot(tried: Sequence[dict[str, Any]], key: str, factor: float, x: str, y: str, shown: float) -> str:
    data = [
        Point(
            one["name"],
            one[key] * factor,
            one["drop"] * shown,
            int(one["chosen"]),
            interval=None
            if one["interval"] is None
            else (one["interval"][0] * shown, one["interval"][1] * shown),
        )
        for one in tried
    ]
    return points(f"{y} against {x}.", data, x, y, legend=("tried", "in the bundle"))


def _gallery(figures: Sequence[str], source: str) -> list[str]:
    if not figures:
        return []
    return [
        "<h3>Worst decisions in pictures</h3>",
        paragraph(f"Of {source}: those that flipped, and then those whose probability moved most.", "soft"),
        f'<div class="gallery">{"".join(figures)}</div>',
    ]


def _calibration(artifact: dict[str, Any]) -> str:
    made = artifact["calibration"]
    if made is None:
        return ""
    rule = f", {made['rule']}" if made["rule"] else ""
    return paragraph(
        f"Recipe {made['recipe']}, calibrated on {made['count']} crops of {made['source']}{rule} "
        f"(SHA-256 {made['digest'][:16]}).",
        "soft",
    )


def _tools(tools: dict[str, str]) -> str:
    return paragraph(
        "Made by " + ", ".join(f"{name} {version}" for name, version in tools.items()) + ".", "soft"
    )
