"""Calibration crops for a plan: those of the user, the packaged ones, or none and then no INT8."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeau.errors import CalibrationError
from edgeau_calibration.load import load_calibration_set
from edgeau_calibration.recipe import load_recipe

if TYPE_CHECKING:
    from pathlib import Path

    from edgeau.alignment import Alignment
    from edgeau_calibration.crops import CalibrationSet
    from edgeau_export.plan import Plan
    from edgeau_export.voice import Voice

__all__ = ["HELD_OUT", "calibration_for"]

# Crops at most that INT8 is measured on and not calibrated with.
HELD_OUT = 32
# Files named one by one; a folder of landscapes should not fill the terminal.
_NOTES = 10


def calibration_for(
    plan: Plan, calib: Path | None, alignment: Alignment, voice: Voice, *, insist: bool
) -> tuple[Plan, CalibrationSet | None]:
    """Crops for what a plan quantizes.

    Args:
        plan: of the export.
        calib: the user's data, or None.
        alignment: the template of the network.
        voice: says what stands in, and what was left out.
        insist: the user asked for INT8 by name, so that it is not left out.

    Returns:
        The plan, without INT8 where nothing is there to calibrate on, and the crops.

    Raises:
        CalibrationError: the user's data cannot be used, or INT8 was asked for and there are no crops.
    """
    if calib is None and not plan.quantizes:
        return plan, None
    wanted = _wanted(plan)
    try:
        found = load_calibration_set(calib, alignment, wanted)
    except CalibrationError as error:
        if calib is not None or insist:
            raise
        voice.notice(f"INT8 is left out: {error}")
        return plan.without_quantization(), None
    _say(found, wanted, voice, packaged=calib is None)
    return plan, found


def _wanted(plan: Plan) -> int:
    counts = [load_recipe(item.recipe).count for item in plan.artifacts if item.recipe is not None]
    return max(counts, default=0) + HELD_OUT


def _say(found: CalibrationSet, wanted: int, voice: Voice, *, packaged: bool) -> None:
    for note in found.notes[:_NOTES]:
        voice.notice(f"left out of calibration: {note}")
    if len(found.notes) > _NOTES:
        voice.notice(f"left out of calibration: {len(found.notes) - _NOTES} more")
    if packaged:
        voice.notice(f"no --calib: INT8 is calibrated on {found.source}")
    if len(found) < wanted:
        voice.notice(
            f"{found.source} gives {len(found)} face crops; {wanted} are wanted, more make INT8 truer"
        )
