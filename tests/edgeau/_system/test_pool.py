"""A pool of objects that threads share."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from edgeau._system.pool import Pool


class Thing:
    """An object that notices two users at once."""

    def __init__(self) -> None:
        self.closed = 0
        self._used = threading.Lock()

    def use(self) -> None:
        assert self._used.acquire(blocking=False), "used by two threads at once"
        self._used.release()

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def opened() -> list[Thing]:
    return []


@pytest.fixture
def open_one(opened: list[Thing]) -> Callable[[], Thing]:
    def open_() -> Thing:
        opened.append(Thing())
        return opened[-1]

    return open_


def test_it_keeps_what_is_there_and_opens_what_is_missing(
    opened: list[Thing], open_one: Callable[[], Thing]
) -> None:
    pool: Pool[Thing] = Pool()
    for count in (1, 3, 2, 3):
        pool.widen(count, open_one)
    assert len(opened) == 3
    assert {id(pool.take()) for _ in range(3)} == {id(thing) for thing in opened}


def test_an_empty_one_refuses_instead_of_waiting() -> None:
    with pytest.raises(ValueError, match="nothing was opened"):
        Pool[Thing]().take()


def test_one_thread_gets_the_same_object_each_time(open_one: Callable[[], Thing]) -> None:
    pool: Pool[Thing] = Pool()
    pool.widen(3, open_one)
    seen = set()
    for _ in range(5):
        thing = pool.take()
        seen.add(id(thing))
        pool.give_back(thing)
    assert len(seen) == 1


def test_no_object_has_two_users_and_all_are_closed(
    opened: list[Thing], open_one: Callable[[], Thing]
) -> None:
    pool: Pool[Thing] = Pool()
    pool.widen(2, open_one)
    faults: list[AssertionError] = []

    def work() -> None:
        try:
            for _ in range(200):
                thing = pool.take()
                thing.use()
                pool.give_back(thing)
        except AssertionError as error:
            faults.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    pool.close(Thing.close)
    assert [thing.closed for thing in opened] == [1, 1]
    assert pool.take().closed, "whoever waits gets one that is closed"
