"""Expected milliseconds on boards that nothing was run on, from counted instructions, weights that are read, and published rates.

``instructions = MACs * instructions a MAC`` of the engine, precision and processor, counted under emulation on one network;
``seconds = instructions / (per cycle * clock) + bytes of weights / bandwidth``, over the threads. Each rate is a range, and what comes out is one
too: the fast ends together, the slow ends together, and the geometric mean between. A tracked frame with one face has the landmark network and edgeau's own work
besides, whose instructions were counted too. Networks with another mix of layers have other instructions a MAC, which the
range does not hold; what the model says of networks that others measured stands beside it.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from edgeau.errors import TargetError, UsageError
from edgeau_export.profiling.model_profile import ModelProfile
from edgeau_export.targets.target import load_target

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = [
    "Board",
    "Expected",
    "Published",
    "board_named",
    "board_names",
    "expected",
    "frame_expected",
    "published",
]

_BYTES = {"fp32": 4, "fp16": 2, "int8": 1, "dynamic": 1}
Range = tuple[float, float]


@dataclass(frozen=True)
class Board:
    """A board, as far as its cost model needs it.

    Attributes:
        name: of its target.
        title: for people.
        cores: of its processor.
        clock_hz: cycles a second.
        per_cycle: instructions a cycle of one core, slow and fast.
        bandwidth: bytes a second that one core reads, slow and fast.
        spread: share of their sum that several threads reach, slow and fast.
        instructions: runtime to precision to executed instructions a multiply-accumulate.
        frame: executed instructions of a tracked frame with one face beside the network.
    """

    name: str
    title: str
    cores: int
    clock_hz: float
    per_cycle: Range
    bandwidth: Range
    spread: Range
    instructions: dict[str, dict[str, float]]
    frame: float


@dataclass(frozen=True)
class Expected:
    """Milliseconds of one inference or one frame: ``low`` and ``high`` end of the range, and ``middle``, their geometric mean."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        """Geometric mean of both ends."""
        return math.sqrt(self.low * self.high)


@dataclass(frozen=True)
class Published:
    """A measurement of somebody else, and what the model says of it.

    Attributes:
        board: title of the board.
        network: its name.
        engine: runtime and precision.
        threads: that the model takes; publications do not state theirs.
        ms: what was measured, lowest and highest.
        expected: what the model says.
        source: of the figure.
    """

    board: str
    network: str
    engine: str
    threads: int
    ms: Range
    expected: Expected
    source: str

    @property
    def off(self) -> float:
        """The measurement in shares of the middle of the range."""
        return math.sqrt(self.ms[0] * self.ms[1]) / self.expected.middle


def board_names() -> tuple[str, ...]:
    """The boards that have a cost model."""
    return tuple(_facts()["boards"])


def board_named(name: str) -> Board:
    """A board by its own name, or that of a target.

    Raises:
        TargetError: there is neither such a board nor such a target.
        UsageError: the target has no cost model.
    """
    boards = board_names()
    try:
        board = name if name in boards else load_target(name).name
    except TargetError as error:
        raise TargetError(f"{error}; boards with a cost model are {', '.join(boards)}") from None
    if board not in boards:
        raise UsageError(f"target {board} has no cost model; there are some of {', '.join(boards)}")
    return _board(board)


def expected(
    board: Board, profile: ModelProfile, runtime: str, precision: str, threads: int = 1
) -> Expected | None:
    """The cost of one inference; None where the instructions of that engine and precision were never counted.

    Args:
        board: that it would run on.
        profile: of the network.
        runtime: name of the engine.
        precision: of the artifact.
        threads: that one inference uses, up to the board's cores.
    """
    return _expected(board, profile.macs, profile.parameters, (runtime, precision), threads)


def frame_expected(board: Board, network: Expected) -> Expected:
    """The cost of a tracked frame with one face, on one thread: landmarks in LiteRT, edgeau's own work, and the network.

    Args:
        board: that it would run on.
        network: cost of one inference of the network, on one thread.
    """
    low, high = (1000 * board.frame / (rate * board.clock_hz) for rate in reversed(board.per_cycle))
    return Expected(low=network.low + low, high=network.high + high)


def published() -> list[Published]:
    """Everything that the model is checked against."""
    found = []
    for row in _facts()["published"]:
        board, engine = _board(row["board"]), (row["runtime"], row["precision"])
        cost = _expected(board, row["macs"], row["parameters"], engine, row["threads"])
        assert cost is not None, row
        found.append(
            Published(
                board.title,
                row["network"],
                " ".join(engine),
                row["threads"],
                _range(row["ms"]),
                cost,
                row["source"],
            )
        )
    return found


def _expected(
    board: Board, macs: float, parameters: float, engine: tuple[str, str], threads: int
) -> Expected | None:
    runtime, precision = engine
    a_mac = board.instructions.get(runtime, {}).get(precision)
    if a_mac is None:
        return None
    used = min(threads, board.cores)
    weights = parameters * _BYTES[precision]

    def ms(end: int) -> float:
        together = 1.0 if used == 1 else used * board.spread[end]
        computing = macs * a_mac / (board.per_cycle[end] * board.clock_hz * together)
        return 1000 * (computing + weights / board.bandwidth[end])

    return Expected(low=ms(1), high=ms(0))


def _board(name: str) -> Board:
    facts = _facts()
    row = facts["boards"][name]
    ranges = {key: _range(row[key]) for key in ("per_cycle", "bandwidth", "spread")}
    instructions = dict(facts["instructions"][row["instructions"]])
    frame = float(instructions.pop("frame"))
    return Board(
        name, row["title"], row["cores"], row["clock_hz"], **ranges, instructions=instructions, frame=frame
    )


def _range(values: list[float]) -> Range:
    low, high = values
    return float(low), float(high)


@cache
def _facts() -> dict[str, Any]:
    content = files("edgeau_export.profiling").joinpath("boards.toml").read_text(encoding="utf-8")
    return tomllib.loads(content)
