"""The integer file of an Ethos-U bundle, operator by operator: LiteRT's reference kernels, its usual ones, and what Vela compiled.

    python benchmarks/integer_kernels.py --work DIR [--networks default,light] [--out result.json] [--write docs/places.md]

``--work`` holds the bundles ``NETWORK-ethos-u`` that ``benchmarks/nine_places.py`` exports. On the golden crops of each:

- the arithmetic of ``integer_arithmetic.py`` from the first operator to the last, against the reference kernels' answer;
- each operator alone, given what the reference kernels gave its inputs: the share of its integers that are the same in that arithmetic, and in the usual
  kernels (XNNPACK), by how many steps the others differ, and the share of XNNPACK's integers that its own arithmetic, written out, gives;
- in each compiled file, the share of channels whose bias, multiplier and shift stand there as the reference kernels use them, and of tables of 256 entries.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from integer_arithmetic import RULES, Operation, Quantity, as_usual, factor_of, multiplier_and_shift
from numpy.typing import NDArray
from result_options import add_result_options, give_result
from this_machine import machine_name, today

from edgeau._system.command import DONE, CommandParser, run
from edgeau.bundle import Bundle, load_bundle
from edgeau.bundle.golden import read_golden
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.runtimes.litert_interpreter import interpreter
from edgeau.runtimes.tflite_part import part_of
from edgeau_export.onnx_to_tflite.schema import tables
from edgeau_export.tools.reference_kernels import reference_interpreter

NAME = "integer_kernels"
_FILE = "model.int8.tflite"
_RECORD = 10  # bytes of a channel's bias, multiplier and shift in a compiled file
_DTYPES = {tables.TensorType.INT8: np.int8, tables.TensorType.INT32: np.int32}
_KINDS = {number: name for name, number in vars(tables.BuiltinOperator).items() if isinstance(number, int)}

Values = Mapping[int, NDArray[Any]]


class Graph:
    """The operators of an integer ``.tflite`` file, and what is constant in it.

    Args:
        content: of the file.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._model = tables.ModelT.InitFromPackedBuf(content, 0)
        self._graph = self._model.subgraphs[0]
        self.operators = self._graph.operators
        self.input, self.output = int(self._graph.inputs[0]), int(self._graph.outputs[0])
        self.constants = dict(self._constants())

    def _constants(self) -> Iterator[tuple[int, NDArray[Any]]]:
        for number, tensor in enumerate(self._graph.tensors):
            data = self._model.buffers[tensor.buffer].data
            if data is not None and len(data) and tensor.type in _DTYPES:
                yield number, np.frombuffer(bytes(data), _DTYPES[tensor.type]).reshape(tensor.shape)

    def kind(self, operator: Any) -> str:
        code = self._model.operatorCodes[operator.opcodeIndex]
        return _KINDS[max(code.builtinCode, code.deprecatedBuiltinCode)]

    def given(self, operator: Any) -> list[int]:
        """Inputs that are not constant."""
        return [int(number) for number in operator.inputs if number >= 0 and number not in self.constants]

    def is_int8(self, number: int) -> bool:
        """True of a tensor of int8."""
        return bool(self._graph.tensors[number].type == tables.TensorType.INT8)

    def operation(self, operator: Any, values: Values) -> Operation:
        """An operator with the values of its inputs."""
        output = self._graph.tensors[operator.outputs[0]]
        inputs = tuple(self._quantity(int(number), values) for number in operator.inputs)
        scale, zero = _scale_of(output)
        kind, shape = self.kind(operator), tuple(int(size) for size in output.shape)
        return Operation(kind, operator.builtinOptions, inputs, scale[0], zero, shape)

    def _quantity(self, number: int, values: Values) -> Quantity | None:
        if number < 0:
            return None
        found = self.constants.get(number)
        return Quantity(values[number] if found is None else found, *self.scale(number))

    def scale(self, number: int) -> tuple[NDArray[np.float32], int]:
        """Scale and zero point of a tensor."""
        return _scale_of(self._graph.tensors[number])


def _scale_of(tensor: Any) -> tuple[NDArray[np.float32], int]:
    found = tensor.quantization
    if found is None or found.scale is None:
        return np.ones(1, np.float32), 0  # axes, shapes and margins
    return np.asarray(found.scale, np.float32), int(found.zeroPoint[0])


