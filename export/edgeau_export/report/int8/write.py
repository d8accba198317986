"""Writing the report's files into the bundle: what an export measured, and, apart, how long things took."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau.bundle.files import REPORT_HTML, REPORT_JSON, TIMES
from edgeau.bundle.manifest import Manifest
from edgeau.errors import OutputError
from edgeau_export.report.html.html import picture
from edgeau_export.report.int8.document import document
from edgeau_export.report.int8.flips import Flip, worst
from edgeau_export.report.int8.inputs import ArtifactAnswers, ReportInputs
from edgeau_export.report.int8.page import page

__all__ = ["write_reports"]


def write_reports(
    directory: Path, manifest: Manifest, float_thresholds: Mapping[str, float], inputs: ReportInputs
) -> None:
    """Write ``report.html`` and ``report.json``; ``times.json`` where times were measured, which differ from run to run.

    Args:
        directory: directory of the bundle that is being made.
        manifest: its manifest, complete but for its list of files.
        float_thresholds: thresholds of the float network, per label.
        inputs: what was measured.
    """
    report = document(manifest, float_thresholds, inputs)
    text = json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False)
    (directory / REPORT_JSON).write_text(text + "\n", encoding="utf-8")
    if inputs.times_ms:
        times = {
            "one_face_ms": {name: round(value, 2) for name, value in inputs.times_ms.items()},
            "threads": 1,
        }
        (directory / TIMES).write_text(
            json.dumps(times, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
    galleries, source = _galleries(manifest, float_thresholds, inputs)
    (directory / REPORT_HTML).write_text(page(report, galleries, source), encoding="utf-8")


def _galleries(
    manifest: Manifest, float_thresholds: Mapping[str, float], inputs: ReportInputs
) -> tuple[dict[str, list[str]], str]:
    if inputs.shown is None:
        return {}, ""
    labels = manifest.labels
    before = np.array([float_thresholds[label] for label in labels])
    figures = {
        artifact.file: _gallery(
            inputs.shown,
            artifact.file,
            labels,
            before,
            np.array([artifact.thresholds[label] for label in labels]),
        )
        for artifact in manifest.artifacts
    }
    return figures, inputs.shown.data


_COUNT = 12
_SIDE = 168


def _gallery(
    shown: ArtifactAnswers,
    file: str,
    labels: tuple[str, ...],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
) -> list[str]:
    """Figures of one artifact, as HTML; empty where its answers to the shown crops are not known."""
    if shown.pictures is None or file not in shown.artifacts:
        return []
    flips = worst(labels, shown.reference, shown.artifacts[file], before, after, _COUNT)
    return [_figure(shown.pictures[flip.crop], flip) for flip in flips]


def _figure(crop: NDArray[np.uint8], flip: Flip) -> str:
    small = cv2.resize(crop[..., ::-1], (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    done, file = cv2.imencode(".jpg", small, (cv2.IMWRITE_JPEG_QUALITY, 85))
    if not done:
        raise OutputError("OpenCV cannot encode a picture of the report as JPEG")
    caption = (
        f"{flip.label} {'FLIPPED' if flip.turned else 'held'}: {flip.before:.2f} in float (from {flip.threshold_before:.2f} on), "
        f"{flip.after:.2f} in INT8 (from {flip.threshold_after:.2f} on)"
    )
    return picture(file.tobytes(), f"a face crop, {caption}", caption, "jpeg")
