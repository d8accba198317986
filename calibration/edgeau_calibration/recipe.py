"""Quantization recipes: named data that say how ranges are found and what becomes an integer."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from edgeau._system.records import from_dict
from edgeau.errors import CalibrationError
from edgeau_calibration.algorithms.ranges import METHODS
from edgeau_calibration.graph.block_partition import ROLES

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["STEPS", "QuantizationRecipe", "load_recipe", "recipes"]

# What may be learned on calibration crops, in the order in which it is done.
STEPS = ("equalization", "least-squares", "rounding", "bias")
_ACTIVATIONS = ("uint8", "int8", "int16")


@dataclass(frozen=True)
class QuantizationRecipe:
    """Instructions that turn a float graph into a Q/DQ graph.

    Attributes:
        name: canonical name.
        title: for people.
        ranges: how activation ranges are found, of :data:`edgeau_calibration.algorithms.ranges.METHODS`.
        operators: ONNX operators that become integer; the rest stays in float.
        activations: ``"uint8"``, ``"int8"`` or ``"int16"``.
        symmetric_activations: zero point in the middle of the range.
        weight_bits: 8, or 7 where a processor's int8 product saturates.
        per_channel: one weight scale per output channel.
        quantized_bias: int32 bias; False leaves it in float.
        weight_pairs: float weights with QuantizeLinear and DequantizeLinear, instead of int8 weights with the latter only.
        count: calibration crops wanted.
        learned: some of :data:`STEPS`: exact equalization of channels, least-squares weights, rounding with error feedback,
            bias correction.
        floats: roles of layers that stay in float, of :data:`edgeau_calibration.graph.block_partition.ROLES`.
        through_silu: errors in front of a SiLU are weighed behind it, where ranges are found by ``mse``.
        throughout: no layer may go back to float: what does not keep its budget so is refused.
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
    learned: tuple[str, ...] = ()
    floats: tuple[str, ...] = ()
    through_silu: bool = False
    throughout: bool = False

    @property
    def oldest_opset(self) -> int:
        """The first ONNX operator set with its Q/DQ nodes: 13 has one scale per channel, 10 one per tensor."""
        return 13 if self.per_channel else 10

    def __post_init__(self) -> None:
        self._one_of("ranges", (self.ranges,), tuple(METHODS))
        self._one_of("activations", (self.activations,), _ACTIVATIONS)
        self._one_of("learned", self.learned, STEPS)
        self._one_of("floats", self.floats, ROLES)
        if self.weight_bits not in (7, 8):
            raise CalibrationError(
                f"recipe {self.name}: weight_bits is {self.weight_bits}; 7 and 8 are known"
            )

    def _one_of(self, field: str, given: tuple[str, ...], known: tuple[str, ...]) -> None:
        unknown = [value for value in given if value not in known]
        if unknown:
            raise CalibrationError(
                f"recipe {self.name}: {field} {', '.join(map(repr, unknown))} not known; known: {', '.join(known)}"
            )


@cache
def recipes() -> dict[str, QuantizationRecipe]:
    """The packaged recipes by name."""
    folder = files("edgeau_calibration.recipes")
    found = sorted(
        (entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=lambda entry: entry.name
    )
    parsed = [
        from_dict(QuantizationRecipe, tomllib.loads(entry.read_text("utf-8")), entry.name) for entry in found
    ]
    return {recipe.name: recipe for recipe in parsed}


def load_recipe(name: str) -> QuantizationRecipe:
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
