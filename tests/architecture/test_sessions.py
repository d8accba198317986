"""Every session of ONNX Runtime states its threads: of itself it starts one for each core, which spin while they wait."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOMS = ("edgeau", "apps", "calibration", "export", "training", "benchmarks")


def faults(source: str) -> list[int]:
    """Lines that open a session without options, or in a file that sets no number of threads."""
    tree = ast.parse(source)
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "InferenceSession"
    ]
    sets_threads = any(
        isinstance(node, ast.Attribute)
        and node.attr == "intra_op_num_threads"
        and isinstance(node.ctx, ast.Store)
        for node in ast.walk(tree)
    )
    return [
        call.lineno
        for call in calls
        if not sets_threads
        or not (len(call.args) > 1 or any(one.arg == "sess_options" for one in call.keywords))
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_every_session_states_its_threads(root: Path, room: str) -> None:
    found = {str(file): faults(file.read_text("utf-8")) for file in (root / room).rglob("*.py")}
    assert {file: lines for file, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("ort.InferenceSession(path)", [1]),
        ("ort.InferenceSession(path, options)", [1]),
        ("options.intra_op_num_threads = 1\nort.InferenceSession(path, providers=['CPU'])", [2]),
        ("options.intra_op_num_threads = 1\nort.InferenceSession(path, sess_options=options)", []),
        ("options.intra_op_num_threads = 1\nort.InferenceSession(path, options)", []),
    ],
)
def test_the_search_finds_what_it_is_for(source: str, lines: list[int]) -> None:
    assert faults(source) == lines
