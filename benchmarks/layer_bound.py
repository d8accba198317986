"""Distance of an INT8 network in LiteRT to what this machine's integer matrix products allow, by class of layer.

    python benchmarks/layer_bound.py [--bundle default,light] [--runs 30] [--out result.json] [--write docs/frame-cost.md]

Every operator of the file is run as a network of its own on one thread; its time is the best of some runs, less that of the cheapest operator, which is what a call
costs. Operators that LiteRT's kernels (XNNPACK) run as one are one here: a logistic and the product with its input (SiLU), and padding with the convolution that reads it.
The data of an operator then lie in the caches, so that the sum may be less than the whole. The bound of an operator is its multiply-accumulates at the speed of
a large product of uint8 by int8 (edgeau_export/profiling/roofline.py), or the bytes of its weights, inputs and outputs at the speed of a large copy, whichever is
longer. An operator without products has the second alone.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from result_options import add_result_options, give_result
from this_machine import about, measured_here
from tqdm import tqdm

from edgeau._system.command import DONE, CommandParser, run
from edgeau.bundle import packaged_bundle_path
from edgeau.runtimes.litert_interpreter import interpreter
from edgeau.runtimes.tflite_part import part_of
from edgeau_export.profiling.from_tflite import _account, _Model
from edgeau_export.profiling.roofline import Ceilings, measured_ceilings

NAME = "layer_bound"
_FILE = "model.int8.tflite"
_ENDS = ("QUANTIZE", "DEQUANTIZE")


@dataclass(frozen=True)
class Operator:
    """An operator of a file.

    Attributes:
        kind: class of layer.
        macs: multiply-accumulates.
        inputs: numbers of the tensors that it is given.
        outputs: numbers of the tensors that it gives.
        read: bytes of its inputs.
        fixed: bytes of its weights.
        written: bytes of its outputs.
    """

    kind: str
    macs: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    read: int
    fixed: int
    written: int

    @property
    def bytes(self) -> int:
        """Bytes of weights, inputs and outputs."""
        return self.read + self.fixed + self.written


def main(argv: Sequence[str] | None = None) -> int:
    return run(NAME, _measure, argv)


def _measure(argv: Sequence[str] | None) -> int:
    parser = CommandParser(NAME, __doc__ or "", f"python benchmarks/{NAME}.py")
    parser.add_argument("--bundle", default="default,light", help="packaged ones (%(default)s)")
    parser.add_argument("--runs", type=int, default=30, help="of each operator (%(default)s)")
    add_result_options(parser)
    arguments = parser.parse_args(argv)
    measured, ceilings = measured_here(), measured_ceilings()
    document: dict[str, Any] = {
        **measured,
        "integer_gmacs": round(ceilings.integer_macs / 1e9, 1),
        "copy_gb": round(ceilings.bandwidth / 1e9, 1),
        "networks": {
            name: _network(packaged_bundle_path(name) / _FILE, ceilings, arguments.runs)
            for name in arguments.bundle.split(",")
        },
    }
    give_result(arguments, NAME, document, table)
    return DONE


def _network(file: Path, ceilings: Ceilings, runs: int) -> dict[str, Any]:
    content = file.read_bytes()
    whole = _best_ms(content, runs)
    operators = joined(operators_of(content))
    times = [
        _best_ms(part_of(content, operator.inputs, operator.outputs), runs)
        for operator in tqdm(operators, desc=file.parent.name, disable=None)
    ]
    call = min(times)
    classes: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0, 0.0])
    for operator, ms in zip(operators, times, strict=True):
        bound = 1000 * max(operator.macs / ceilings.integer_macs, operator.bytes / ceilings.bandwidth)
        for place, value in enumerate((1, operator.macs / 1e6, bound, ms - call)):
            classes[operator.kind][place] += value
    rows = {
        kind: {
            "operators": int(n),
            "million_macs": round(macs, 1),
            "bound_ms": round(bound, 3),
            "ms": round(ms, 3),
        }
        for kind, (n, macs, bound, ms) in sorted(classes.items(), key=lambda row: -row[1][3])
    }
    products = sum(operator.macs for operator in operators)
    return {
        "whole_ms": round(whole, 3),
        "sum_ms": round(sum(row["ms"] for row in rows.values()), 3),
        "products_bound_ms": round(1000 * products / ceilings.integer_macs, 3),
        "bound_ms": round(sum(row["bound_ms"] for row in rows.values()), 3),
        "classes": rows,
    }


def operators_of(content: bytes) -> list[Operator]:
    """The operators of a ``.tflite`` file that are computed on every run."""
    from ai_edge_litert import schema_py_generated as schema

    parsed = schema.ModelT.InitFromPackedBuf(content, 0)
    model = _Model(parsed, schema)
    profile = _account(model, _FILE, len(content))
    found = []
    for operator, layer in zip(model.graph.operators, profile.layers, strict=True):
        inputs = [int(n) for n in operator.inputs if n >= 0]
        given = tuple(n for n in inputs if not model.constant(n))
        outputs = tuple(int(n) for n in operator.outputs)
        read, fixed, written = (
            sum(model.bytes(n) for n in tensors)
            for tensors in (given, [n for n in inputs if model.constant(n)], outputs)
        )
        found.append(Operator(_class_of(model, operator), layer.macs, given, outputs, read, fixed, written))
    return found


def joined(operators: Sequence[Operator]) -> list[Operator]:
    """The operators, those in one that run as one."""
    found: list[Operator] = []
    for operator in operators:
        before = found[-1] if found else None
        if before is not None and _is_silu(before, operator):
            found[-1] = _one(before, operator, "SiLU")
        elif before is not None and before.kind == "pad" and operator.inputs == before.outputs:
            found[-1] = _one(before, operator, operator.kind)
        else:
            found.append(operator)
    return found


def _is_silu(first: Operator, second: Operator) -> bool:
    return (first.kind, second.kind) == ("logistic", "mul") and set(second.inputs) == {
        *first.inputs,
        *first.outputs,
    }


def _one(first: Operator, second: Operator, kind: str) -> Operator:
    """Two operators as one: what lies between them is neither written nor read, and an input of both is read once."""
    return Operator(
        kind,
        first.macs + second.macs,
        first.inputs,
        second.outputs,
        first.read,
        first.fixed + second.fixed,
        second.written,
    )


def _class_of(model: _Model, operator: Any) -> str:
    kind = model.kind(operator)
    if kind == "CONV_2D":
        pixels, kernel = model.shape(int(operator.inputs[0]))[1:3], model.shape(int(operator.inputs[1]))[1:3]
        if prod(pixels) == 1:
            return "1x1 of one pixel (squeeze and excite)"
        return "1x1 convolution" if kernel == (1, 1) else f"{kernel[0]}x{kernel[1]} convolution"
    if kind == "DEPTHWISE_CONV_2D":
        return "depthwise convolution"
    if kind in _ENDS:
        return "to and from integers"
    return kind.lower().replace("_", " ")


def _best_ms(content: bytes, runs: int) -> float:
    opened: Any = interpreter(content, 1).interpreter
    for end in opened.get_input_details():
        dtype = end["dtype"]
        values = np.random.default_rng(0).integers(-100, 100, end["shape"])
        opened.set_tensor(end["index"], values.astype(dtype))
    opened.invoke()
    best = float("inf")
    for _ in range(runs):
        began = time.perf_counter()
        opened.invoke()
        best = min(best, time.perf_counter() - began)
    return 1000 * best


def table(document: dict[str, Any]) -> str:
    """Markdown."""
    ceilings = f"{document['integer_gmacs']} billion MACs a second, {document['copy_gb']} GB/s"
    lines = [
        f"{about(document, NAME)}, one thread, LiteRT INT8. Ceilings measured in the same run: {ceilings}."
    ]
    for name, network in document["networks"].items():
        whole, bound = network["whole_ms"], network["bound_ms"]
        sums = f"{whole} ms as a whole, {network['sum_ms']} as the sum of its operators"
        bounds = f"lower bound {network['products_bound_ms']} by multiply-accumulates alone, {bound} with memory traffic"
        lines += [
            "",
            f"`{name}`: {sums}; {bounds}: {whole / bound:.2f} times the bound.",
            "",
            "| class | operators | million MACs | bound, ms | measured, ms | times the bound | possible gain, ms |",
            "|---|---|---|---|---|---|---|",
        ]
        for kind, row in network["classes"].items():
            times = f"{row['ms'] / row['bound_ms']:.1f}" if row["bound_ms"] else "-"
            left = max(row["ms"] - row["bound_ms"], 0)
            lines.append(
                f"| {kind} | {row['operators']} | {row['million_macs']} | {row['bound_ms']} | {row['ms']} | {times} | {left:.3f} |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
