from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from edgeau_training.trainer.validation import _in_order


def test_pictures_are_read_ahead_within_bounds_and_answered_in_order() -> None:
    taken, answered, most = 0, 0, 0
    lock = threading.Lock()

    def items():
        nonlocal taken, most
        for item in range(100):
            with lock:
                taken += 1
                most = max(most, taken - answered)
            yield item

    def double(item: int) -> int:
        nonlocal answered
        with lock:
            answered += 1
        return 2 * item

    with ThreadPoolExecutor(2) as pool:
        answers = list(_in_order(pool, double, items(), 4))
    assert answers == [2 * item for item in range(100)]
    assert most <= 4


def test_an_error_of_one_picture_comes_through() -> None:
    with ThreadPoolExecutor(2) as pool:
        answers = _in_order(pool, lambda item: 1 / item, [1, 2, 0, 3], 2)
        assert next(answers) == 1
        try:
            list(answers)
        except ZeroDivisionError:
            return
    raise AssertionError("the error was swallowed")
