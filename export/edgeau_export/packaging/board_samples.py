"""Labelled samples for the board: faces of the packaged clip, whose AUs are known since they were rendered.

A bundle is passed on and carries no user's faces; so these are the packaged ones whatever the export was calibrated on.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau.board.samples import SAMPLES, LabelledSamples, write_samples
from edgeau.bundle.manifest import Artifact
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.errors import DependencyError, InputError
from edgeau.faces.alignment import Alignment
from edgeau.sources.clip import clip_path
from edgeau.sources.opencv_video import OpenCvVideo
from edgeau_calibration.data.crops import evenly
from edgeau_calibration.data.faces import FaceCropper
from edgeau_calibration.data.labelled import PRESENT_INTENSITY
from edgeau_calibration.graph.ort_session import logits_of
from edgeau_export.converters.parity import run_artifact
from edgeau_export.progress import ProgressReporter
from edgeau_export.source_network.network import SourceNetwork

__all__ = ["add_board_samples"]

_COUNT = 48


def add_board_samples(
    directory: Path, network: SourceNetwork, artifacts: Sequence[Artifact], progress: ProgressReporter
) -> None:
    """Write the samples with the answers of the float graph and of artifacts whose engines a board builds."""
    description = network.description
    try:
        crops, present = _labelled(description.alignment, description.labels)
    except (DependencyError, InputError) as error:
        progress.notice(f"the bundle has no labelled samples, so the board cannot measure F1: {error}")
        return
    batch = Preprocessor(description.input).batch(crops).copy()
    logits = {"": logits_of(network.graph, crops, description.input)}
    for artifact in artifacts:
        logits[artifact.file] = run_artifact(artifact.runtime, directory / artifact.file, batch).values
    samples = LabelledSamples(crops, present, f"{len(crops)} frames of the packaged clip", logits)
    write_samples(directory / SAMPLES, samples)


def _labelled(alignment: Alignment, labels: tuple[str, ...]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Crops ``(n, size, size, 3)`` RGB and which AUs are present ``(n, C)``; an AU that the clip does not know never is."""
    clip = clip_path()
    with clip.with_suffix(".csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    chosen = {int(index) for index in evenly(len(rows), _COUNT)}
    crops, present = [], []
    # OpenCV whatever else is installed, so that every machine makes the same samples.
    with OpenCvVideo(clip) as frames, FaceCropper(alignment) as cropper:
        for frame in frames:
            crop = cropper.crop(frame.image) if frame.index in chosen else None
            if crop is not None:
                crops.append(crop)
                present.append(
                    [float(rows[frame.index].get(label, 0.0)) >= PRESENT_INTENSITY for label in labels]
                )
    if not crops:
        raise InputError("no face was found in the packaged clip")
    return np.stack(crops), np.array(present)
