"""A sink may be slow, faulty or stuck: the pipeline does not notice, and the report says what was lost."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time

import pytest

from edgeau.errors import EngineError, OutputError
from edgeau.results import FrameResult
from edgeau.sinks import QueuedSink, Sink
from edgeau.sinks.sink import CallbackSink


class Recorder(Sink):
    """Keeps indices; waits for the gate, and fails for some."""

    def __init__(self, failing: range = range(0)) -> None:
        self.name = "recorder"
        self.indices: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self.closed = False
        self._failing = failing

    def write(self, result) -> None:
        self.gate.wait()
        if result.index in self._failing:
            raise OutputError("the disk is full")
        self.indices.append(result.index)

    def close(self) -> None:
        self.closed = True


def test_everything_arrives_in_order_and_the_sink_is_closed(make_result) -> None:
    recorder = Recorder()
    with QueuedSink(recorder) as queued:
        for index in range(100):
            queued.write(make_result(index))
    assert recorder.indices == list(range(100))
    assert recorder.closed
    assert (queued.report.written, queued.lost) == (100, 0)


def test_a_slow_sink_loses_the_oldest_and_the_writer_does_not_wait(make_result) -> None:
    recorder = Recorder()
    recorder.gate.clear()
    queued = QueuedSink(recorder, capacity=10)
    start = time.monotonic()
    for index in range(1000):
        queued.write(make_result(index))
    assert time.monotonic() - start < 1
    recorder.gate.set()
    queued.close()
    assert recorder.indices[-10:] == list(range(990, 1000)), "what was newest is there"
    assert queued.report.overrun == queued.lost == 1000 - len(recorder.indices)
    assert f"{queued.lost} lost" in str(queued.report)


def test_lossless_waits_and_loses_nothing(make_result) -> None:
    recorder = Recorder()
    recorder.gate.clear()
    queued = QueuedSink(recorder, capacity=2, lossless=True)
    threading.Timer(0.1, recorder.gate.set).start()
    for index in range(50):
        queued.write(make_result(index))
    queued.close()
    assert recorder.indices == list(range(50))


def test_a_failing_sink_is_told_once_and_tried_again(make_result, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), QueuedSink(Recorder(range(3, 6))) as queued:
        for index in range(10):
            queued.write(make_result(index))
    assert (queued.report.written, queued.report.failed) == (7, 3)
    assert [record.message for record in caplog.records] == [
        "recorder: the disk is full",
        "recorder: works again; 3 results lost so far",
    ]


def test_a_faulty_callback_keeps_its_trace_and_stops_nothing(make_result, caplog) -> None:
    def faulty(result) -> None:
        raise ZeroDivisionError(result.index)

    from edgeau.sinks.sink import CallbackSink

    with QueuedSink(CallbackSink(faulty)) as queued:
        queued.write(make_result())
        queued.write(make_result())
    assert queued.report.failed == 2
    assert "Traceback" in caplog.text


def test_closing_a_stuck_sink_takes_no_longer_than_it_may(make_result) -> None:
    recorder = Recorder()
    recorder.gate.clear()
    queued = QueuedSink(recorder, close_seconds=0.1)
    for index in range(5):
        queued.write(make_result(index))
    start = time.monotonic()
    queued.close()
    assert time.monotonic() - start < 0.5
    assert queued.lost >= 4, "all but the one that the sink holds"
    recorder.gate.set()


def test_what_comes_after_the_end_is_counted(make_result) -> None:
    queued = QueuedSink(Recorder())
    queued.close()
    queued.write(make_result())
    assert queued.lost == 1


def test_what_closing_says_reaches_the_caller_once() -> None:
    class Unfinished(Recorder):
        def close(self) -> None:
            raise OutputError("cannot be finished")

    queued = QueuedSink(Unfinished())
    with pytest.raises(OutputError, match="cannot be finished"):
        queued.close()
    queued.close()


def test_after_a_fork_a_sink_says_so_and_does_not_hang(make_result) -> None:
    sink = QueuedSink(Recorder(), lossless=True, capacity=1)
    child = os.fork()
    if not child:
        try:
            sink.write(make_result())
        except EngineError as error:
            sink.close()
            os._exit(7 if "before the process forked" in str(error) else 8)
        os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    sink.close()


def test_a_callback_that_wants_to_exit_does_not_leave_the_writer_waiting_for_ever(make_result) -> None:
    """Its thread ended without a word, and a lossless writer waited for room."""

    def leaving(result: FrameResult) -> None:
        if result.index == 1:
            sys.exit("enough")

    queued = QueuedSink(CallbackSink(leaving), capacity=2, lossless=True)
    for index in range(10):
        queued.write(make_result(index))
    queued.close()
    assert (queued.report.written, queued.report.failed) == (9, 1)
