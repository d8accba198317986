"""Parameters and multiply-accumulates of every network, as specified and as counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from edgeau.action_units.names import DISFA
from edgeau_training.networks.catalogue import network_facts
from edgeau_training.networks.counting import mac_count, parameter_count, skeleton

__all__ = ["SPECIFIED", "CheckValue", "Specified", "macs", "parameters"]


@dataclass(frozen=True)
class CheckValue:
    """A number beside its twin.

    Attributes:
        what: for people.
        specified: what the specification says; None where it says nothing.
        computed: what comes out here.
        tolerance: largest difference that is rounding, 0 for counts.
    """

    what: str
    specified: float | None
    computed: float
    tolerance: float = 0.0

    @property
    def verdict(self) -> str:
        """``equal``, ``differs``, or ``not specified``."""
        if self.specified is None:
            return "not specified"
        return "equal" if abs(self.computed - self.specified) <= self.tolerance else "differs"


_GIGA = 1e9


@dataclass(frozen=True)
class Specified:
    """Specified counts of one network.

    Attributes:
        network: name in the zoo.
        parameters: number of them; None where no source counts this form.
        gmacs: multiply-accumulates of one picture, in 1e9, and how exact that figure is; None where not given.
        labels: label set, where it is not that of the network's paper.
        options: options of the builder.
    """

    network: str
    parameters: int | None
    gmacs: tuple[float, float] | None = None
    labels: tuple[str, ...] | None = None
    options: dict[str, Any] = field(default_factory=dict)


SPECIFIED = (
    Specified("mrpnet", 9_906_988, (0.732977376, 0)),
    Specified("mrpnet", 9_902_888, labels=DISFA),
    Specified("mrpnet", 9_494_828, options={"mrp_variant": "A"}),
    Specified("mrpnet", 6_528_556, options={"mrp_variant": "gap"}),
    Specified("drml", 56_863_436, (0.848999680, 0)),
    Specified("drml", 56_855_240, labels=DISFA),
    Specified("drml", 56_867_596, options={"affine": True, "norm": "batch"}),
    Specified("drml-convnet", 56_271_564),
    Specified("drml-alexnet", None),
    Specified("drml-lcn", None),
    Specified("siat-ir152", 70_749_399, (49.19, 0.005)),
    Specified("siat-ir152", 70_749_399, (12.31, 0.005), options={"size": 112}),
    Specified("siat-ir50", 43_586_775, (25.15, 0.005)),
    Specified("siat-two-view", None),
    Specified("ustc-fixed", 69_007_797, (12.25, 0.005)),
    Specified("ustc-attn", 75_313_590, (12.25 + 2 * 0.0442, 0.005)),
    Specified("mrpnet-lite1", None),
    Specified("mrpnet-mnv4s", None),
    Specified("mrpnet-mnv4m", None),
    Specified("mrpnet-slim", None),
)


def parameters() -> Iterator[CheckValue]:
    """The number of parameters of every entry of :data:`SPECIFIED`."""
    for entry in SPECIFIED:
        labels = entry.labels or network_facts(entry.network).labels
        count = parameter_count(skeleton(entry.network, labels, **entry.options))
        yield CheckValue(_named(entry, len(labels)), entry.parameters, count)


def macs() -> Iterator[CheckValue]:
    """Multiply-accumulates, in 1e9, of one entry of each network and input size."""
    for entry in SPECIFIED:
        if entry.labels is not None or ("size" not in entry.options and entry.options):
            continue
        facts = network_facts(entry.network, **entry.options)
        size = facts.input.size[0]
        count = mac_count(skeleton(entry.network, facts.labels, **entry.options), size) / _GIGA
        specified, tolerance = entry.gmacs or (None, 0.0)
        yield CheckValue(f"{entry.network}, {size} x {size}", specified, count, tolerance)


def _named(entry: Specified, labels: int) -> str:
    options = "".join(f", {name}={value}" for name, value in entry.options.items())
    return f"{entry.network}, {labels} AUs{options}"