@dataclass
class Tally:
    """Counts of a kind of operator, over all crops.

    Attributes:
        operators: in the file.
        values: integers that they answered.
        written: of these, the same in the written-out arithmetic as in the reference kernels.
        usual: the same in the usual kernels as in the reference kernels.
        steps: largest difference of the usual kernels.
        usual_written: of the usual kernels' integers, the same as in their own arithmetic, written out.
    """

    operators: int = 0
    values: int = 0
    written: int = 0
    usual: int = 0
    steps: int = 0
    usual_written: int = 0

    def add(self, operation: Operation, reference: NDArray[np.int8], usual: NDArray[np.int8]) -> None:
        """Count one operator's answers to one crop."""
        answer = RULES[operation.kind](operation)
        self.values += reference.size
        self.written += int((answer.values == reference).sum())
        self.usual += int((usual == reference).sum())
        self.steps = max(self.steps, int(np.abs(usual.astype(int) - reference).max()))
        self.usual_written += int((as_usual(operation, answer) == usual).sum())


def answers(graph: Graph, given: NDArray[np.int8]) -> NDArray[np.int8]:
    """The written-out arithmetic from the input int8 ``(1, H, W, 3)`` to the output."""
    values: dict[int, NDArray[Any]] = {graph.input: given}
    for operator in graph.operators:
        operation = graph.operation(operator, values)
        values[int(operator.outputs[0])] = RULES[operation.kind](operation).values
    return values[graph.output]


def _usual(opened: Any, given: Sequence[NDArray[np.int8]]) -> NDArray[np.int8]:
    for end, values in zip(opened.get_input_details(), given, strict=True):
        opened.set_tensor(end["index"], values)
    opened.invoke()
    found: NDArray[np.int8] = opened.get_tensor(opened.get_output_details()[0]["index"])
    return found


def measured(bundle: Bundle) -> dict[str, Any]:
    """Everything of one bundle, in values of JSON."""
    file = bundle.path(_FILE)
    graph = Graph(file.read_bytes())
    reference = reference_interpreter(file, preserve=True)
    scale, zero = reference.get_input_details()[0]["quantization"]
    crops = Preprocessor(bundle.manifest.input).batch(read_golden(bundle.path(bundle.manifest.golden)).crops)
    alone: list[Any] = [
        interpreter(part_of(graph.content, graph.given(operator), [int(operator.outputs[0])]), 1).interpreter
        for operator in graph.operators
    ]
    kinds: dict[str, Tally] = defaultdict(Tally)
    whole = 0
    for operator in graph.operators:
        kinds[graph.kind(operator)].operators += 1
    for crop in crops:
        given = np.clip(np.rint(crop.transpose(1, 2, 0)[None] / scale) + zero, -128, 127).astype(np.int8)
        reference.set_tensor(graph.input, given)
        reference.invoke()
        for operator, opened in zip(graph.operators, alone, strict=True):
            values = {number: reference.get_tensor(number) for number in graph.given(operator)}
            operation = graph.operation(operator, values)
            expected = reference.get_tensor(int(operator.outputs[0]))
            kinds[operation.kind].add(operation, expected, _usual(opened, list(values.values())))
        whole += int((answers(graph, given) == reference.get_tensor(graph.output)).sum())
    outputs = len(crops) * len(bundle.manifest.labels)
    return {
        "crops": len(crops),
        "outputs": outputs,
        "outputs_equal": whole,
        "kinds": {kind: vars(tally) for kind, tally in sorted(kinds.items())},
        "compiled": {
            item.compiled.device: compiled_facts(graph, bundle.path(item.file).read_bytes(), item.compiled.device)
            for item in bundle.manifest.artifacts
            if item.compiled is not None and item.compiled.device is not None
        },
    }  # fmt: skip


def compiled_facts(graph: Graph, compiled: bytes, device: str) -> dict[str, int]:
    """Counts of the channels and tables of a file that stand in what was compiled from it.

    Args:
        graph: of the file.
        compiled: content of the compiled file.
        device: that it was compiled for.
    """
    known = _hashes(np.lib.stride_tricks.sliding_window_view(np.frombuffer(compiled, np.uint8), _RECORD))
    known.sort()
    found = {"channels": 0, "channels_found": 0, "tables": 0, "tables_found": 0}
    for operator in graph.operators:
        kind = graph.kind(operator)
        if "CONV" in kind:
            wanted = _hashes(records(graph, operator, device))
            place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
            found["channels"] += len(wanted)
            found["channels_found"] += int((known[place] == wanted).sum())
        if kind == "LOGISTIC":
            (number,) = graph.given(operator)
            every = {number: np.arange(-128, 128).astype(np.int8)}
            entries = RULES[kind](graph.operation(operator, every)).values
            found["tables"] += 1
            found["tables_found"] += entries.tobytes() in compiled
    return found


