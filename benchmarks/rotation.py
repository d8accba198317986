"""Time of the rotation nearest to a 3 x 3 matrix: by numpy and by OpenCV, in a loop and right behind a network.

    python benchmarks/rotation.py [--rounds 300] [--out result.json] [--write docs/decisions/rotation-by-opencv.md]

A network leaves the processor's caches empty, so what is called behind one takes longer than in a loop of its own. The ways take turns, and
each is called once behind each run of the packaged default (LiteRT, INT8).
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
from edgeau.faces.procrustes import kabsch_rotation, kabsch_rotations

NAME = "rotation"


def by_numpy(product: NDArray[np.float64]) -> NDArray[np.float64]:
    return kabsch_rotations(product)


WAYS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "`numpy.linalg.svd`": by_numpy,
    "`cv2.SVDecomp`": kabsch_rotation,
}


def main(argv: Sequence[str] | None = None) -> int:
    return run(NAME, _measure, argv)


def _measure(argv: Sequence[str] | None) -> int:
    parser = CommandParser(NAME, __doc__ or "", f"python benchmarks/{NAME}.py")
    parser.add_argument("--rounds", type=int, default=300, help="calls of each way (%(default)s)")
    add_result_options(parser)
    arguments = parser.parse_args(argv)
    measured = measured_here()
    products = np.eye(3) + np.random.default_rng(0).normal(0, 0.2, (arguments.rounds, 3, 3))
    apart = max(float(np.abs(way(one) - by_numpy(one)).max()) for way in WAYS.values() for one in products)
    behind: dict[str, list[float]] = {name: [] for name in WAYS}
    alone: dict[str, list[float]] = {name: [] for name in WAYS}
    with AUDetector.load(artifact="litert/int8", threads=1) as network:
        crop = np.random.default_rng(0).integers(0, 256, (224, 224, 3)).astype(np.uint8)
        for product in products:
            for name, way in WAYS.items():
                network.logits([crop])
                behind[name].append(_timed(way, product))
    for name, way in WAYS.items():
        alone[name] = [_timed(way, product) for product in products]
    document: dict[str, Any] = {
        **measured,
        "rounds": arguments.rounds,
        "largest_difference": apart,
        "microseconds": {
            name: {"behind": statistics.median(behind[name]), "alone": statistics.median(alone[name])}
            for name in WAYS
        },
    }
    give_result(arguments, NAME, document, table)
    return DONE


def _timed(way: Callable[[NDArray[np.float64]], NDArray[np.float64]], product: NDArray[np.float64]) -> float:
    began = time.perf_counter()
    way(product)
    return (time.perf_counter() - began) * 1e6


def table(document: dict[str, Any]) -> str:
    """Markdown."""
    lines = [
        f"{about(document, NAME)}, median of {document['rounds']} calls, one thread.",
        "",
        "| microseconds a matrix | behind a network | in a loop |",
        "|---|---|---|",
    ]
    lines += [
        f"| {name} | {times['behind']:.0f} | {times['alone']:.1f} |"
        for name, times in document["microseconds"].items()
    ]
    lines += ["", f"The ways differ by at most {document['largest_difference']:.0e}."]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
