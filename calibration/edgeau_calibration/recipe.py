"""Quantization recipes: named data that say how ranges are found and what becomes an integer."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from edgeau.bundle.records import from_dict
from edgeau.errors import CalibrationError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["Recipe", "load_recipe", "recipes"]


@dataclass(frozen=True)
class Recipe:
    """How a float graph becomes a Q/DQ graph.

    Attributes:
        name: canonical name.
        title: for people.
        ranges: how activation ranges are found: ``"minmax"``.
        operators: ONNX operators that become integer; the rest stays in float.
        activations: ``"uint8"`` or ``"int8"``.
        symmetric_activations: zero point in the middle of the range.
        weight_bits: 8, or 7 where a processor's int8 product saturates.
        per_channel: one weight scale per output channel.
        quantized_bias: int32 bias; False leaves it in float.
        weight_pairs: float weights with QuantizeLinear and DequantizeLinear, instead of int8 weights with the latter only.
        count: calibration crops wanted.
    """

    name: str
    title: str
    ranges: str
    operators: tuple[str, ...]
    activations: str
    symmetric_activations: bool
    weight_bits: int
    per_channel: bool
    quantized_bias: bool
    weight_pairs: bool
    count: int


@cache
def recipes() -> dict[str, Recipe]:
    """The packaged recipes by name."""
    folder = files("edgeau_calibration.recipes")
    found = sorted(
        (entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=lambda entry: entry.name
    )
    parsed = [from_dict(Recipe, tomllib.loads(entry.read_text("utf-8")), entry.name) for entry in found]
    return {recipe.name: recipe for recipe in parsed}


def load_recipe(name: str) -> Recipe:
    """A recipe by name.

    Raises:
        CalibrationError: the name is not known; the known ones are listed.
    """
    known = recipes()
    if name not in known:
        raise CalibrationError(
            f"quantization recipe {name!r} is not known; known recipes: {', '.join(known)}"
        )
    return known[name]
