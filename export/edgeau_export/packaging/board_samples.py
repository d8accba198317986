"""Labelled samples for the board: faces of the packaged clip, whose AUs are known since they were rendered.

A bundle is passed on and carries no user's faces; so these are the packaged ones whatever the export was calibrated on.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import cv2
import numpy as np
import onnx

from edgeau.board.samples import SAMPLES, LabelledSamples, write_samples
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.errors import DependencyError, InputError
from edgeau.sources.clip import clip_path
from edgeau_calibration.data.crops import evenly
from edgeau_calibration.data.faces import FaceCropper
from edgeau_calibration.data.labelled import PRESENT_INTENSITY
from edgeau_export.converters.parity import run_artifact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edgeau.bundle.manifest import Artifact
    from edgeau.faces.alignment import Alignment
    from edgeau_export.context import Bench

__all__ = ["add_board_samples"]

_COUNT = 48


def add_board_samples(bench: Bench, artifacts: Sequence[Artifact]) -> None:
    """Write the samples with the answers of the TensorRT artifacts and of the float graph; nothing without such artifacts."""
    for_board = [artifact for artifact in artifacts if artifact.runtime == "tensorrt"]
    if not for_board:
        return
    try:
        crops, present = _labelled(bench.description.alignment, bench.description.labels)
    except (DependencyError, InputError) as error:
        bench.voice.notice(f"no labelled samples travel to the board, so it cannot measure F1: {error}")
        return
    batch = Preprocessor(bench.description.input).batch(crops).copy()
    logits = {"": _float_logits(bench, batch)}
    for artifact in for_board:
        logits[artifact.file] = run_artifact(artifact.runtime, bench.directory / artifact.file, batch).values
    samples = LabelledSamples(crops, present, f"{len(crops)} frames of the packaged clip", logits)
    write_samples(bench.directory / SAMPLES, samples)


def _labelled(alignment: Alignment, labels: tuple[str, ...]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Crops ``(n, size, size, 3)`` RGB and which AUs are present ``(n, C)``; an AU that the clip does not know never is."""
    clip = clip_path()
    with clip.with_suffix(".csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    chosen = {int(index) for index in evenly(len(rows), _COUNT)}
    crops, present = [], []
    with FaceCropper(alignment) as cropper:
        for index, frame in enumerate(_frames(clip)):
            crop = cropper.crop(frame) if index in chosen else None
            if crop is not None:
                crops.append(crop)
                present.append([float(rows[index].get(label, 0.0)) >= PRESENT_INTENSITY for label in labels])
    if not crops:
        raise InputError("no face was found in the packaged clip")
    return np.stack(crops), np.array(present)


def _frames(clip: Path) -> Iterator[NDArray[np.uint8]]:
    video = cv2.VideoCapture(str(clip))
    try:
        while True:
            there, frame = video.read()
            if not there:
                return
            yield frame.astype(np.uint8, copy=False)
    finally:
        video.release()


def _float_logits(bench: Bench, batch: NDArray[np.float32]) -> NDArray[np.float32]:
    # Written for the measurement only: the bundle need not hold a float artifact.
    file = bench.directory / ".float.onnx"
    onnx.save(bench.graph, file)
    try:
        return run_artifact("onnxruntime", file, batch).values
    finally:
        file.unlink()
