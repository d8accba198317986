"""The face crops of an export: those of the user, linted and chosen, the packaged ones, or none and then no INT8."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.bundle import load_bundle, packaged_bundle_path
from edgeau.bundle.golden import read_golden
from edgeau.errors import BundleError, CalibrationError
from edgeau.faces.alignment import Alignment
from edgeau.metrics import sigmoid
from edgeau_calibration.data.crops import CalibrationSet, evenly
from edgeau_calibration.data.load import load_calibration_set
from edgeau_calibration.data.selection import Activity, balance_activity
from edgeau_calibration.graph.ort_session import logits_of
from edgeau_calibration.linter import lint, refuse
from edgeau_calibration.linter.lint import inactive_aus
from edgeau_calibration.linter.near_duplicates import without_copies
from edgeau_calibration.recipe import load_recipe
from edgeau_export.progress import ProgressReporter
from edgeau_export.source_network.network import NetworkDescription, SourceNetwork

ActivityOf = Callable[[NDArray[np.uint8]], Activity]

__all__ = [
    "DECIDING",
    "GOLDEN_COUNT",
    "HELD_OUT",
    "FaceCrops",
    "calibration_crops",
    "face_crops",
    "packaged_crops",
    "random_crops",
]

GOLDEN_COUNT = 8
# Crops that INT8 is measured on and not calibrated with: where they decide, since there are no labels, and where they only show
# what it does. Of the packaged ones, of which there are 160, the second.
DECIDING, HELD_OUT = 256, 32
# So many times the wanted crops are looked at, to choose those that show every AU; each costs a run of the float network.
_POOL = 3
# Files named one by one; a folder of landscapes should not fill the terminal.
_NOTES = 10


@dataclass(frozen=True)
class FaceCrops:
    """Crops by their use, uint8 ``(n, size, size, 3)`` RGB; whatever is None is not at hand.

    Attributes:
        used: calibration crops that ranges are measured on.
        held_out: calibration crops that the result is measured on.
        golden: those that travel in the bundle.
        for_parity: real faces to compare torch and ONNX on.
    """

    used: CalibrationSet | None
    held_out: CalibrationSet | None
    golden: NDArray[np.uint8]
    for_parity: NDArray[np.uint8] | None = None


def face_crops(
    calib: Path | None,
    network: SourceNetwork,
    recipes: Sequence[str],
    progress: ProgressReporter,
    *,
    insist: bool,
    accepted: Sequence[str] = (),
    labelled: bool = False,
) -> FaceCrops:
    """The crops of one export.

    Args:
        calib: the user's data, or None for the packaged crops.
        network: float; it says which AUs act in the user's crops, where it was trained.
        recipes: names of those that quantize; none means that nothing needs to be calibrated.
        progress: says what stands in, and what was left out.
        insist: the user asked for INT8 by name, so that it is not left out.
        accepted: rules of the linter that the user overrules.
        labelled: labelled faces decide about INT8, not the crops that are held out.

    Raises:
        CalibrationError: the user's data cannot be used or would calibrate wrongly, or INT8 was asked for and there are
            no crops.
    """
    alignment = network.description.alignment
    activity_of = partial(_predicted_activity, network) if network.description.network.trained else None
    calibrating = max((load_recipe(name).count for name in recipes), default=0)
    unseen = HELD_OUT if calib is None or labelled else DECIDING
    calibration = (
        None
        if calib is None and not recipes
        else calibration_crops(
            calib,
            alignment,
            calibrating,
            unseen,
            progress,
            insist=insist,
            activity_of=activity_of,
            accepted=accepted,
        )
    )
    used, held_out = (None, None) if calibration is None else calibration.hold_out(calibrating, unseen)
    packaged = packaged_crops(alignment)
    for_parity = packaged if held_out is None else held_out.crops[evenly(len(held_out), HELD_OUT)]
    if used is not None and calib is None:
        _say_of_another_frame(network.description, progress)
    if for_parity is None:
        progress.notice("no face crops are at hand: parity and golden answers are those of random inputs")
    # The packaged ones first, since a bundle is passed on and should carry no user's faces.
    if packaged is not None:
        golden = packaged
    elif used is not None:
        golden = used.crops[evenly(len(used), GOLDEN_COUNT)]
        progress.notice(f"faces of {used.source} are stored in the bundle, with its golden answers")
    else:
        golden = random_crops(alignment)
    return FaceCrops(used, held_out, golden, for_parity)


def random_crops(alignment: Alignment) -> NDArray[np.uint8]:
    """Seeded noise, uint8 ``(8, height, width, 3)``, for where no face is at hand: it tells a wrong engine as well."""
    shape = (GOLDEN_COUNT, *alignment.shape, 3)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def calibration_crops(
    calib: Path | None,
    alignment: Alignment,
    calibrating: int,
    unseen: int,
    progress: ProgressReporter,
    *,
    insist: bool,
    activity_of: ActivityOf | None = None,
    accepted: Sequence[str] = (),
) -> CalibrationSet | None:
    """Crops to calibrate on: those of the user, linted and chosen, or the packaged ones; None leaves INT8 out.

    Args:
        calib: the user's data, or None.
        alignment: the template of the network.
        calibrating: how many to find ranges and weights on.
        unseen: how many more to measure the result on.
        progress: says what stands in, and what was left out.
        insist: the user asked for INT8 by name, so that it is not left out.
        activity_of: says which AUs act in crops, uint8 ``(n, S, S, 3)`` RGB; None where nobody can, as for a network that was never trained.
        accepted: rules of the linter that the user overrules.

    Raises:
        CalibrationError: the user's data cannot be used or would calibrate wrongly, or INT8 was asked for and there are
            no crops.
    """
    wanted = calibrating + unseen
    looked_at = wanted if calib is None or activity_of is None else _POOL * calibrating + unseen
    try:
        found = load_calibration_set(calib, alignment, looked_at)
    except CalibrationError as error:
        if calib is not None or insist:
            raise
        progress.notice(f"INT8 is left out: {error}")
        return None
    if calib is not None:
        found = _chosen(found, wanted, activity_of, progress, accepted)
    _say(found, calibrating, unseen, progress, packaged=calib is None)
    return found


def _predicted_activity(network: SourceNetwork, crops: NDArray[np.uint8]) -> Activity:
    """Predict the AUs that act, with the float network at its own thresholds, in crops uint8 ``(n, size, size, 3)`` RGB."""
    description = network.description
    logits = logits_of(network.graph, crops, description.input)
    return Activity(
        description.labels,
        sigmoid(logits) >= description.in_order(description.thresholds),
        "the float network",
    )


def _chosen(
    found: CalibrationSet,
    wanted: int,
    activity_of: ActivityOf | None,
    progress: ProgressReporter,
    accepted: Sequence[str],
) -> CalibrationSet:
    """Choose of what the linter lets through, without copies, balanced over the AUs where somebody says which act."""
    findings = list(lint(found))
    refuse(found, findings, accepted)
    own = without_copies(found)
    if activity_of is None:
        chosen = own
    else:
        activity = activity_of(own.crops)
        indices = balance_activity(activity.active, wanted)
        rule = f"{len(indices)} of {len(own)} looked at, balanced over {len(activity.labels)} AUs by {activity.source}"
        chosen = own.chosen(indices, f"{rule}; {own.rule}" if own.rule else rule)
        missing = list(inactive_aus(activity.of(indices)))
        refuse(found, missing, accepted)
        findings += missing
    for finding in findings:
        progress.notice(f"calibration data {found.source}: {finding}")
    return chosen


def _say(
    found: CalibrationSet, calibrating: int, unseen: int, progress: ProgressReporter, *, packaged: bool
) -> None:
    progress.left_out(found.problems)
    for note in found.notes[:_NOTES]:
        progress.notice(f"left out of calibration: {note}")
    if len(found.notes) > _NOTES:
        progress.notice(f"left out of calibration: {len(found.notes) - _NOTES} more")
    if packaged:
        progress.notice(f"no --calib: INT8 is calibrated on {found.source}")
    if len(found) < calibrating + unseen:
        progress.notice(
            f"{found.source} gives {len(found)} face crops; {calibrating + unseen} are wanted: {calibrating} to calibrate, "
            f"{unseen} others to measure INT8 on"
        )


def _say_of_another_frame(description: NetworkDescription, progress: ProgressReporter) -> None:
    """The packaged crops are framed, sized and coloured for the packaged default."""
    default = Alignment()
    # Another size of the same template shows the same, in fewer or more pixels.
    otherwise = description.alignment.to_dict()["method"] != default.to_dict()["method"]
    found = {
        "alignment": otherwise,
        "size": otherwise and description.alignment.shape != default.shape,
        "colour": description.input.color == "GRAY",
    }
    differs = [name for name, other in found.items() if other]
    if differs:
        progress.notice(
            f"the packaged crops are framed for the packaged network and were scaled: {' and '.join(differs)} of this network "
            "differ, so its INT8 is calibrated on other pictures than it will see; give faces of your own with --calib"
        )


def packaged_crops(alignment: Alignment) -> NDArray[np.uint8] | None:
    """The golden crops of the packaged default, uint8 ``(n, size, size, 3)`` RGB; None where there are none.

    Scaled where the network sees another size: they are faces still, if framed as the default's.
    """
    try:
        bundle = load_bundle(packaged_bundle_path())
    except BundleError:
        return None  # said by whoever needs the default itself; here it is one of several places to look
    crops = read_golden(bundle.path(bundle.manifest.golden)).crops[:GOLDEN_COUNT]
    height, width = alignment.shape
    if crops.shape[1:3] == (height, width):
        return crops
    scaled = [cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA) for crop in crops]
    faces: NDArray[np.uint8] = np.stack(scaled).astype(np.uint8)
    return faces
