"""A calibration set from whatever the user has: folder, pictures, video, NPZ, synthetic data set, or the packaged crops."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau.action_units.labelled_pictures import read_labelled_pictures
from edgeau.bundle import packaged_bundle_path
from edgeau.errors import BundleError, CalibrationError
from edgeau.faces.alignment import Alignment
from edgeau.sources.kinds import PICTURES, VIDEOS
from edgeau_calibration.data.crops import MINIMUM, CalibrationSet, decode_crop
from edgeau_calibration.data.faces import FaceCropper
from edgeau_calibration.data.labelled_table import divided
from edgeau_calibration.data.media import crops_of_pictures, crops_of_video
from edgeau_calibration.data.npz import crops_of_npz
from edgeau_calibration.data.packaged import FILE
from edgeau_calibration.data.shards import encoded_crops, shards_in

__all__ = ["MINIMUM", "PACKAGED", "load_calibration_set", "packaged_calibration"]

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
    found = packaged_calibration(alignment, wanted) if path is None else _from_path(path, alignment, wanted)
    if len(found) < MINIMUM:
        said = (*found.problems, *found.notes)
        unusable = f" ({_shortened(said)})" if said else ""
        raise CalibrationError(
            f"{found.source} gives {len(found)} face crops{unusable}; "
            f"calibration needs {MINIMUM} at the least, {wanted} are wanted"
        )
    return found


def packaged_calibration(alignment: Alignment, wanted: int) -> CalibrationSet:
    """Up to ``wanted`` of the packaged synthetic crops.

    Raises:
        CalibrationError: this installation carries none.
    """
    path = _packaged_file()
    if path is None:
        raise CalibrationError(
            "INT8 needs calibration crops, and this installation of edgeau carries none; "
            "pass --calib with a folder of face pictures, a video or an .npz of crops, or export --precision fp32"
        )
    crops, persons = crops_of_npz(path, alignment, wanted)
    return CalibrationSet(crops, PACKAGED, persons=persons)


def _packaged_file() -> Path | None:
    try:
        path = packaged_bundle_path() / FILE
    except BundleError:
        return None  # said by the caller, in the words of somebody who wants to calibrate
    return path if path.is_file() else None


def _from_path(path: Path, alignment: Alignment, wanted: int) -> CalibrationSet:
    if not path.exists():
        raise CalibrationError(f"calibration data {path} does not exist; {_KINDS}")
    table = path if path.suffix.lower() == ".csv" else path / "labels.csv"
    if table.is_file():
        return _from_table(table, alignment, wanted)
    if path.is_dir():
        shards = shards_in(path)
        return (
            _from_shards(path, shards, alignment, wanted) if shards else _from_folder(path, alignment, wanted)
        )
    kind = path.suffix.lower()
    if kind == ".npz":
        crops, persons = crops_of_npz(path, alignment, wanted)
        return CalibrationSet(crops, path.name, persons=persons)
    if kind == ".parquet":
        return _from_shards(path, [path], alignment, wanted)
    if kind in PICTURES | VIDEOS:
        return _from_media(path.name, [path], alignment, wanted)
    raise CalibrationError(f"calibration data {path} is of no kind that is known; {_KINDS}")


def _from_table(table: Path, alignment: Alignment, wanted: int) -> CalibrationSet:
    found = divided(read_labelled_pictures(table))
    if found.split is not None and "train" in found.split:
        found = found.select([row for row, name in enumerate(found.split) if name == "train"])
    pictures = [found.path(row) for row in range(len(found))]
    with FaceCropper(alignment) as cropper:
        crops, notes, places, unreadable = crops_of_pictures(pictures, cropper, wanted)
    named = (found.unreadable(row, error) for row, error in sorted(unreadable.items()))
    persons = None if found.person is None else found.groups[places]
    return CalibrationSet(
        _stacked(crops, alignment), table.name, tuple(notes), persons, problems=(*found.problems, *named)
    )


def _from_shards(path: Path, shards: Sequence[Path], alignment: Alignment, wanted: int) -> CalibrationSet:
    files, persons = encoded_crops(shards, wanted)
    crops = _stacked([decode_crop(file, alignment, str(path)) for file in files], alignment)
    return CalibrationSet(crops, f"the synthetic data set {path.name}", persons=persons)


def _from_folder(folder: Path, alignment: Alignment, wanted: int) -> CalibrationSet:
    media = [
        path
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in PICTURES | VIDEOS and path.is_file()
    ]
    if not media:
        raise CalibrationError(f"calibration folder {folder} holds nothing to calibrate on; {_KINDS}")
    return _from_media(folder.name, media, alignment, wanted)


def _from_media(
    source: str,
    paths: Sequence[Path],
    alignment: Alignment,
    wanted: int,
) -> CalibrationSet:
    images = [path for path in paths if path.suffix.lower() in PICTURES]
    films = [path for path in paths if path.suffix.lower() in VIDEOS]
    with FaceCropper(alignment) as cropper:
        crops, notes, _, unreadable = crops_of_pictures(images, cropper, wanted)
        notes += map(str, unreadable.values())
        for done, film in enumerate(films):
            each = -(-(wanted - len(crops)) // (len(films) - done))
            more, problems = crops_of_video(film, cropper, each)
            crops += more
            notes += problems
    return CalibrationSet(_stacked(crops, alignment), source, tuple(notes))


def _stacked(crops: Sequence[NDArray[np.uint8]], alignment: Alignment) -> NDArray[np.uint8]:
    return np.stack(crops) if crops else np.empty((0, *alignment.shape, 3), dtype=np.uint8)


def _shortened(notes: Sequence[str], shown: int = 3) -> str:
    more = f" and {len(notes) - shown} more" if len(notes) > shown else ""
    return "; ".join(notes[:shown]) + more


_KINDS = (
    f"wanted are a table of pictures (.csv), pictures ({' '.join(sorted(PICTURES))}), videos ({' '.join(sorted(VIDEOS))}), "
    "an .npz with 'crops', or a data set of edgeau-synth"
)
