"""Cost of a network, layer by layer, whatever kind of file it came from.

Conventions. A multiply-accumulate (MAC) is one product and one sum in a convolution or a matrix product; FLOPs are twice that.
Element-wise operations, pooling, normalisation and data movement have none: they are listed with their number instead.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from edgeau._system.records import from_dict, to_dict

__all__ = ["Layer", "ModelProfile", "as_document", "blocks", "profile_from"]


@dataclass(frozen=True)
class Layer:
    """One layer.

    Attributes:
        name: dotted or slashed path in its network.
        kind: operator or module class.
        parameters: scalars that it owns.
        macs: multiply-accumulates for one picture.
        activations: scalars that it puts out for one picture.
        integer: whether its product is computed in integers; None where nothing is quantized or it has no product.
    """

    name: str
    kind: str
    parameters: int
    macs: int
    activations: int
    integer: bool | None = None


@dataclass(frozen=True)
class ModelProfile:
    """A whole network, one picture at a time.

    Attributes:
        name: what was asked for.
        title: for people; says when a network is a reconstruction.
        counted: by what, with its version, and when where it was not now.
        input_shape: input shape of one picture, with the batch axis.
        parameters: scalars of weights and biases; batch norm's scale and shift count, its statistics do not.
        macs: multiply-accumulates.
        activations: scalars that all layers put out.
        peak_bytes: most bytes of activations that are alive at once; None where it was not worked out.
        file_bytes: size of the file; None for a network that is not one.
        layers: in the order of execution.
        without_macs: operators that have no multiply-accumulates by convention -> how many.
        unknown: operators that could not be counted -> how many. Empty in a trustworthy profile.
        notes: what a reader must know.
    """

    name: str
    title: str
    counted: str
    input_shape: tuple[int, ...]
    parameters: int
    macs: int
    activations: int
    peak_bytes: int | None
    file_bytes: int | None
    layers: tuple[Layer, ...]
    without_macs: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def flops(self) -> int:
        """Twice the multiply-accumulates."""
        return 2 * self.macs

    @property
    def integer_share(self) -> float | None:
        """Share of the multiply-accumulates that are computed in integers, 0..1; None where nothing is quantized."""
        if not self.macs or all(layer.integer is None for layer in self.layers):
            return None
        return sum(layer.macs for layer in self.layers if layer.integer) / self.macs


def blocks(layers: Iterable[Layer], depth: int = 3) -> tuple[Layer, ...]:
    """Layers summed by the first parts of their names.

    Args:
        layers: in order.
        depth: how many parts of the path make a block.

    Returns:
        One layer a block, in order of first appearance; ``integer`` is True or False only where all of its products agree.
    """
    grouped: dict[str, list[Layer]] = {}
    for layer in layers:
        parts = [part for part in layer.name.replace("/", ".").split(".") if part]
        grouped.setdefault(".".join(parts[:depth]) or layer.name, []).append(layer)
    return tuple(_summed(name, members) for name, members in grouped.items())


def _summed(name: str, members: list[Layer]) -> Layer:
    kinds = {member.integer for member in members if member.integer is not None}
    return Layer(
        name=name,
        kind=f"{len(members)} layers" if len(members) > 1 else members[0].kind,
        parameters=sum(member.parameters for member in members),
        macs=sum(member.macs for member in members),
        activations=sum(member.activations for member in members),
        integer=kinds.pop() if len(kinds) == 1 else None,
    )


def as_document(profile: ModelProfile) -> dict[str, Any]:
    """A profile as plain JSON values, with the figures that follow from it."""
    values: dict[str, Any] = to_dict(profile)
    layers = values.pop("layers")
    share = profile.integer_share
    return {
        **values,
        "flops": profile.flops,
        "integer_mac_share": None if share is None else round(share, 6),
        "layers": layers,
    }


def profile_from(document: dict[str, Any], where: str) -> ModelProfile:
    """The inverse of :func:`as_document`.

    Raises:
        RecordError: a field is missing or of the wrong type; the message names ``where`` and the field.
    """
    derived = ("flops", "integer_mac_share")
    return from_dict(
        ModelProfile, {key: value for key, value in document.items() if key not in derived}, where
    )
