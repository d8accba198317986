"""A calibration set from whatever the user has: folder, pictures, video, NPZ, synthetic data set, or the packaged crops."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from edgeau.action_units.labelled_pictures import LabelledPictures, read_labelled_pictures
from edgeau.bundle import packaged_bundle_path
from edgeau.errors import BundleError, CalibrationError
from edgeau.faces.alignment import Alignment
from edgeau.sources.kinds import PICTURES, VIDEOS
from edgeau_calibration.data.crops import MINIMUM, CalibrationSet, aligned_crops
from edgeau_calibration.data.labelled_table import divided
from edgeau_calibration.data.media import crops_of_media, media_in
from edgeau_calibration.data.npz import stored_crops
from edgeau_calibration.data.packaged import FILE
from edgeau_calibration.data.shards import encoded_crops, shards_in

__all__ = ["MINIMUM", "PACKAGED", "load_calibration_set"]

PACKAGED = "the packaged synthetic calibration crops"


def load_calibration_set(path: Path | None, alignment: Alignment, wanted: int = 128) -> CalibrationSet:
    """Up to ``wanted`` aligned crops, evenly spread over what is there.

    Args:
        path: a table of pictures (``.csv``) or a folder with a ``labels.csv``, of which the rows of its split ``train`` are taken,
            or half of the persons where it has no such column; a folder of pictures and videos (searched through), a synthetic data set or one of its
            splits, a video, a picture, an ``.npz`` with ``crops``; None takes the packaged crops.
        alignment: the template of the network.
        wanted: how many at most.

    Raises:
        CalibrationError: nothing there, nothing usable, or fewer than :data:`MINIMUM` faces.
        DependencyError: a package that this kind of data needs is not installed.
    """
    if path is None:
        found = _read(_packaged_file(), PACKAGED, alignment, wanted)
    elif path.exists():
        found = _read(path, path.name, alignment, wanted)
    else:
        raise CalibrationError(f"calibration data {path} does not exist; {_KINDS}")
    if len(found) < MINIMUM:
        said = (*found.problems, *found.notes)
        unusable = f" ({_shortened(said)})" if said else ""
        raise CalibrationError(
            f"{found.source} gives {len(found)} face crops{unusable}; "
            f"calibration needs {MINIMUM} at the least, {wanted} are wanted"
        )
    return found


def _packaged_file() -> Path:
    """The packaged crops' file.

    Raises:
        CalibrationError: this installation carries none.
    """
    with suppress(BundleError):  # said below, in the words of somebody who wants to calibrate
        path = packaged_bundle_path() / FILE
        if path.is_file():
            return path
    raise CalibrationError(
        "INT8 needs calibration crops, and this installation of edgeau carries none; "
        "pass --calib with a folder of face pictures, a video or an .npz of crops, or export --precision fp32"
    )


def _read(path: Path, source: str, alignment: Alignment, wanted: int) -> CalibrationSet:
    table = path if path.suffix.lower() == ".csv" else path / "labels.csv"
    shards = [] if table.is_file() else shards_in(path)
    if shards or path.suffix.lower() == ".npz":  # crops that are aligned already
        stored, persons = encoded_crops(shards, wanted) if shards else stored_crops(path, wanted)
        named = f"the synthetic data set {source}" if shards else source
        return CalibrationSet(aligned_crops(stored, alignment, str(path)), named, persons=persons)
    listed = _train_rows(table) if table.is_file() else None
    media = media_in(path) if listed is None else [listed.path(row) for row in range(len(listed))]
    if not media:
        what = "holds nothing to calibrate on" if path.is_dir() else "is of no kind that is known"
        raise CalibrationError(f"calibration data {path} {what}; {_KINDS}")
    crops, notes, places, unreadable = crops_of_media(media, alignment, wanted)
    stack = np.stack(crops) if crops else np.empty((0, *alignment.shape, 3), dtype=np.uint8)
    if listed is None:
        return CalibrationSet(stack, source, (*notes, *map(str, unreadable.values())))
    shown = None if listed.person is None else listed.groups[places]
    damaged = (listed.unreadable(row, error) for row, error in sorted(unreadable.items()))
    return CalibrationSet(stack, table.name, tuple(notes), shown, problems=(*listed.problems, *damaged))


def _train_rows(table: Path) -> LabelledPictures:
    found = divided(read_labelled_pictures(table))
    if found.split is None or "train" not in found.split:
        return found
    return found.select([row for row, name in enumerate(found.split) if name == "train"])


def _shortened(notes: Sequence[str], shown: int = 3) -> str:
    more = f" and {len(notes) - shown} more" if len(notes) > shown else ""
    return "; ".join(notes[:shown]) + more


_KINDS = (
    f"wanted are a table of pictures (.csv), pictures ({' '.join(sorted(PICTURES))}), videos ({' '.join(sorted(VIDEOS))}), "
    "an .npz with 'crops', or a data set of edgeau-synth"
)
