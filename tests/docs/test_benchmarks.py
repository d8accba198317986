"""docs/benchmarks.md and its plots are what benchmarks/results/ says, and parts fail in words."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.arm.boards import BOARDS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def suite(benchmark):
    return {name: benchmark(f"suite.{name}") for name in ("page", "published", "turns")}


def test_the_page_is_made_of_the_results(suite):
    page = suite["page"]
    made = page.pages(page.read_documents())
    assert {file: file.read_text(encoding="utf-8") for file in made} == made


def test_every_result_says_where_it_is_from(suite):
    for name in suite["page"].MEASURED:
        about = json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text())["provenance"]
        assert {"command", "date", "processor", "load_before", "bundle", "packages", "peers"} <= about.keys()


def test_published_speeds_are_marked_and_have_a_source(suite):
    speeds = suite["published"].published_speeds()
    assert all(speed.source and speed.fps > 0 for speed in speeds)
    text = suite["page"].PAGE.read_text(encoding="utf-8")
    assert text.count("| published: ") == len(speeds)


def test_a_ratio_has_an_interval_around_it(suite):
    rng = np.random.default_rng(0)
    below = rng.normal(10, 0.5, 60)
    found = suite["turns"].ratio(1.2 * below, below)
    assert found == {"ratio": 1.2, "low": 1.2, "high": 1.2}  # what disturbed both in a round cancels out
    wide = suite["turns"].ratio(rng.normal(12, 1, 60), below)
    assert wide["low"] < wide["ratio"] < wide["high"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--work and --peers-python"),
        (["--page"], "--help"),
        (["--only", "x"], "--work and --peers-python"),
    ],
)
def test_what_is_missing_is_one_line_and_code_2(arguments, words):
    done = subprocess.run(
        [sys.executable, "benchmarks/run.py", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_subject_that_fails_is_a_row_with_its_reason(suite, tmp_path):
    turns = suite["turns"]
    options = {"runtime": "onnxruntime", "file": "missing.onnx", "threads": 1, "crops": "missing.npy"}
    (row,) = turns.take_turns([turns.Subject("it", "session", options)], 1, 1, tmp_path, "test")
    assert "missing" in row["fault"]


@pytest.mark.parametrize(
    ("cpuinfo", "instructions"),
    [
        (BOARDS["raspberrypi4"].cpuinfo(), "NEON"),
        (BOARDS["raspberrypi5"].cpuinfo(), "NEON with dot products"),
        ("model name\t: AMD EPYC\nflags\t\t: sse2 avx avx2 fma\n", "AVX2"),
        ("model name\t: AMD EPYC\nflags\t\t: sse2 avx2 avx512f avx512_vnni\n", "AVX-512 VNNI"),
        ("", ""),
    ],
)
def test_the_instructions_for_integers(benchmark, tmp_path, cpuinfo, instructions):
    (tmp_path / "cpuinfo").write_text(cpuinfo)
    assert benchmark("this_machine").integer_instructions(tmp_path / "cpuinfo") == instructions
    assert benchmark("this_machine").integer_instructions(tmp_path / "missing") == ""
