"""What the manifest says about the crops and the recipe behind an INT8 artifact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeau.bundle.manifest import Calibration

if TYPE_CHECKING:
    from edgeau_calibration.data.crops import CalibrationSet

__all__ = ["calibration_record"]


def calibration_record(used: CalibrationSet, recipe: str) -> Calibration:
    """Digest, count and source of the crops, the rule that chose them, and the recipe's name."""
    return Calibration(used.digest, len(used), used.source, recipe, used.rule)
