"""CPU time of a network on several faces: in one batch, and one after the other.

    python benchmarks/batches.py [--rounds 40] [--faces 2 4] [--out result.json] [--write docs/decisions/several-faces.md]

Every artifact of the packaged default that runs here, on one thread; the ways take turns. LiteRT's files hold a batch of one, so that a batch
there is one run for each face.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from result_options import add_result_options, give_result
from this_machine import about, measured_here

from edgeau import AUDetector
from edgeau._system.command import DONE, CommandParser, run
from edgeau.errors import DependencyError

NAME = "batches"
ARTIFACTS = ("litert/int8", "onnxruntime/int8", "onnxruntime/fp32", "openvino/int8", "openvino/fp32")
_WARM_UP = 3


def main(argv: Sequence[str] | None = None) -> int:
    return run(NAME, _measure, argv)


def _measure(argv: Sequence[str] | None) -> int:
    parser = CommandParser(NAME, __doc__ or "", f"python benchmarks/{NAME}.py")
    parser.add_argument("--rounds", type=int, default=40, help="turns of each way (%(default)s)")
    parser.add_argument("--faces", type=int, nargs="+", default=[2, 4], help="numbers of faces (%(default)s)")
    add_result_options(parser)
    arguments = parser.parse_args(argv)
    document: dict[str, Any] = {
        **measured_here(),
        "rounds": arguments.rounds,
        "artifacts": {},
    }
    for artifact in ARTIFACTS:
        try:
            detector = AUDetector.load(artifact=artifact, threads=1)
        except DependencyError as error:
            print(f"{artifact} is left out: {error}", file=sys.stderr)
            continue
        with detector:
            document["artifacts"][artifact] = _of_artifact(detector, arguments.faces, arguments.rounds)
    give_result(arguments, NAME, document, table)
    return DONE


def _of_artifact(detector: AUDetector, numbers: Sequence[int], rounds: int) -> dict[str, Any]:
    size = detector.bundle.manifest.input.size
    crops = np.random.default_rng(0).integers(0, 256, (max(numbers), *size, 3)).astype(np.uint8)
    found: dict[str, Any] = {}
    for number in numbers:
        chosen = crops[:number]
        at_once, in_turn = [], []
        for _ in range(_WARM_UP + rounds):
            at_once.append(_milliseconds(detector.logits, chosen))
            in_turn.append(_milliseconds(_one_by_one, detector, chosen))
        ratios = np.array(at_once[_WARM_UP:]) / in_turn[_WARM_UP:]
        low, middle, high = np.percentile(ratios, (25, 50, 75))
        found[str(number)] = {
            "batch_ms": statistics.median(at_once[_WARM_UP:]),
            "one_by_one_ms": statistics.median(in_turn[_WARM_UP:]),
            "ratio": float(middle),
            "quartiles": [float(low), float(high)],
        }
    return found


def _one_by_one(detector: AUDetector, crops: NDArray[np.uint8]) -> None:
    for crop in crops:
        detector.logits(crop[None])


def _milliseconds(call: Callable[..., object], *given: object) -> float:
    began = time.process_time()
    call(*given)
    return (time.process_time() - began) * 1e3


def table(document: dict[str, Any]) -> str:
    """Markdown."""
    lines = [
        f"{about(document, NAME)}: medians of {document['rounds']} turns, one thread.",
        "",
        "| artifact | faces | one batch, CPU ms | one by one, CPU ms | batch / one by one (quartiles) |",
        "|---|---|---|---|---|",
    ]
    for artifact, of_artifact in document["artifacts"].items():
        for number, row in of_artifact.items():
            low, high = row["quartiles"]
            lines.append(
                f"| {artifact} | {number} | {row['batch_ms']:.1f} | {row['one_by_one_ms']:.1f} | {row['ratio']:.2f} [{low:.2f} {high:.2f}] |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
