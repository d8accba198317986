"""The report of an export: one file, true figures, nothing from elsewhere."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import onnx
import pytest

from edgeau.bundle.manifest import Accuracy, Manifest
from edgeau_calibration.evaluation.tensor_fidelity import tensor_fidelity
from edgeau_calibration.graph.integer_nodes import integer_nodes
from edgeau_export.export import export_bundle
from edgeau_export.report.int8 import (
    ArtifactAnswers,
    Labelled,
    ReportedCandidate,
    ReportInputs,
    write_reports,
)
from edgeau_export.report.int8.f1_intervals import score
from edgeau_export.report.int8.flips import binomial_interval, worst


class Sources(HTMLParser):
    """What a page would fetch, and whether its elements are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "img", "br", "circle", "rect", "line", "polyline", "polygon", "path"):
            self.open.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data")]

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()


def report_of(bundle: Path) -> tuple[dict[str, object], str]:
    return json.loads((bundle / "report.json").read_text()), (bundle / "report.html").read_text()


def test_the_page_is_whole_and_fetches_nothing(seeded_bundle: Path) -> None:
    report, page = report_of(seeded_bundle)
    sources = Sources(page)
    assert not sources.open
    assert all(one.startswith(("data:image/", "#")) for one in sources.fetched)
    assert page.count("data:image/webp") == len(report["labels"]), "every AU has its pictures"
    assert "<h3>AU12 lip corner puller</h3>" in page
    assert not re.search(r"url\(|@import|<script|https?://", page)


def test_the_report_says_what_the_manifest_says(seeded_bundle: Path, manifest: Manifest) -> None:
    report, page = report_of(seeded_bundle)
    assert [one["file"] for one in report["artifacts"]] == [item.file for item in manifest.artifacts]
    assert "UNTRAINED" in page
    int8 = report["artifacts"][2]
    assert int8["calibration"]["digest"] == manifest.artifacts[2].calibration.digest
    assert int8["flips"]["count"] == 6
    assert 0 <= int8["flips"]["low"] <= int8["flips"]["share"] <= int8["flips"]["high"]
    for counted in int8["flips"]["per_au"].values():
        assert 0 <= counted["low"] <= counted["flips"] / 6 <= counted["high"] <= 1
    assert int8["size_ratio"] == pytest.approx(manifest.artifacts[2].bytes / manifest.artifacts[0].bytes)
    assert int8["labelled"] is None
    assert "was not measured" in page


def test_every_quantized_tensor_has_its_noise_and_range(seeded_bundle: Path) -> None:
    report, page = report_of(seeded_bundle)
    inside = report["artifacts"][2]["inside"]
    graph = onnx.load(seeded_bundle / "model.int8.onnx")
    weights = {item.name for item in graph.graph.initializer}
    activations = {n.input[0] for n in graph.graph.node if n.op_type == "QuantizeLinear"} - weights
    activations = {name.replace("logits_QuantizeLinear_Input", "logits") for name in activations}
    assert {one["name"] for one in inside["tensors"]} == activations
    assert inside["tensors"][0]["made_by"] == "input"
    assert inside["tensors"][0]["snr"] > 30, "the input itself loses little"
    assert sum(inside["nodes"]["integer"].values()) > 20
    assert 0.5 < inside["integer_share"] <= 1
    assert "range seen in float" in page


def test_a_user_s_faces_are_counted_and_never_shown(
    tmp_path: Path, checkpoint: Path, calib: Path, packaged: Path, seeded_bundle: Path
) -> None:
    from edgeau_export.report.int8 import collect as module

    shown: list[object] = []
    original = module._answers

    def spy(*arguments: object, **options: object) -> ArtifactAnswers:
        answers = original(*arguments, **options)  # type: ignore[arg-type]
        shown.append((answers.data, answers.pictures is not None))
        return answers

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_answers", spy)
        export_bundle("cpu", tmp_path / "b", checkpoint, calib)
    assert shown == [
        ("crops held out of faces.npz", False),
        ("the packaged synthetic calibration crops", True),
    ]
    assert (tmp_path / "b" / "report.html").read_text().count("data:image/jpeg") > 4


def test_a_float_export_has_a_report_too(tmp_path: Path, checkpoint: Path) -> None:
    export_bundle("cpu", tmp_path / "b", checkpoint, precisions=("fp32",))
    report, page = report_of(tmp_path / "b")
    assert len(report["artifacts"]) == 2
    assert "model.fp32.b1.onnx" in page


