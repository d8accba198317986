"""Streams over HTTP on loopback: frames, deaths, silences, and what may be shown of an address."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import islice

import numpy as np
import pytest

from edgeau.errors import InputError
from edgeau.sources import Frame, ReconnectingSource, Source, open_source
from edgeau.sources.network_stream import NetworkStream, stream_name
from edgeau.sources.reconnecting import Backoff

QUICK = Backoff(first_s=0.02, longest_s=0.1)


def test_an_http_stream_gives_its_frames_with_the_clocks_time(serve) -> None:
    server = serve()
    with open_source(server.address) as source:
        assert source.live
        frames = list(islice(source, 8))
    assert [frame.index for frame in frames] == list(range(8))
    assert [round(frame.image.mean() / 10) for frame in frames] == list(range(8))
    assert frames[0].time_s == 0
    assert 0.02 < frames[-1].time_s < 5
    assert all(frame.gap_s == 0 for frame in frames)


def test_without_reconnecting_a_stream_that_dies_says_so(serve) -> None:
    server = serve(frames=5)
    with open_source(server.address, reconnect=False) as source:
        frames = iter(source)
        for _ in range(5):
            next(frames)
        with pytest.raises(InputError, match=r"stopped delivering after 5 frames"):
            next(frames)


def test_a_stream_that_dies_comes_back_and_the_gap_is_told(serve) -> None:
    server = serve(frames=10)
    with ReconnectingSource(lambda: NetworkStream(server.address), backoff=QUICK) as source:
        frames = list(islice(source, 25))
    assert [frame.index for frame in frames] == list(range(25))
    times = [frame.time_s for frame in frames]
    assert times == sorted(times)
    assert [frame.index for frame in frames if frame.gap_s] == [10, 20]
    first, second = source.gaps
    assert (first.tries, first.seconds) == (1, frames[10].gap_s)
    assert first.seconds >= 0.02
    assert "stopped delivering" in second.why
    assert server.connections == 3


def test_a_server_that_is_gone_for_a_while_is_tried_until_it_answers(serve) -> None:
    server = serve(frames=10)
    with ReconnectingSource(lambda: NetworkStream(server.address), backoff=QUICK) as source:
        frames = iter(source)
        list(islice(frames, 9))
        port = server.port
        server.close()
        threading.Timer(0.4, lambda: serve(port=port)).start()
        back = next(frame for frame in frames if frame.gap_s)
    assert back.gap_s > 0.3
    assert source.gaps[0].tries > 1


def test_a_stream_that_hangs_is_left_and_opened_again(serve) -> None:
    server = serve()
    with ReconnectingSource(lambda: NetworkStream(server.address), backoff=QUICK, silence_s=0.3) as source:
        frames = iter(source)
        list(islice(frames, 3))
        server.hang.set()
        threading.Timer(0.8, server.hang.clear).start()
        back = next(frame for frame in frames if frame.gap_s)
    assert back.gap_s > 0.3
    assert "no frame for 0.3 s" in source.gaps[0].why


def test_a_hanging_stream_closes_within_a_second(serve) -> None:
    server = serve()
    source = open_source(server.address)
    frames = iter(source)
    next(frames)
    server.hang.set()
    list(islice(frames, 1))
    begun_s = time.monotonic()
    source.close()
    assert time.monotonic() - begun_s < 1
    assert list(frames) == []


def test_waiting_for_a_dead_stream_can_be_stopped(serve) -> None:
    server = serve(frames=3)
    source = ReconnectingSource(lambda: NetworkStream(server.address), backoff=Backoff(60, 60))
    threading.Timer(0.5, source.stop).start()
    begun_s = time.monotonic()
    assert len(list(source)) == 3
    assert time.monotonic() - begun_s < 5
    source.close()


def test_an_address_where_nothing_answers_is_an_error_and_its_password_is_not_shown() -> None:
    with pytest.raises(InputError, match="no stream answers at rtsp://127.0.0.1:9/door") as caught:
        open_source("rtsp://me:secret@127.0.0.1:9/door?key=1234")
    assert "secret" not in str(caught.value)
    assert "1234" not in str(caught.value)


def test_an_address_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InputError, match="supported are rtsp"):
        open_source("gopher://127.0.0.1/1")


def test_an_ipv6_address_stays_one() -> None:
    assert stream_name("rtsp://a:b@[::1]:554/x") == "rtsp://[::1]:554/x"


def test_waits_double_up_to_a_limit() -> None:
    assert list(islice(Backoff(0.5, 3), 5)) == [0.5, 1, 2, 3, 3]


class TwoFrames(Source):
    """A camera that gives two frames and dies."""

    live, name = True, "camera"

    def __iter__(self) -> Iterator[Frame]:
        for index in range(2):
            yield Frame(index, index / 10, np.zeros((4, 6, 3), np.uint8), "frame", time.monotonic())
        raise InputError("it was unplugged")


def test_a_driver_that_raises_errors_of_its_own_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    answers = iter([TwoFrames, RuntimeError, ValueError, TwoFrames])

    def open_it() -> Source:
        answer = next(answers)()
        if isinstance(answer, Exception):
            raise answer
        return answer

    with ReconnectingSource(open_it, backoff=QUICK) as source:
        assert [frame.index for frame in islice(source, 4)] == [0, 1, 2, 3]
        assert source.gaps[0].tries == 3
    assert "try 1: RuntimeError" in caplog.text
