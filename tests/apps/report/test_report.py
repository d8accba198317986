"""The report command: counts, published figures with their standing, one page without foreign links."""

import hashlib
import json
import re
import shutil
import sys
from dataclasses import asdict

import pytest

from edgeau.action_units.names import BP4D
from edgeau.bundle import load_bundle, packaged_bundle_path
from edgeau_apps.bench.result import MeasuringConditions, Result, Row, median_interval
from edgeau_apps.report.command import main
from edgeau_apps.report.published_tables import Cost, cost_table, score_tables
from edgeau_apps.report.tables import scores
from edgeau_training.networks.counting import mac_count, skeleton


def test_json_has_the_specified_counts(capsys):
    assert main(["mrpnet", "drml", "--json"]) == 0
    models = json.loads(capsys.readouterr().out)["models"]
    assert [model["parameters"] for model in models] == [9_906_988, 56_863_436]
    assert models[0]["flops"] == 2 * models[0]["macs"] == 2 * 732_977_376


def test_a_bundle_gives_a_row_an_artifact_with_its_f1(capsys):
    assert main([str(packaged_bundle_path()), "--json"]) == 0
    models = json.loads(capsys.readouterr().out)["models"]
    manifest = json.loads((packaged_bundle_path() / "manifest.json").read_text())
    assert [model["name"] for model in models] == [artifact["file"] for artifact in manifest["artifacts"]]
    labels = [model["label"] for model in models]
    assert labels[0] == "default fp32 (onnxruntime)"
    assert len(set(labels)) == len(labels), "the files of all bundles have the same names"
    assert models[0]["f1"] == manifest["artifacts"][0]["accuracy"]["f1_mean"]


def test_the_page_is_self_contained_and_has_plots(tmp_path, capsys):
    page = tmp_path / "report.html"
    assert main(["mrpnet", "drml", str(packaged_bundle_path()), "--papers", "--html", str(page)]) == 0
    text = page.read_text()
    assert not re.search(r'(src|href)="https?://', text)
    assert text.count("<svg") >= 4
    assert "9,906,988" in text
    assert str(page) in capsys.readouterr().out
    best = max(one.accuracy.f1_mean for one in load_bundle(packaged_bundle_path()).manifest.artifacts)
    assert f"has the highest mean F1, {best:.3f}." in text
    assert '<a href="#blocks-and-layers">' in text
    inside = text.partition('<section id="blocks-and-layers">')[2].partition("</section>")[0]
    assert inside.count("<details>") == 2 * inside.count("<svg") > 4, (
        "every network is folded, and its layers once more"
    )


def test_latencies_are_named_by_precision_engine_and_threads_and_have_intervals(tmp_path):
    samples = [10.0 + 0.1 * n for n in range(40)]
    rows = [
        Row(
            "model.int8.onnx",
            "onnxruntime",
            "int8",
            threads,
            batch,
            10,
            p50_ms=12.0,
            samples_ms=tuple(samples),
        )
        for threads in (1, 2)
        for batch in (1, 4)
    ]
    about = MeasuringConditions(
        "bench", "2026-11-29T00:00:00", "0.1.0", "d", "A network", "a board", "A processor", 2, "os", "3.11"
    )
    bench, page = tmp_path / "bench.json", tmp_path / "report.html"
    bench.write_text(Result(about, tuple(rows)).to_json())
    assert main(["mrpnet", "--bench", str(bench), "--html", str(page)]) == 0
    text = page.read_text()
    assert "A network on A processor, 2026-11-29, measured by edgeau-bench" in text
    assert ">int8 (onnxruntime), 2 threads</text>" in text
    assert ">latency of one face, ms</text>" in text
    assert ">latency of 4 faces in one run, ms</text>" in text
    low, high = median_interval(samples)
    assert f"int8 (onnxruntime), 1 thread: 12 [{low:.4g} {high:.4g}]" in text
    assert "model.int8.onnx" not in text


def test_artifacts_of_one_network_are_one_point(tmp_path):
    page = tmp_path / "report.html"
    assert main(["default", "mrpnet", "--html", str(page)]) == 0
    costs = page.read_text().partition("<title id=")[2].partition("MACs of one face, millions against")[2]
    drawn = costs.partition("</svg>")[0]
    assert ">default, mrpnet</text>" in drawn
    assert "onnxruntime" not in drawn


