"""The report of an export in a real browser, with F1, flips, candidates and worst decisions on it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeau.bundle.manifest import Manifest
from edgeau_export.report.int8 import (
    ArtifactAnswers,
    Labelled,
    ReportedCandidate,
    ReportInputs,
    write_reports,
)
from tests.report_pages import VIEWS, look_at


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, manifest: Manifest) -> Path:
    """A report with every section that labels, crops and a search give."""
    folder = tmp_path_factory.mktemp("measured")
    random = np.random.default_rng(0)
    labels, file = manifest.labels, manifest.artifacts[2].file
    truth = (random.random((200, len(labels))) < 0.3).astype(np.int8)
    logits = (random.normal(0, 1, truth.shape) + 3.0 * truth - 1.5).astype(np.float32)
    answers = {file: (logits - 0.6).astype(np.float32)}
    crops = random.integers(0, 255, (24, 96, 96, 3), np.uint8)
    shown = ArtifactAnswers("crops", logits[:24], {file: answers[file][:24]}, crops)
    inputs = ReportInputs(
        flips=ArtifactAnswers("crops", logits, answers),
        shown=shown,
        labelled=Labelled(ArtifactAnswers("made up", logits, answers), truth, np.arange(200) // 4),
        candidates=tuple(
            ReportedCandidate(
                f"robust, {kept} blocks in float", 0.03 - kept / 100, 1 - kept / 10, 10**6, kept == 2, ends
            )
            for kept, ends in enumerate([(0.02, 0.05), (0.01, 0.03), None])
        ),
    )
    half = dict.fromkeys(labels, 0.5)
    moved = replace(manifest.artifacts[2], thresholds=dict.fromkeys(labels, 0.4))
    write_reports(folder, replace(manifest, artifacts=(*manifest.artifacts[:2], moved)), half, inputs)
    return folder / "report.html"


@pytest.mark.parametrize(("width", "scheme"), VIEWS)
@pytest.mark.parametrize("name", ["measured", "seeded"])
def test_it_fits_is_alone_and_axe_finds_no_violation(
    measured: Path, seeded_bundle: Path, name: str, width: int, scheme: str
) -> None:
    page = measured if name == "measured" else seeded_bundle / "report.html"
    seen = look_at(page, width, scheme)
    assert seen.width == width
    assert seen.drawn >= (4 if name == "measured" else 1)
    assert seen.asked == [page.as_uri()]
    assert seen.said == []
    assert not seen.violations, seen.violations
