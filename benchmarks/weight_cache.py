"""Time until a network of LiteRT has given its first answer, with and without XNNPACK's cache of packed weights.

    python benchmarks/weight_cache.py [--rounds 15] [--out result.json] [--write docs/frame-cost.md]

The INT8 files of both packaged bundles, one thread; the ways take turns, each in this process, so that no library is loaded in the measured
time. The interpreter is what edgeau opens. It has no option for such a cache; LiteRT's newer interface, the compiled model, has one.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from result_options import add_result_options, give_result
from this_machine import about, measured_here

from edgeau._system.command import DONE, CommandParser, run
from edgeau.bundle import bundle_folder
from edgeau.runtimes.litert_interpreter import interpreter

NAME = "weight_cache"
BUNDLES = ("default", "light")


def main(argv: Sequence[str] | None = None) -> int:
    return run(NAME, _measure, argv)


def _measure(argv: Sequence[str] | None) -> int:
    parser = CommandParser(NAME, __doc__ or "", f"python benchmarks/{NAME}.py")
    parser.add_argument("--rounds", type=int, default=15, help="turns of each way (%(default)s)")
    add_result_options(parser)
    arguments = parser.parse_args(argv)
    document: dict[str, Any] = {**measured_here(), "rounds": arguments.rounds, "bundles": {}}
    for name in BUNDLES:
        file = bundle_folder(name) / "model.int8.tflite"
        with tempfile.TemporaryDirectory() as folder:
            ways: dict[str, Callable[[], None]] = {
                "interpreter": lambda file=file: _interpreter(file),
                "compiled model": lambda file=file: _compiled(file, ""),
                "compiled model, cached": lambda file=file, folder=folder: _compiled(
                    file, f"{folder}/weights"
                ),
            }
            times: dict[str, list[float]] = {way: [] for way in ways}
            for _ in range(arguments.rounds + 1):
                for way, opened in ways.items():
                    began = time.perf_counter()
                    opened()
                    times[way].append(1000 * (time.perf_counter() - began))
        document["bundles"][name] = {
            way: round(statistics.median(found[1:]), 1) for way, found in times.items()
        }
    give_result(arguments, NAME, document, table)
    return DONE


def _interpreter(file: Path) -> None:
    opened: Any = interpreter(file, 1).interpreter
    (given,) = opened.get_input_details()
    opened.set_tensor(given["index"], np.zeros(given["shape"], given["dtype"]))
    opened.invoke()


def _compiled(file: Path, cache: str) -> None:
    from ai_edge_litert.compiled_model import CompiledModel
    from ai_edge_litert.hardware_accelerator import HardwareAccelerator
    from ai_edge_litert.options import CpuOptions, Options

    options = Options(
        hardware_accelerators=HardwareAccelerator.CPU,
        cpu_options=CpuOptions(num_threads=1, xnnpack_weight_cache_path=cache),
    )
    model = CompiledModel.from_file(str(file), options=options)
    given, answers = model.create_input_buffers(0), model.create_output_buffers(0)
    model.run_by_index(0, given, answers)


def table(document: dict[str, Any]) -> str:
    """Markdown."""
    ways = list(document["bundles"][BUNDLES[0]])
    lines = [
        f"{about(document, NAME)}: medians of {document['rounds']} turns, INT8, one thread.",
        "",
        f"| ms from opening to the first answer | {' | '.join(ways)} |",
        f"|---|{'---|' * len(ways)}",
    ]
    lines += [
        f"| `{name}` | {' | '.join(str(found[way]) for way in ways)} |"
        for name, found in document["bundles"].items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
