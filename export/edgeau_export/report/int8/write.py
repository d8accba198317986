"""Writing both files into the bundle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from edgeau.bundle.files import REPORT_HTML, REPORT_JSON
from edgeau.bundle.manifest import Manifest
from edgeau_export.report.int8.document import document
from edgeau_export.report.int8.gallery import gallery
from edgeau_export.report.int8.inputs import ReportInputs
from edgeau_export.report.int8.page import page

__all__ = ["write_reports"]


def write_reports(
    directory: Path, manifest: Manifest, float_thresholds: Mapping[str, float], inputs: ReportInputs
) -> None:
    """Write ``report.html`` and ``report.json``.

    Args:
        directory: of the bundle that is being made.
        manifest: its manifest, complete but for its list of files.
        float_thresholds: of the float network, per label.
        inputs: what was measured.
    """
    report = document(manifest, float_thresholds, inputs)
    text = json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False)
    (directory / REPORT_JSON).write_text(text + "\n", encoding="utf-8")
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
        artifact.file: gallery(
            inputs.shown,
            artifact.file,
            labels,
            before,
            np.array([artifact.thresholds[label] for label in labels]),
        )
        for artifact in manifest.artifacts
    }
    return figures, inputs.shown.data