def records(graph: Graph, operator: Any, device: str) -> NDArray[np.uint8]:
    """Bias, multiplier and right shift of each channel as an NPU reads them, little end first: ``(channels, 10)``.

    U55 and U65 have 5 bytes of bias and 1 of shift, U85 has 4 and 2; the multiplier has 4.
    """
    given, weights, bias = (int(number) for number in operator.inputs)
    scales = [graph.scale(number)[0] for number in (given, weights, int(operator.outputs[0]))]
    multiplier, shift = multiplier_and_shift(factor_of(scales[0], scales[1], scales[2][0]))
    biases = graph.constants[bias]
    wide = 4 if device.startswith("ethos-u85") else 5
    rows = np.empty((len(biases), _RECORD), np.uint8)
    rows[:, :wide] = biases.astype("<i8").view(np.uint8).reshape(-1, 8)[:, :wide]
    rows[:, wide : wide + 4] = multiplier.astype("<u4").view(np.uint8).reshape(-1, 4)
    rows[:, wide + 4 :] = (31 - shift).astype("<u2").view(np.uint8).reshape(-1, 2)[:, : 6 - wide]
    return rows


def _hashes(rows: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """One number for each row of 10 bytes."""
    first, last = (
        np.ascontiguousarray(part).view("<u8").reshape(-1) for part in (rows[:, :8], rows[:, _RECORD - 8 :])
    )
    mixed: NDArray[np.uint64] = first * np.uint64(0x9E3779B97F4A7C15) ^ last * np.uint64(0xC2B2AE3D27D4EB4F)
    return mixed


def table(document: dict[str, Any]) -> str:
    """Markdown."""
    command = f"`python benchmarks/{NAME}.py`, LiteRT {document['litert']}"
    lines = [f"{document['machine']}, {document['date']}, {command}."]
    for name, network in document["networks"].items():
        equal, outputs = network["outputs_equal"], network["outputs"]
        whole = f"of {outputs} outputs of the whole file in NumPy, {equal} are bit-identical to those of the reference kernels"
        lines += [
            "",
            f"`{name}`, {network['crops']} golden crops: {whole}.",
            "",
            "| operator | in the file | NumPy = reference kernels | XNNPACK = reference kernels | largest difference, steps | NumPy with XNNPACK's rules = XNNPACK |",
            "|---|---|---|---|---|---|",
        ]
        for kind, row in network["kinds"].items():
            lines.append(
                f"| {kind} | {row['operators']} | {_share(row['written'], row['values'])} | {_share(row['usual'], row['values'])} "
                f"| {row['steps']} | {_share(row['usual_written'], row['values'])} |"
            )
        lines.append("")
        for device, row in network["compiled"].items():
            lines.append(
                f"- {device}: {row['channels_found']} of {row['channels']} channels have the reference kernels' bias, multiplier and shift in the "
                f"compiled file, {row['tables_found']} of {row['tables']} tables have their entries."
            )
    return "\n".join(lines)


def _share(part: int, whole: int) -> str:
    """In percent, never rounded up to all."""
    return "100 %" if part == whole else f"{min(100 * part / whole, 99.99):.2f} %"


def _measure(argv: Sequence[str] | None) -> int:
    parser = CommandParser(NAME, __doc__ or "", f"python benchmarks/{NAME}.py")
    parser.add_argument("--work", type=Path, required=True, help="folder of nine_places.py")
    parser.add_argument("--networks", default="default,light", help="(%(default)s)")
    add_result_options(parser)
    arguments = parser.parse_args(argv)
    document = {
        "machine": machine_name(),
        "date": today(),
        "litert": litert_version(),
        "networks": {
            name: measured(load_bundle(arguments.work / f"{name}-ethos-u"))
            for name in arguments.networks.split(",")
        },
    }
    give_result(arguments, NAME, document, table)
    return DONE


def litert_version() -> str:
    from edgeau.runtimes.litert_interpreter import litert

    return litert().version


def main(argv: Sequence[str] | None = None) -> int:
    return run(NAME, _measure, argv)


if __name__ == "__main__":
    sys.exit(main())
