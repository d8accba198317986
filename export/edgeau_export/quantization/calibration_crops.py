"""Calibration crops for a plan: those of the user, linted and chosen, the packaged ones, or none and then no INT8."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgeau.errors import CalibrationError
from edgeau_calibration.data.crops import MINIMUM
from edgeau_calibration.data.load import load_calibration_set
from edgeau_calibration.data.selection import balanced
from edgeau_calibration.linter import lint, refuse
from edgeau_calibration.linter.coverage import inactive_aus
from edgeau_calibration.linter.near_duplicates import distinct
from edgeau_calibration.recipe import load_recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edgeau.faces.alignment import Alignment
    from edgeau_calibration.data.crops import CalibrationSet
    from edgeau_calibration.data.selection import Activity
    from edgeau_export.progress import Voice
    from edgeau_export.targets.selection import Plan

    Judge = Callable[[NDArray[np.uint8]], Activity]

__all__ = ["HELD_OUT", "calibration_for"]

# Crops at most that INT8 is measured on and not calibrated with.
HELD_OUT = 32
# So many times the wanted crops are looked at, to choose those that show every AU; each costs a run of the float network.
_POOL = 3
# Files named one by one; a folder of landscapes should not fill the terminal.
_NOTES = 10


def calibration_for(
    plan: Plan,
    calib: Path | None,
    alignment: Alignment,
    voice: Voice,
    *,
    insist: bool,
    judge: Judge | None = None,
    accepted: Sequence[str] = (),
) -> tuple[Plan, CalibrationSet | None]:
    """Crops for what a plan quantizes.

    Args:
        plan: of the export.
        calib: the user's data, or None.
        alignment: the template of the network.
        voice: says what stands in, and what was left out.
        insist: the user asked for INT8 by name, so that it is not left out.
        judge: says which AUs act in crops; None where nobody can, as for a network that was never trained.
        accepted: rules of the linter that the user overrules.

    Returns:
        The plan, without INT8 where nothing is there to calibrate on, and the crops.

    Raises:
        CalibrationError: the user's data cannot be used or would calibrate wrongly, or INT8 was asked for and there are
            no crops.
    """
    if calib is None and not plan.quantizes:
        return plan, None
    wanted = _wanted(plan)
    try:
        found = load_calibration_set(
            calib, alignment, wanted if calib is None or judge is None else _POOL * wanted
        )
    except CalibrationError as error:
        if calib is not None or insist:
            raise
        voice.notice(f"INT8 is left out: {error}")
        return plan.without_quantization(), None
    if calib is not None:
        found = _chosen(found, wanted, judge, voice, accepted)
    _say(found, wanted, voice, packaged=calib is None)
    return plan, found


def _wanted(plan: Plan) -> int:
    counts = [load_recipe(item.recipe).count for item in plan.artifacts if item.recipe is not None]
    return max(counts, default=0) + HELD_OUT


def _chosen(
    found: CalibrationSet, wanted: int, judge: Judge | None, voice: Voice, accepted: Sequence[str]
) -> CalibrationSet:
    """What the linter lets through, without copies, balanced over the AUs where somebody can judge them."""
    findings = list(lint(found))
    refuse(found, findings, accepted)
    own = _without_copies(found)
    if judge is None:
        chosen = own
    else:
        activity = judge(own.crops)
        indices = balanced(activity.active, wanted)
        rule = f"{len(indices)} of {len(own)} looked at, balanced over {len(activity.labels)} AUs by {activity.source}"
        chosen = own.chosen(indices, f"{rule}; {own.rule}" if own.rule else rule)
        missing = list(inactive_aus(activity.of(indices)))
        refuse(found, missing, accepted)
        findings += missing
    for finding in findings:
        voice.notice(f"calibration data {found.source}: {finding}")
    return chosen


def _without_copies(found: CalibrationSet) -> CalibrationSet:
    own = np.flatnonzero(distinct(found.crops))
    copies = len(found) - len(own)
    if not copies or len(own) < MINIMUM:
        return found
    return found.chosen(own, f"{copies} near-duplicates left out")


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
