"""Common parts of the commands that make the packaged bundles: options, faces, copies of a bundle, the last line."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from edgeau._system.command import CommandParser, f1_drop
from edgeau.bundle import Bundle, packaged_bundle_path
from edgeau.bundle.files import MANIFEST
from edgeau.bundle.golden import Golden, read_golden, write_golden
from edgeau.bundle.manifest import Accuracy, Artifact
from edgeau.errors import InputError
from edgeau_calibration.data.crops import CalibrationSet, aligned_crops
from edgeau_calibration.data.load import PACKAGED
from edgeau_calibration.data.npz import stored_crops
from edgeau_calibration.data.packaged import COUNT
from edgeau_calibration.data.packaged import FILE as CALIBRATION
from edgeau_calibration.search.budget import MAX_F1_DROP
from edgeau_export.converters.artifacts import artifact_answer
from edgeau_export.quantization.face_crops import FaceCrops
from edgeau_export.quantization.labelled_data import LabelledData, labelled_data
from edgeau_export.source_network.network import NetworkDescription

__all__ = [
    "PACKAGED_OPSET",
    "add_golden_answer",
    "add_max_f1_drop",
    "copy_files",
    "cost_line",
    "labelled_splits_of",
    "packaged_faces",
    "packaged_parser",
]

PACKAGED_OPSET = 17
"""ONNX operator set of the packaged networks: the oldest that any target reads."""


def packaged_parser(name: str, description: str) -> CommandParser:
    """A parser with ``--data``, ``--bundle`` and ``--max-f1-drop``."""
    parser = CommandParser(name, description, f"{name} --data data/synth --bundle edgeau/default")
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="synthetic data set with val and test"
    )
    parser.add_argument(
        "--bundle", type=Path, required=True, metavar="DIR", help="bundle of the package to add it to"
    )
    add_max_f1_drop(parser)
    return parser


def add_max_f1_drop(parser: CommandParser) -> None:
    """The ``--max-f1-drop`` option."""
    parser.add_argument(
        "--max-f1-drop",
        type=f1_drop,
        default=MAX_F1_DROP,
        metavar="X",
        help="mean F1 that INT8 may cost (default %(default)s)",
    )


def copy_files(source: Bundle, directory: Path, without: Sequence[str] = ()) -> None:
    """Copy what a bundle holds, save its manifest and the files that are made anew."""
    for record in source.manifest.files:
        if record.file != MANIFEST and record.file not in without:
            shutil.copy(source.path(record.file), directory / record.file)


def add_golden_answer(
    source: Bundle, directory: Path, artifact: Artifact, description: NetworkDescription
) -> None:
    """Write a bundle's golden answers with those of an artifact that was added to its copy in ``directory``."""
    golden = read_golden(source.path(source.manifest.golden))
    answer = artifact_answer(artifact, directory, description, golden.crops)
    answers = {**golden.answers, artifact.file: answer}
    write_golden(directory / source.manifest.golden, Golden(golden.crops, answers))


def packaged_faces(source: Bundle) -> FaceCrops:
    """The very crops that the package carries, so that anybody can make its INT8 again: in the bundle itself or in the default."""
    own = source.path(CALIBRATION)
    file = own if own.is_file() else packaged_bundle_path() / CALIBRATION
    stored, persons = stored_crops(file, COUNT)
    crops = aligned_crops(stored, source.manifest.alignment, str(file))
    used, held_out = CalibrationSet(crops, PACKAGED, persons=persons).hold_out()
    return FaceCrops(used, held_out, read_golden(source.path(source.manifest.golden)).crops)


def labelled_splits_of(data: Path, description: NetworkDescription) -> LabelledData:
    """The labelled faces to search and to measure on.

    Raises:
        InputError: the data set has none.
    """
    labelled = labelled_data(data, description)
    if labelled is None:
        raise InputError(
            f"{data} has no splits val and test with labels to measure F1 on; give a data set of edgeau-synth"
        )
    return labelled


def cost_line(file: str, size: int, accuracy: Accuracy) -> str:
    """Describe in one line what a file of so many bytes costs."""
    return (
        f"{file}: {size / 1e6:.1f} MB, F1 {accuracy.f1_mean:.4f}, "
        f"drop {accuracy.f1_drop_mean:.4f}, of one AU at most {accuracy.f1_drop_max:.4f}"
    )