def test_the_interval_of_f1_is_that_of_the_export_s_report(tmp_path, capsys):
    bundle = tmp_path / "bundle"
    shutil.copytree(packaged_bundle_path(), bundle)
    manifest = json.loads((bundle / "manifest.json").read_text())
    shown = [
        {"file": one["file"], "accuracy": one["accuracy"], "labelled": None} for one in manifest["artifacts"]
    ]
    mean = shown[1]["accuracy"]["f1_mean"]
    of_float = {"f1": {"value": 0.5, "low": 0.4, "high": 0.6}}
    of_int8 = {"f1": {"value": mean, "low": mean - 0.02, "high": mean + 0.02}}
    shown[1]["labelled"] = {"mean": {"float": of_float, "as_made": of_int8}}
    report = json.dumps({"artifacts": shown}).encode()
    (bundle / "report.json").write_bytes(report)
    manifest["files"].append(
        {"file": "report.json", "bytes": len(report), "sha256": hashlib.sha256(report).hexdigest()}
    )
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    page = tmp_path / "report.html"
    assert main([str(bundle), "--html", str(page)]) == 0
    out = capsys.readouterr().out
    assert f"{mean:.3f} [{mean - 0.02:.3f} {mean + 0.02:.3f}]" in out
    assert out.count(" [0.") == 1, "another mean than the float artifact states"
    assert "not recorded for bundle fp32 (onnxruntime), bundle int8 (litert)." in out
    assert "whiskers 95 % bootstrap intervals of the mean" in page.read_text()


def test_a_page_without_matplotlib_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "edgeau_apps.report.page", None)
    page = tmp_path / "report.html"
    assert main(["mrpnet", "--html", str(page)]) == 2
    assert "edgeau[export]" in capsys.readouterr().err
    assert main(["mrpnet"]) == 0, "tables need no plots"


def test_markdown_and_layers(capsys):
    assert main(["mrpnet", "--blocks", "--markdown"]) == 0
    out = capsys.readouterr().out
    assert "| model | mean F1, 0..1 | input, pixels |" in out
    assert "stem.blocks.3" in out


def test_options_build_the_network(capsys):
    assert main(["mrpnet:mrp_variant=gap", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["models"][0]["parameters"] == 6_528_556


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "nothing to report on"),
        (["mrp"], "known networks"),
        (["missing.onnx"], "missing.onnx"),
        (["missing.tflite"], "missing.tflite"),
        (["missing.safetensors"], "missing.safetensors"),
        (["mrpnet:mrp_variant=Z"], "mrp_variant"),
        (["mrpnet:what"], "name:option=value"),
        (["mrpnet", "--bench", "missing.json"], "missing.json"),
        (["mrpnet", "--json", "--markdown"], "give one of them"),
        (["mrpnet:mrp_variant=\u00b2"], "mrp_variant"),
        (["--layout"], "--help"),
    ],
)
def test_bad_input_is_one_line_and_code_2(arguments, words, capsys):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.err.count("\n") == 1
    assert not captured.out


def test_what_a_board_needs_and_what_was_measured_stand_in_the_text_and_on_the_page(tmp_path, capsys):
    about = MeasuringConditions(
        "edgeau-bench", "2026-11-29", "0.1.0", "", "net", "board", "cpu", 2, "os", "3.11"
    )
    samples = tuple(0.05 + 0.001 * n for n in range(20))
    row = Row("a.onnx", "onnxruntime", "fp32", 1, 1, 10, p50_ms=0.06, p95_ms=0.068, samples_ms=samples)
    bench = tmp_path / "bench.json"
    bench.write_text(Result(about, (row,)).to_json())
    page = tmp_path / "page.html"
    command = ["mrpnet", "--target", "raspberrypi5", "--bench", str(bench), "--html", str(page)]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "Latencies of net on cpu" in said
    assert "0.06" in said
    assert "Expected on Raspberry Pi 5" in page.read_text()
    assert "median of a run" in page.read_text()


@pytest.mark.parametrize(
    "change", [{"p50_ms": float("nan")}, {"samples_ms": ()}, {"p50_ms": 0.0}, {"joules": float("inf")}]
)
def test_figures_that_nothing_measured_are_refused(tmp_path, capsys, change):
    about = MeasuringConditions("", "2026-11-29", "0.1.0", "", "net", "board", "cpu", 2, "os", "3.11")
    row = Row("a.onnx", "onnxruntime", "fp32", 1, 1, 10, p50_ms=0.06, samples_ms=(0.06,))
    document = {"provenance": asdict(about), "rows": [asdict(row) | change]}
    (tmp_path / "bench.json").write_text(json.dumps(document))
    assert main(["mrpnet", "--bench", str(tmp_path / "bench.json"), "--json"]) == 2
    assert "is not a result of edgeau-bench" in capsys.readouterr().err


