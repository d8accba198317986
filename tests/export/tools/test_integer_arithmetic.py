"""The arithmetic that benchmarks/integer_kernels.py compares with: by hand where it rounds, and LiteRT's reference kernels on every kind of operator."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeau.bundle import packaged_bundle_path
from edgeau.runtimes.litert_interpreter import interpreter
from edgeau.runtimes.tflite_part import part_of
from edgeau_export.tools.reference_kernels import reference_interpreter

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def kernels(benchmark):
    return benchmark("integer_kernels")


@pytest.fixture(scope="module")
def arithmetic(benchmark):
    return benchmark("integer_arithmetic")


@pytest.fixture(scope="module")
def graph(kernels):
    return kernels.Graph((packaged_bundle_path("default") / "model.int8.tflite").read_bytes())


def integer_operators(graph):
    """One operator of each kind, from int8 to int8."""
    found = {}
    for operator in graph.operators:
        numbers = [*graph.given(operator), int(operator.outputs[0])]
        if all(graph.is_int8(number) for number in numbers):
            found.setdefault(graph.kind(operator), operator)
    return found


def test_a_sum_is_rounded_twice(arithmetic):
    half = np.int64(1 << 30)  # 0.5
    # 2.5 -> 3 -> 1.5 -> 2: twice; once would give 1.25 -> 1.
    assert arithmetic.rescaled(np.array([5, -5]), half, np.int64(-1)).tolist() == [2, -1]
    assert arithmetic.rescaled(np.array([3, -3]), half, np.int64(0)).tolist() == [2, -1]
    assert arithmetic.rescaled(np.array([7]), half, np.int64(2)).tolist() == [14]


@pytest.mark.parametrize("factor", [0.00037, 0.25, 0.5, 0.99999999999, 3.7])
def test_a_factor_is_a_multiplier_of_31_bits_and_a_shift(arithmetic, factor):
    multiplier, shift = arithmetic.multiplier_and_shift(np.array([factor]))
    assert (1 << 30) <= multiplier[0] < 1 << 31
    assert multiplier[0] * 2.0 ** (shift[0] - 31) == pytest.approx(factor, rel=2**-31)


def test_every_kind_of_operator_answers_as_litert_s_kernels(arithmetic, graph, tmp_path):
    """The reference kernels and the usual ones, each as they are written out."""
    found = integer_operators(graph)
    assert {"CONV_2D", "DEPTHWISE_CONV_2D", "MUL", "ADD", "MEAN", "LOGISTIC"} <= set(found)
    random = np.random.default_rng(5)
    apart = 0
    for kind, operator in found.items():
        numbers, output = graph.given(operator), int(operator.outputs[0])
        content = part_of(graph.content, numbers, [output])
        (tmp_path / kind).write_bytes(content)
        reference, usual = reference_interpreter(tmp_path / kind), interpreter(content, 1).interpreter
        ends = reference.get_input_details()
        values = {end["index"]: random.integers(-128, 128, end["shape"]).astype(np.int8) for end in ends}
        for opened in (reference, usual):
            for number, given in values.items():
                opened.set_tensor(number, given)
            opened.invoke()
        operation = graph.operation(operator, values)
        answer = arithmetic.RULES[kind](operation)
        assert np.array_equal(answer.values, reference.get_tensor(output)), kind
        assert np.array_equal(arithmetic.as_usual(operation, answer), usual.get_tensor(output)), kind
        apart += int((answer.values != usual.get_tensor(output)).sum())
    assert apart, "the two do not round alike"


@pytest.mark.parametrize(("device", "bias_bytes"), [("ethos-u55-256", 5), ("ethos-u85-256", 4)])
def test_channels_and_tables_are_found_in_a_compiled_file(kernels, graph, device, bias_bytes):
    convolution = integer_operators(graph)["CONV_2D"]
    records = kernels.records(graph, convolution, device)
    bias = graph.constants[int(convolution.inputs[2])]
    assert np.array_equal(
        records[:, :bias_bytes], bias.astype("<i8").view(np.uint8).reshape(-1, 8)[:, :bias_bytes]
    )
    nothing = kernels.compiled_facts(graph, bytes(1000), device)
    assert nothing["channels"] > 1000
    assert nothing["tables"] > 50
    assert nothing["channels_found"] == nothing["tables_found"] == 0
    some = kernels.compiled_facts(graph, b"\x01" + records.tobytes() + bytes(11), device)
    assert some["channels_found"] >= len(records)


def test_a_share_is_never_rounded_up_to_all(kernels):
    assert kernels._share(99_999, 100_000) == "99.99 %"
    assert kernels._share(7, 7) == "100 %"