def test_labels_give_f1_with_intervals_before_and_after_the_thresholds(
    tmp_path: Path, manifest: Manifest
) -> None:
    random = np.random.default_rng(0)
    count, labels = 400, manifest.labels
    truth = (random.random((count, len(labels))) < 0.3).astype(np.int8)
    truth[:, 3] = 0
    logits = (random.normal(0, 1, truth.shape) + 3.0 * truth - 1.5).astype(np.float32)
    lower = (logits - 1.0).astype(np.float32)  # as if quantization had shifted every logit
    file = manifest.artifacts[2].file
    half = dict.fromkeys(labels, 0.5)
    shifted = dict.fromkeys(labels, float(1 / (1 + np.exp(1.0))))
    artifacts = (*manifest.artifacts[:2], _with_thresholds(manifest, shifted))
    inputs = ReportInputs(
        labelled=Labelled(ArtifactAnswers("made up", logits, {file: lower}), truth, np.arange(count) // 4),
        candidates=(
            ReportedCandidate("plain", 0.1, 1.0, 10**6),
            ReportedCandidate("kept", 0.0, 0.9, 10**6, True, (-0.01, 0.02)),
        ),
    )
    write_reports(tmp_path, _replace(manifest, artifacts=artifacts), half, inputs)
    report, page = report_of(tmp_path)
    measured = report["artifacts"][2]["labelled"]
    assert measured["interval"]["resampled"] == "persons"
    mean = measured["mean"]
    assert mean["as_made"]["drop"]["value"] > 0.02
    assert mean["as_made"]["drop"]["low"] > 0, "the drop is far from chance"
    assert abs(mean["refitted"]["drop"]["value"]) < 0.001
    assert measured["per_au"][labels[3]]["float"]["value"] is None
    low, value, high = (mean["float"]["f1"][key] for key in ("low", "value", "high"))
    assert low < value < high < low + 0.1
    assert "INT8, refitted" in page
    assert "What was tried" in page
    assert "in the bundle" in page
    assert "<td>+0.0000 [-0.0100 +0.0200]</td>" in page
    assert "kept: 90, 0 [-0.01 0.02]" in page, "and in the words of the plot"
    assert "F1, float [95 %]" in page


def test_figures_of_the_manifest_serve_where_nothing_was_measured_now(
    tmp_path: Path, manifest: Manifest
) -> None:
    labels = manifest.labels
    of_float = Accuracy("made up", 900, dict.fromkeys(labels, 0.7), 0.7, 0.0, 0.0)
    of_int8 = Accuracy(
        "made up", 900, dict.fromkeys(labels, 0.69) | {labels[0]: None}, 0.69, 0.01, 0.01, "an engine"
    )
    artifacts = (
        _replace(manifest.artifacts[0], accuracy=of_float),
        _replace(manifest.artifacts[2], accuracy=of_int8),
    )
    write_reports(
        tmp_path, _replace(manifest, artifacts=artifacts), dict.fromkeys(labels, 0.5), ReportInputs()
    )
    _, page = report_of(tmp_path)
    assert "900 faces, made up; measured in an engine when the network was made" in page
    assert page.count("<td>+0.0100</td>") == len(labels) - 1 + 3, (
        "each AU but one, the mean, and the table of artifacts"
    )


def test_f1_is_that_of_its_definition_and_unlabelled_entries_do_not_count() -> None:
    truth = np.array([[1], [1], [0], [0], [-1]], np.int8)
    decided = np.array([[1], [0], [1], [0], [1]], bool)
    (scores,) = score(truth, [decided])
    assert scores.f1[0] == pytest.approx(2 / 4)
    assert (scores.drop, scores.drop_worst) == (0, 0)


def test_the_interval_of_a_drop_is_paired() -> None:
    random = np.random.default_rng(1)
    truth = (random.random((300, 4)) < 0.4).astype(np.int8)
    decided = np.where(random.random(truth.shape) < 0.2, 1 - truth, truth).astype(bool)
    same, again = score(truth, [decided, decided])
    assert again.drop_ends.tolist() == [0, 0]
    assert np.ptp(same.mean_ends) > 0.02


def test_the_worst_decisions_are_the_flipped_ones_and_then_those_that_moved_most() -> None:
    before = np.array([[2.0, 0.1], [0.0, -4.0], [3.0, -3.0]], np.float32)
    after = np.array([[2.0, -0.1], [3.0, -4.0], [3.0, -2.9]], np.float32)
    half = np.full(2, 0.5)
    first, second, third = worst(("AU1", "AU2"), before, after, half, half, 3)
    assert (first.crop, first.label, first.turned) == (0, "AU2", True)
    assert (second.crop, second.label, second.turned) == (1, "AU1", False)
    assert third.crop == 2


def test_a_binomial_interval_is_wilson_s() -> None:
    assert binomial_interval(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert binomial_interval(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)
    assert binomial_interval(5, 50) == pytest.approx((0.0435, 0.2136), abs=1e-4)


def test_a_graph_compared_with_itself_loses_only_rounding(
    seeded_bundle: Path, manifest: Manifest, persons_crops: np.ndarray
) -> None:
    float_graph = onnx.load(seeded_bundle / "model.fp32.onnx")
    quantized = onnx.load(seeded_bundle / "model.int8.onnx")
    assert tensor_fidelity(float_graph, float_graph, persons_crops[:1], manifest.input) == ()
    found = tensor_fidelity(float_graph, quantized, persons_crops[:2], manifest.input)
    entry = found[0]
    step = (entry.high - entry.low) / 255
    # uniform rounding noise: step / sqrt(12), against a standard deviation near 1
    assert entry.snr == pytest.approx(20 * np.log10(np.sqrt(12) / step), abs=3)
    assert all(one.low <= 0 <= one.high for one in found)


def test_nodes_of_a_float_graph_are_all_in_float(seeded_bundle: Path) -> None:
    counted = integer_nodes(onnx.load(seeded_bundle / "model.fp32.onnx"))
    assert not counted.integer
    assert not counted.conversions
    assert sum(counted.floating.values()) > 10


def _with_thresholds(manifest: Manifest, thresholds: dict[str, float]) -> object:
    return _replace(manifest.artifacts[2], thresholds=thresholds)


def _replace(record: object, **changes: object) -> object:
    from dataclasses import replace

    return replace(record, **changes)  # type: ignore[type-var]


def test_a_long_page_begins_with_its_contents_and_a_short_one_does_not():
    from edgeau_export.report.html.html import document, section

    parts = [section(f"Part {number} & more", "<p>text</p>") for number in range(4)]
    page = document("Title", "lead", parts)
    assert '<nav aria-label="Contents">' in page
    assert '<a href="#part-3-more">Part 3 &amp; more</a>' in page
    assert '<section id="part-3-more">' in page
    assert "<nav" not in document("Title", "lead", parts[:2])