def test_compiled_files_of_a_bundle_are_named_and_left_out(tmp_path, capsys, caplog):
    folder = tmp_path / "bundle"
    shutil.copytree(packaged_bundle_path("light"), folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    (artifact,) = [item for item in manifest["artifacts"] if item["file"] == "model.fp32.onnx"]
    (folder / "model.fp32.onnx").rename(folder / "model.fp32.pte")
    compiled = json.dumps(artifact | {"runtime": "executorch", "file": "model.fp32.pte"})
    manifest["artifacts"] = [
        json.loads(compiled) if item is artifact else item for item in manifest["artifacts"]
    ]
    for record in manifest["files"]:
        record["file"] = record["file"].replace("model.fp32.onnx", "model.fp32.pte")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert main([str(folder), "--json"]) == 0
    names = [model["name"] for model in json.loads(capsys.readouterr().out)["models"]]
    assert names == ["model.int8.onnx", "model.int8.tflite"]
    assert "left out model.fp32.pte" in caplog.text


def test_a_bench_file_that_is_none_is_refused(tmp_path, capsys):
    file = tmp_path / "bench.json"
    file.write_text('{"rows": [{"artifact": "a"}]}')
    assert main(["mrpnet", "--bench", str(file)]) == 2
    assert "edgeau-bench" in capsys.readouterr().err


def test_no_computed_figure_is_called_published():
    """What the specification marks as unknown or computed keeps that word."""
    rows = {row.method: row for row in cost_table().row}
    assert rows["MRP-Net"].parameters.status == "inferred"
    assert rows["MRP-Net (reconstruction)"].parameters.status == "computed"
    for method in ("LP-Net", "DSIN"):
        assert rows[method].parameters.status == rows[method].macs.status == "n/a"
    assert rows["DRML"].parameters.value == 56e6
    with pytest.raises(ValueError, match="n/a"):
        Cost("n/a", "", 1.0)


def test_printed_means_are_as_printed_and_their_notes_say_where_they_do_not_fit():
    table = score_tables()["f1-bp4d"]
    off = [
        row.method
        for row in table.row
        if row.mean and abs(sum(row.values) / len(row.values) - row.mean) > 0.06
    ]
    assert off == ["LSVM", "DRML", "EAC-Net", "ROI"]
    assert "LSVM, DRML, EAC-Net and ROI" in " ".join(table.notes)


def test_figures_have_the_decimals_that_they_are_printed_with():
    bp4d, ablation, siat = (
        {row[0]: row[1:] for row in scores(score_tables()[name]).rows}
        for name in ("f1-bp4d", "f1-mrpnet-ablation", "scores-siat")
    )
    assert all(len(cell.partition(".")[2]) == 1 for row in bp4d.values() for cell in row)
    assert ablation["EF+MRP+DCE"][0] == "57.24"
    assert siat["ResNet-152"][2] == "0.690"


def test_no_figure_stands_under_a_source_that_does_not_print_it():
    """The poster prints no scores, the paper of SIAT-NTU no ensemble of five, and nobody JAA-Net's parameters."""
    tables = score_tables()
    assert set(tables["poster-drml"].columns) == {"parameters", "training", "test"}
    assert not any(
        character.isdigit()
        for character in tables["poster-drml"].notes[-1].replace("F1", "").replace("BP4D", "")
    )
    rows = {row.method: row for row in cost_table().row}
    assert rows["JAA-Net (IJCV)"].parameters.status == "computed"
    assert rows["AlexNet (DRML poster)"].macs.value == mac_count(skeleton("drml-alexnet", BP4D), 227)


def test_notes_do_not_widen_the_table_in_a_terminal(capsys):
    assert main(["--papers"]) == 0
    lines = capsys.readouterr().out.splitlines()
    head = next(line for line in lines if line.startswith("method ") and "MACs" in line)
    assert len(head) < 80
    assert "EAC-Net: trunk and ROI head from its code; the original E-Net branch is left out; at 224" in lines
