from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from edgeau._system.bounded_log import LogLimit, limited_logs


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(LogLimit(most=3, span_s=60, trace=300))
    logger = logging.getLogger("edgeau.test.bounded")
    logger.addHandler(handler)
    logger.propagate = False
    yield logger, stream
    logger.removeHandler(handler)


def test_the_same_again_and_again_is_said_a_few_times(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = log
    for number in range(1000):
        logger.warning("request %d failed", number)
    logger.warning("something else")
    assert stream.getvalue() == "request 0 failed\nrequest 1 failed\nrequest 2 failed\nsomething else\n"


def test_the_next_span_counts_what_was_left_out(
    log: tuple[logging.Logger, io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    logger, stream = log
    now = [0.0]
    monkeypatch.setattr("edgeau._system.bounded_log.time.monotonic", lambda: now[0])
    for _ in range(10):
        logger.warning("full")
    now[0] = 61
    logger.warning("full")
    assert stream.getvalue().splitlines()[-1] == "full (7 more like it were left out)"


def test_messages_that_are_all_different_are_bounded_too(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = log
    for number in range(5000):
        logger.warning(f"request {number}")
    assert len(stream.getvalue().splitlines()) < 300


def test_a_long_trace_keeps_its_end(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = log

    def deep(left: int) -> None:
        if not left:
            raise ValueError("the reason")
        deep(left - 1)

    try:
        deep(200)
    except ValueError:
        logger.exception("it failed")
    assert len(stream.getvalue()) < 400
    assert stream.getvalue().endswith("ValueError: the reason\n")


def test_the_limit_ends_with_its_block() -> None:
    """A program that runs a command in its own process keeps its whole log afterwards."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    try:
        with limited_logs():
            for number in range(100):
                logging.getLogger("edgeau.test.block").warning("within %d", number)
        for number in range(100):
            logging.getLogger("edgeau.test.block").warning("after %d", number)
    finally:
        logging.getLogger().removeHandler(handler)
    assert stream.getvalue().count("within") == 20
    assert stream.getvalue().count("after") == 100
    assert handler.filters == []
