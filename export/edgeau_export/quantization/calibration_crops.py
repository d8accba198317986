"""Calibration crops of an export: those of the user, linted and chosen, the packaged ones, or none and then no INT8."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import CalibrationError
from edgeau.faces.alignment import Alignment
from edgeau.metrics import sigmoid
from edgeau_calibration.data.crops import MINIMUM, CalibrationSet
from edgeau_calibration.data.load import load_calibration_set
from edgeau_calibration.data.selection import Activity, balanced
from edgeau_calibration.graph.ort_session import logits_of
from edgeau_calibration.linter import lint, refuse
from edgeau_calibration.linter.coverage import inactive_aus
from edgeau_calibration.linter.near_duplicates import distinct
from edgeau_calibration.recipe import load_recipe
from edgeau_export.progress import ProgressReporter
from edgeau_export.source_network.network import SourceNetwork
from edgeau_export.targets.selection import SelectedArtifacts

ActivityOf = Callable[[NDArray[np.uint8]], Activity]

__all__ = ["HELD_OUT", "calibration_for", "predicted_activity"]

# Crops at most that INT8 is measured on and not calibrated with.
HELD_OUT = 32
# So many times the wanted crops are looked at, to choose those that show every AU; each costs a run of the float network.
_POOL = 3
# Files named one by one; a folder of landscapes should not fill the terminal.
_NOTES = 10


def calibration_for(
    selected: SelectedArtifacts,
    calib: Path | None,
    alignment: Alignment,
    progress: ProgressReporter,
    *,
    insist: bool,
    activity_of: ActivityOf | None = None,
    accepted: Sequence[str] = (),
) -> tuple[SelectedArtifacts, CalibrationSet | None]:
    """Crops for what an export quantizes.

    Args:
        selected: artifacts of the export.
        calib: the user's data, or None.
        alignment: the template of the network.
        progress: says what stands in, and what was left out.
        insist: the user asked for INT8 by name, so that it is not left out.
        activity_of: says which AUs act in crops, uint8 ``(n, S, S, 3)`` RGB; None where nobody can, as for a network that was never trained.
        accepted: rules of the linter that the user overrules.

    Returns:
        The artifacts, without INT8 where nothing is there to calibrate on, and the crops.

    Raises:
        CalibrationError: the user's data cannot be used or would calibrate wrongly, or INT8 was asked for and there are
            no crops.
    """
    if calib is None and not selected.quantizes:
        return selected, None
    wanted = _wanted(selected)
    try:
        found = load_calibration_set(
            calib, alignment, wanted if calib is None or activity_of is None else _POOL * wanted
        )
    except CalibrationError as error:
        if calib is not None or insist:
            raise
        progress.notice(f"INT8 is left out: {error}")
        return selected.without_quantization(), None
    if calib is not None:
        found = _chosen(found, wanted, activity_of, progress, accepted)
    _say(found, wanted, progress, packaged=calib is None)
    return selected, found


def predicted_activity(network: SourceNetwork, crops: NDArray[np.uint8]) -> Activity:
    """Which AUs the float network sees, at its own thresholds, in crops uint8 ``(n, size, size, 3)`` RGB."""
    description = network.description
    logits = logits_of(network.graph, crops, description.input)
    return Activity(
        description.labels,
        sigmoid(logits) >= description.in_order(description.thresholds),
        "the float network",
    )


def _wanted(selected: SelectedArtifacts) -> int:
    counts = [load_recipe(name).count for name in selected.recipes]
    return max(counts, default=0) + HELD_OUT


def _chosen(
    found: CalibrationSet,
    wanted: int,
    activity_of: ActivityOf | None,
    progress: ProgressReporter,
    accepted: Sequence[str],
) -> CalibrationSet:
    """What the linter lets through, without copies, balanced over the AUs where somebody can activity_of them."""
    findings = list(lint(found))
    refuse(found, findings, accepted)
    own = _without_copies(found)
    if activity_of is None:
        chosen = own
    else:
        activity = activity_of(own.crops)
        indices = balanced(activity.active, wanted)
        rule = f"{len(indices)} of {len(own)} looked at, balanced over {len(activity.labels)} AUs by {activity.source}"
        chosen = own.chosen(indices, f"{rule}; {own.rule}" if own.rule else rule)
        missing = list(inactive_aus(activity.of(indices)))
        refuse(found, missing, accepted)
        findings += missing
    for finding in findings:
        progress.notice(f"calibration data {found.source}: {finding}")
    return chosen


def _without_copies(found: CalibrationSet) -> CalibrationSet:
    own = np.flatnonzero(distinct(found.crops))
    copies = len(found) - len(own)
    if not copies or len(own) < MINIMUM:
        return found
    return found.chosen(own, f"{copies} near-duplicates left out")


def _say(found: CalibrationSet, wanted: int, progress: ProgressReporter, *, packaged: bool) -> None:
    progress.left_out(found.problems)
    for note in found.notes[:_NOTES]:
        progress.notice(f"left out of calibration: {note}")
    if len(found.notes) > _NOTES:
        progress.notice(f"left out of calibration: {len(found.notes) - _NOTES} more")
    if packaged:
        progress.notice(f"no --calib: INT8 is calibrated on {found.source}")
    if len(found) < wanted:
        progress.notice(
            f"{found.source} gives {len(found)} face crops; {wanted} are wanted, more make INT8 truer"
        )
