from __future__ import annotations

import pytest

from edgeau._system.text_table import aligned_lines

ROWS = [("file", "MB"), ("model.onnx", "39.7"), ("a", "")]


def test_columns_are_lined_up_and_lines_end_with_their_text() -> None:
    assert aligned_lines(ROWS) == ["file        MB", "model.onnx  39.7", "a"]


def test_numbers_are_set_flush_right() -> None:
    assert aligned_lines(ROWS, right=True) == ["file          MB", "model.onnx  39.7", "a"]


def test_rows_of_other_lengths_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="argument"):
        aligned_lines([("a", "b"), ("c",)])
