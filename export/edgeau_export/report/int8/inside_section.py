"""Inside a Q/DQ graph: signal over noise and range of every quantized tensor, and which nodes run in integers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgeau_export.report.html.html import number, paragraph, percent, section, table
from edgeau_export.report.html.plots import Point, points

__all__ = ["parts"]

_KINDS = {
    "integer": "in integers",
    "floating": "in float",
    "conversions": "between the two",
    "moves": "only moving values",
}
_WORST = 12
_MOVES = ("Concat", "Flatten", "Reshape", "Slice", "Split", "Transpose")  # as noisy as what they move


def parts(artifact: dict[str, Any]) -> list[str]:
    """Nothing where nobody could look inside."""
    inside = artifact["inside"]
    if inside is None:
        return []
    tensors = inside["tensors"]
    return [
        "<h3>Inside the graph</h3>",
        _nodes(inside),
        *([f'<div class="plots">{_noise(tensors)}</div>', _worst(tensors)] if tensors else []),
        *(
            [section(f"Every quantized tensor ({len(tensors)})", _all(tensors), folded=True)]
            if tensors
            else []
        ),
    ]


def _nodes(inside: dict[str, Any]) -> str:
    share = inside["integer_share"]
    said = f"{percent(share, 1)} of the multiply-accumulates are in integers. " if share is not None else ""
    rows = [
        (words, str(sum(inside["nodes"][kind].values())), _listed(inside["nodes"][kind]))
        for kind, words in _KINDS.items()
        if inside["nodes"][kind]
    ]
    return paragraph(
        f"{said}The nodes that ONNX Runtime runs, after it rewrote the graph for the machine of the export:"
    ) + table(("computing", "nodes", "operators"), rows)


def _listed(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{count} {name}" for name, count in ordered)


def _noise(tensors: Sequence[dict[str, Any]]) -> str:
    data = [
        Point(_short(one["name"]), place, one["snr"], named=False)
        for place, one in enumerate(tensors)
        if one["snr"] is not None
    ]
    return points(
        "Signal over noise of every quantized tensor, in the order of execution: errors of all layers before are in it. "
        "At 20 dB (dashed) the noise is a tenth of the signal, at 0 dB as large.",
        data,
        "tensor, in the order of execution",
        "signal over noise, dB",
        level=20.0,
    )


def _worst(tensors: Sequence[dict[str, Any]]) -> str:
    computed = [one for one in tensors if one["snr"] is not None and one["made_by"] not in _MOVES]
    noisiest = sorted(computed, key=lambda one: one["snr"])[:_WORST]
    return table(_HEAD, [_row(one) for one in noisiest], ["The computed tensors with most noise."])


def _all(tensors: Sequence[dict[str, Any]]) -> str:
    return table(_HEAD, [_row(one) for one in tensors])


_HEAD = (
    "tensor",
    "made by",
    "signal over noise, dB",
    "range of the integers",
    "range seen in float",
    "clipped",
)


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    return (
        _short(one["name"]),
        one["made_by"],
        number(one["snr"], 1),
        f"{one['low']:.3g} .. {one['high']:.3g}",
        f"{one['seen_low']:.3g} .. {one['seen_high']:.3g}",
        _clipped(one),
    )


def _clipped(one: dict[str, Any]) -> str:
    """Name the ends of what was seen that the integers cannot say, beyond half a step."""
    step = (one["high"] - one["low"]) / 255
    ends = [
        "below" if one["seen_low"] < one["low"] - step / 2 else "",
        "above" if one["seen_high"] > one["high"] + step / 2 else "",
    ]
    return " ".join(filter(None, ends)) or "-"


def _short(name: str) -> str:
    """The path without what the exporter adds and repeats: /a/a.0/a.0.1/conv/Conv_output_0 -> a.0.1/conv/Conv."""
    pieces = [piece for piece in name.removesuffix("_output_0").split("/") if piece]
    kept = [
        one for one, after in zip(pieces, [*pieces[1:], ""], strict=True) if not after.startswith(f"{one}.")
    ]
    return "/".join(kept)
