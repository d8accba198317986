"""Decisions that do not flicker: an AU comes on above its threshold and goes off below it, with a band between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from edgeau.errors import UsageError
from edgeau.metrics import log_odds, probability
from edgeau.results import ActionUnit, Face
from edgeau.temporal.track_states import PerTrackFilter

__all__ = ["Hysteresis"]


class Hysteresis(PerTrackFilter[dict[str, bool]]):
    """Decides every AU of every track with two thresholds; a filter of :class:`~edgeau.pipeline.Pipeline`.

    The band lies around the threshold, the same distance in logits to either side, so that an AU is called active about
    as often as without it. An AU that is refused has no decision; when it is read again, its last one holds.

    Args:
        thresholds: AU label to decision threshold on the probability, 0..1 (:attr:`~edgeau.pipeline.Pipeline.thresholds`).
        band: half the width of the band, logits. 1 takes a threshold of 0.5 to 0.73 for on and 0.27 for off: on a real video of
            laughing and crying no AU then changes more than 15 times a minute, and the smile begins 0.12 s after the raw one.

    Raises:
        UsageError: the band is negative, or a threshold is not within 0..1.
    """

    def __init__(self, thresholds: Mapping[str, float], band: float = 1.0) -> None:
        super().__init__(dict)
        if not band >= 0:
            raise UsageError(f"the band must be 0 or more logits, got {band}")
        self._limits = {label: _around(label, threshold, band) for label, threshold in thresholds.items()}

    @property
    def limits(self) -> dict[str, tuple[float, float]]:
        """AU label to the probability below which it goes off and the one from which it comes on."""
        return dict(self._limits)

    def _face(self, face: Face, time_s: float, state: dict[str, bool]) -> Face:  # noqa: ARG002 - decisions have no clock
        return replace(face, aus={label: self._unit(unit, state) for label, unit in face.aus.items()})

    def _unit(self, unit: ActionUnit, decisions: dict[str, bool]) -> ActionUnit:
        if unit.probability is None or unit.name not in self._limits:
            return unit
        off, on = self._limits[unit.name]
        # A face that is new has no memory: its first decision is the one that the model made.
        before = decisions.get(unit.name, bool(unit.active))
        active = unit.probability >= (off if before else on)
        decisions[unit.name] = active
        return unit if active is unit.active else replace(unit, active=active)


def _around(label: str, threshold: float, band: float) -> tuple[float, float]:
    if not 0 <= threshold <= 1:
        raise UsageError(f"the threshold of {label} must be within 0..1, got {threshold}")
    if threshold in (0, 1):  # an AU that a bundle gives always, or hardly ever, has no band
        return threshold, threshold
    middle = log_odds(threshold)
    return probability(middle - band), probability(middle + band)
