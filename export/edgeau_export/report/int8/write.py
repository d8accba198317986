"""Writing both files into the bundle."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from edgeau.bundle.files import REPORT_HTML, REPORT_JSON
from edgeau_export.report.int8.document import document
from edgeau_export.report.int8.gallery import gallery
from edgeau_export.report.int8.page import page

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from edgeau.bundle.manifest import Manifest
    from edgeau_export.report.int8.evidence import Evidence

__all__ = ["write_reports"]


def write_reports(
    directory: Path, manifest: Manifest, float_thresholds: Mapping[str, float], evidence: Evidence
) -> None:
    """Write ``report.html`` and ``report.json``.

    Args:
        directory: of the bundle that is being made.
        manifest: its manifest, complete but for its list of files.
        float_thresholds: of the float network, per label.
        evidence: what was measured.
    """
    report = document(manifest, float_thresholds, evidence)
    text = json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False)
    (directory / REPORT_JSON).write_text(text + "\n", encoding="utf-8")
    galleries, source = _galleries(manifest, float_thresholds, evidence)
    (directory / REPORT_HTML).write_text(page(report, galleries, source), encoding="utf-8")


def _galleries(
    manifest: Manifest, float_thresholds: Mapping[str, float], evidence: Evidence
) -> tuple[dict[str, list[str]], str]:
    if evidence.shown is None:
        return {}, ""
    labels = manifest.labels
    before = np.array([float_thresholds[label] for label in labels])
    figures = {
        artifact.file: gallery(
            evidence.shown,
            artifact.file,
            labels,
            before,
            np.array([artifact.thresholds[label] for label in labels]),
        )
        for artifact in manifest.artifacts
    }
    return figures, evidence.shown.data
