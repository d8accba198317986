"""A range that says what it is made of, and is held against what others measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgeau.bundle import packaged_bundle_path
from edgeau.errors import TargetError, UsageError
from edgeau_apps.report.command import main
from edgeau_export.profiling.board_cost import board_named, board_names, expected, frame_expected, published
from edgeau_export.profiling.from_onnx import profile_of_onnx


@pytest.fixture(scope="module")
def profile():
    return profile_of_onnx(Path(packaged_bundle_path()) / "model.fp32.onnx")


def test_a_known_count_gives_its_time(profile) -> None:
    """610 million instructions were counted for this file; at one a cycle and without memory they take 610 / 2.4 ms."""
    board = replace(board_named("raspberrypi5"), per_cycle=(1.0, 1.0), bandwidth=(float("inf"), float("inf")))
    cost = expected(board, profile, "onnxruntime", "fp32")
    assert cost.low == cost.high == pytest.approx(610 / 2.4, rel=0.01)


def test_more_threads_cost_less_and_no_more_than_there_are_cores(profile) -> None:
    board = board_named("raspberrypi")
    one, four, many = (expected(board, profile, "litert", "int8", threads) for threads in (1, 4, 64))
    assert four.middle < one.middle
    assert many == four
    assert one.low < one.middle < one.high


def test_dot_products_make_integers_cheap(profile) -> None:
    ratios = []
    for name in ("raspberrypi4", "raspberrypi5"):
        board = board_named(name)
        ratios.append(
            expected(board, profile, "litert", "fp32").middle
            / expected(board, profile, "litert", "int8").middle
        )
    assert ratios[1] > 1.5 * ratios[0]


def test_every_board_has_its_processor_s_counts(profile) -> None:
    """Smaller processors take longer, and a Cortex-A55 has dot products, which a Cortex-A53 has not."""
    names = ("raspberrypi5", "raspberrypi4", "raspberrypi3", "raspberrypizero2w")
    middles = [expected(board_named(name), profile, "litert", "int8").middle for name in names]
    assert middles == sorted(middles)
    assert set(names) | {"rk3566"} == set(board_names())
    small, dotted = (
        expected(board_named(name), profile, "litert", "fp32").middle
        / expected(board_named(name), profile, "litert", "int8").middle
        for name in ("raspberrypi3", "rk3566")
    )
    assert dotted > 1.5 * small


def test_a_frame_costs_its_network_and_what_was_counted_beside_it(profile) -> None:
    """89.4 million instructions beside the network, at one a cycle of 1.8 GHz."""
    board = replace(board_named("raspberrypi4"), per_cycle=(1.0, 1.0))
    network = expected(board, profile, "litert", "int8")
    frame = frame_expected(board, network)
    assert frame.low - network.low == pytest.approx(89.4 / 1.8, rel=1e-6)
    assert frame.high - network.high == pytest.approx(89.4 / 1.8, rel=1e-6)


def test_what_was_never_counted_has_no_cost(profile) -> None:
    assert expected(board_named("raspberrypi5"), profile, "openvino", "int8") is None


def test_boards_without_a_model_and_unknown_ones_are_refused() -> None:
    with pytest.raises(UsageError, match="jetson-orin has no cost model; there are some of raspberrypi4"):
        board_named("jetson")
    with pytest.raises(TargetError, match="boards with a cost model are raspberrypi4"):
        board_named("abacus")


def test_published_measurements_are_within_twice_the_middle() -> None:
    rows = published()
    assert len(rows) >= 4
    assert all(0.5 <= row.off <= 2 for row in rows), {row.network: row.off for row in rows}
    assert all(row.source for row in rows)
    inside = [row.expected.low <= row.ms[0] and row.ms[1] <= row.expected.high for row in rows]
    assert all(inside)


def test_the_report_says_that_it_is_computed(capsys) -> None:
    assert main(["light", "--target", "raspberrypi5"]) == 0
    said = capsys.readouterr().out
    assert "computed, not measured" in said
    assert "YOLO11n" in said
    assert main(["light", "--target", "jetson"]) == 2


def test_the_page_of_the_pi_has_the_figures_of_the_model(root: Path) -> None:
    page = (root / "docs" / "raspberry-pi.md").read_text("utf-8")
    for name in ("raspberrypi5", "raspberrypi4", "raspberrypi3", "raspberrypizero2w"):
        board = board_named(name)
        shown = []
        for bundle in ("default", "light"):
            network = profile_of_onnx(Path(packaged_bundle_path(bundle)) / "model.fp32.onnx")
            cost = expected(board, network, "litert", "int8")
            assert cost is not None
            frame = frame_expected(board, cost)
            shown.append(f"{frame.middle:.0f} [{frame.low:.0f} {frame.high:.0f}]")
        assert f"| `{name}` | {' | '.join(shown)} |" in page
