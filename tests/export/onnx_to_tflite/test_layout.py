from __future__ import annotations

import itertools

import numpy as np
import pytest

from edgeau_export.onnx_to_tflite.tensor import NHWC, follow, physical, plain, transposition


@pytest.mark.parametrize("source", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("target", list(itertools.permutations(range(3))))
def test_a_transposition_takes_one_layout_to_another(
    source: tuple[int, ...], target: tuple[int, ...]
) -> None:
    logical = np.arange(24).reshape(2, 3, 4)
    memory = logical.transpose(source)
    permutation = transposition(source, target)
    moved = memory if permutation is None else memory.transpose(permutation)
    np.testing.assert_array_equal(moved, logical.transpose(target))
    assert (permutation is None) == (source == target)


@pytest.mark.parametrize("permutation", list(itertools.permutations(range(4))))
def test_an_onnx_transpose_can_leave_the_memory_as_it_is(permutation: tuple[int, ...]) -> None:
    logical = np.arange(120).reshape(2, 3, 4, 5)
    memory = logical.transpose(NHWC)
    layout = follow(NHWC, permutation)
    np.testing.assert_array_equal(logical.transpose(permutation).transpose(layout), memory)


def test_shapes_in_memory() -> None:
    assert physical((1, 3, 224, 192), NHWC) == (1, 224, 192, 3)
    assert physical((1, 3, 224, 192), plain(4)) == (1, 3, 224, 192)
