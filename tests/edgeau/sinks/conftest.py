"""Results to send, and ports to send them to."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import numpy as np
import pytest

from edgeau.results import ActionUnit, Box, Face, FrameResult, HeadPose
from edgeau.sinks import Description

MakeResult = Callable[..., FrameResult]


def result(index: int = 0, faces: int = 1) -> FrameResult:
    """AU1 is refused, AU12 is there."""
    units = (
        ActionUnit("AU1", None, None, reason="pose"),
        ActionUnit("AU12", 0.75, active=True, intensity=0.5),
    )
    landmarks = np.zeros((478, 3), np.float32)
    aus = {unit.name: unit for unit in units}
    found = tuple(Face(Box(1, 2, 3, 4), landmarks, n, HeadPose(1, 2, 3), aus) for n in range(faces))
    return FrameResult(index, index / 30, 0.025, 2, found)


@pytest.fixture(scope="session")
def make_result() -> MakeResult:
    return result


@pytest.fixture(scope="session")
def description() -> Description:
    return Description(("AU1", "AU12"), ("AU12",), trained=True)


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def until() -> Callable[[Callable[[], object]], None]:
    """Wait for something that another thread or process does."""

    def wait(condition: Callable[[], object], seconds: float = 30.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not happen"
            time.sleep(0.01)

    return wait
