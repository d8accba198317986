"""The tables of an export: F1 first, what it means in words, units, logits called logits."""

import re
from dataclasses import replace
from pathlib import Path

from edgeau.bundle.manifest import Accuracy, Manifest
from edgeau_export.report.tables import report, summary
from edgeau_export.targets.target import load_target


def with_f1(manifest: Manifest) -> Manifest:
    labels = manifest.labels
    first, second, *others = manifest.artifacts
    measured = [
        replace(first, accuracy=Accuracy("made up", 90, dict.fromkeys(labels, 0.7), 0.7, 0.0, 0.0)),
        replace(
            second, bytes=10**6, accuracy=Accuracy("made up", 90, dict.fromkeys(labels, 0.6), 0.69, 0.01)
        ),
    ]
    return replace(manifest, artifacts=(*measured, *others))


def test_the_page_has_f1_first_and_says_what_it_means(manifest: Manifest) -> None:
    text = report(with_f1(manifest), load_target("cpu"))
    head = next(line for line in text.splitlines() if line.startswith("| artifact |"))
    columns = [cell.strip() for cell in head.strip("|").split("|")]
    assert columns[:6] == [
        "artifact",
        "runtime",
        "precision",
        "mean F1, 0..1",
        "F1 drop",
        "decisions flipped",
    ]
    assert {"size, MB", "largest difference, logits", "mean difference, logits"} <= set(columns)
    row = next(line for line in text.splitlines() if line.startswith(f"| {manifest.artifacts[1].file} |"))
    assert "| 0.690 | +0.0100 |" in row
    before, _, _ = text.partition("| artifact |")
    assert "What this means: fp32 in onnxruntime has the highest mean F1, 0.700; the smallest file" in before
    assert "(1.0 MB), has 0.690 (-0.010)." in before
    assert "Differences are of logits" in before


def test_the_terminal_has_the_same(manifest: Manifest) -> None:
    lines = summary(with_f1(manifest), Path("bundle")).splitlines()
    head = re.split(r" {2,}", lines[1])
    assert head[3:6] == ["size, MB", "mean F1, 0..1", "F1 drop"]
    assert "largest difference, logits" in head
    assert any(line.startswith("What this means: fp32") for line in lines)


def test_where_no_f1_was_measured_both_say_so(manifest: Manifest) -> None:
    bare = replace(manifest, artifacts=tuple(replace(one, accuracy=None) for one in manifest.artifacts))
    assert "the cost in F1 was not measured" in report(bare, load_target("cpu"))
    assert "the cost in F1 was not measured" in summary(bare, Path("bundle"))
