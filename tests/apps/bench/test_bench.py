"""The benchmark: real engine, what is in the file, energy meters on described files, the test of significance."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from edgeau_apps.bench.command import main
from edgeau_apps.bench.comparison import compare, mann_whitney_p
from edgeau_apps.bench.energy import PowerIntegral, RaplMeter, ina3221_watts, pmic_watts
from edgeau_apps.bench.provenance import vcgencmd_flags
from edgeau_apps.bench.result import median_interval, read_result
from edgeau_apps.peak_memory import peak_memory_mb


@pytest.fixture(scope="module")
def result_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("bench") / "bench.json"
    assert (
        main(["--seconds", "0.3", "--threads", "1", "--artifact", "onnxruntime/fp32", "--out", str(file)])
        == 0
    )
    return file


def test_a_result_says_all_that_is_needed_to_repeat_it(result_file):
    import onnxruntime

    result = read_result(result_file)
    row = result.rows[0]
    assert (row.artifact, row.threads, row.batch) == ("model.fp32.onnx", 1, 1)
    assert 0 < row.p50_ms <= row.p95_ms <= row.p99_ms
    assert row.runs == len(row.samples_ms) >= 3
    assert row.p50_ms == pytest.approx(np.percentile(row.samples_ms, 50, method="higher"))
    assert row.start_s > row.p50_ms / 1e3
    assert 50 < row.memory_mb < 2000
    about = result.provenance
    assert about.engines["onnxruntime"] == onnxruntime.__version__
    assert about.cores == len(os.sched_getaffinity(0))
    assert "--threads 1" in about.command


def test_memory_is_not_inherited_from_the_process_that_starts_another():
    held = np.ones(400_000_000 // 8)  # 400 MB resident here
    line = "from edgeau_apps.peak_memory import peak_memory_mb; print(peak_memory_mb())"
    said = subprocess.run([sys.executable, "-c", line], check=True, capture_output=True, text=True).stdout
    assert held.nbytes / 1e6 < peak_memory_mb()
    assert 5 < float(said) < 200


def test_memory_is_left_open_where_the_kernel_does_not_tell_it(tmp_path):
    (tmp_path / "status").write_text("Name:\tpython\nVmRSS:\t 1024 kB\n")
    assert peak_memory_mb(tmp_path / "status") is None
    assert peak_memory_mb(tmp_path / "missing") is None


def test_the_table_names_an_engine_that_does_not_run(tmp_path, capsys, monkeypatch):
    from edgeau.bundle import load_bundle, packaged_bundle_path
    from edgeau_apps.bench import command

    bundle = load_bundle(packaged_bundle_path())
    artifact = replace(bundle.manifest.artifacts[0], runtime="tensorrt")
    manifest = replace(bundle.manifest, artifacts=(*bundle.manifest.artifacts, artifact))
    monkeypatch.setattr(command, "load_bundle", lambda _path: replace(bundle, manifest=manifest))
    assert main(["--seconds", "0.2", "--threads", "1", "--no-start"]) == 1
    out = capsys.readouterr().out
    assert "default fp32 (tensorrt), 1 thread:" in out
    head = next(line for line in out.splitlines() if line.startswith("model"))
    assert re.split(r"  +", head) == list(command._HEAD)
    assert "mean F1, 0..1" in head
    assert "p50, ms [95 %]" in head
    row = next(line for line in out.splitlines() if line.startswith("default fp32 (onnxruntime)"))
    assert f"{bundle.manifest.artifacts[0].accuracy.f1_mean:.3f}" in row
    assert "What this means: the fastest is default " in out
    assert re.search(r"[+-]0\.\d{3} beside the best of these", out)


def test_two_engines_of_one_file_are_not_compared_with_each_other(result_file):
    result = read_result(result_file)
    other = replace(result.rows[0], runtime="openvino", p50_ms=99.0)
    (same,) = compare(result, replace(result, rows=(*result.rows, other)))
    assert (same.runtime, same.after_ms) == ("onnxruntime", result.rows[0].p50_ms)
    assert same.label == "default fp32 (onnxruntime)"


def test_the_interval_of_a_median_holds_it_as_often_as_it_says():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(2000):
        low, high = median_interval(rng.exponential(1, 61).tolist())
        held += low <= np.log(2) <= high
    assert 0.94 < held / 2000 < 0.99
    assert median_interval([1.0] * 7) is None


def test_two_results_are_compared(result_file, tmp_path, capsys):
    slow = read_result(result_file)
    rows = tuple(
        replace(row, p50_ms=3 * row.p50_ms, samples_ms=tuple(3 * value for value in row.samples_ms))
        for row in slow.rows
    )
    other = tmp_path / "slow.json"
    other.write_text(replace(slow, rows=rows).to_json())
    assert main(["--compare", str(result_file), str(result_file), "--json"]) == 0
    same = json.loads(capsys.readouterr().out)
    assert not any(row["real"] for row in same)
    assert main(["--compare", str(result_file), str(other)]) == 0
    assert "+200.0%" in capsys.readouterr().out


@pytest.mark.parametrize("seed", range(4))
def test_rank_sum_p_values_are_those_of_scipy(seed):
    rng = np.random.default_rng(seed)
    first = np.round(rng.normal(10, 1, 60), 1)  # rounded, for ties
    second = np.round(rng.normal(10 + 0.3 * seed, 1, 45), 1)
    expected = mannwhitneyu(first, second, method="asymptotic").pvalue
    assert mann_whitney_p(first, second) == pytest.approx(expected, rel=1e-6)


def test_rapl_counts_over_its_end(tmp_path):
    (tmp_path / "max_energy_range_uj").write_text("1000000")
    (tmp_path / "energy_uj").write_text("900000")
    with RaplMeter(tmp_path) as meter:
        (tmp_path / "energy_uj").write_text("100000")
        assert meter.joules() == pytest.approx(0.2)
    assert not RaplMeter(tmp_path / "missing").readable()


def test_a_jetsons_module_power(tmp_path):
    monitor = tmp_path / "hwmon4"
    monitor.mkdir()
    for name, text in {
        "in1_label": "VDD_IN",
        "in1_input": "5000",
        "curr1_input": "1400",
        "in2_label": "VDD_CPU",
    }.items():
        (monitor / name).write_text(text + "\n")
    assert ina3221_watts(tmp_path) == pytest.approx(7.0)
    assert ina3221_watts(tmp_path / "none") is None


def test_a_raspberry_pi_5s_power():
    text = "  3V3_SYS_A current(1)=0.5A\n VDD_CORE_A current(7)=2.0A\n 3V3_SYS_V volt(9)=3.3V\n VDD_CORE_V volt(15)=0.9V\n"
    assert pmic_watts(text) == pytest.approx(0.5 * 3.3 + 2 * 0.9)
    assert pmic_watts("error") is None


def test_power_is_summed_over_time():
    import time

    with PowerIntegral("test", lambda: 10.0) as meter:
        time.sleep(0.5)
    assert 1.0 < meter.joules() < 10.0


def test_throttling_in_words():
    assert vcgencmd_flags("throttled=0x50005") == "under-voltage, throttled"
    assert vcgencmd_flags("throttled=0x0") == ""
    assert vcgencmd_flags("?") == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--threads", "0"], "1 or more"),
        (["--threads", "two"], "list of numbers"),
        (["--seconds", "-1"], "above 0"),
        (["missing/"], "missing"),
        (["--artifact", "cuda"], "cuda"),
        (["--compare", "a.json", "b.json"], "a.json"),
        (["default", "--compare", "a.json", "b.json", "--out", "c.json"], "leave out a bundle, --out"),
        (["--threads", "99999999999"], "2,147,483,647"),
        (["missing/", "--out", "/dev/null/bench.json"], "/dev/null/bench.json"),
    ],
)
def test_bad_input_is_one_line_and_code_2(arguments, words, capsys):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
