"""docs/places.md is what benchmarks/results/nine-places.json says, and the bar is judged as the page says."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def places(benchmark):
    return benchmark("nine_places")


@pytest.fixture(scope="module")
def found(places):
    return json.loads(places.RESULTS.read_text("utf-8"))


def test_the_page_has_the_results(places, found):
    page = (ROOT / "docs" / "places.md").read_text("utf-8")
    assert places.table(found) in page


@pytest.mark.parametrize("network", ["default", "light"])
def test_wherever_the_network_runs_it_keeps_the_bar(places, found, network):
    rows = found["networks"][network]
    measured = {key for key in rows if places.PLACES[key].executes}
    assert {"onnxruntime", "litert", "openvino", "tensorrt", "rknn", "executorch"} <= measured
    for key in measured:
        assert rows[key]["flips"] <= places.BAR * rows[key]["onnxruntime_flips"], key
    for key in {"ethos-u55", "ethos-u85"} & set(rows):
        made = rows[key]["compiled"]
        assert made["on_accelerator"] >= 0.99 * made["operators"]
        assert network != "light" or made["sram_bytes"] < 2 << 20


def test_a_row_above_the_bar_says_so_and_one_that_failed_says_why(places):
    row = {
        "title": "x", "date": "2026-11-29", "faces": 10, "flips": 0.04, "onnxruntime_flips": 0.02, "max_logit": 1.0,
        "mean_logit": 0.1, "megabytes": 1.0, "executes": True,
    }  # fmt: skip
    assert "2.00, above the limit of 1.5" in places._line(row)
    assert "above" not in places._line(row | {"executes": False})
    assert "| no tool here |" in places._line({"title": "x", "fault": "no tool here"})


def test_the_operators_of_the_integer_files_are_the_reference_kernels_to_the_bit(benchmark):
    integer_kernels = benchmark("integer_kernels")
    found = json.loads((ROOT / "benchmarks" / "results" / "integer-kernels.json").read_text("utf-8"))
    assert integer_kernels.table(found) in (ROOT / "docs" / "places.md").read_text("utf-8")
    for network in found["networks"].values():
        assert network["outputs_equal"] == network["outputs"]
        for row in network["kinds"].values():
            assert row["written"] == row["values"]
            assert row["usual_written"] >= 0.999 * row["values"]
        for row in network["compiled"].values():
            assert row["channels_found"] == row["channels"]
            assert row["tables_found"] == row["tables"]
