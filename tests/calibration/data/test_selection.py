from __future__ import annotations

import numpy as np

from edgeau_calibration.data.selection import balance_activity


def test_rare_aus_are_found_among_many() -> None:
    active = np.zeros((1000, 3), bool)
    active[:, 0] = True
    active[::100, 1] = True  # ten
    active[[17, 423], 2] = True
    chosen = balance_activity(active, 40)
    assert len(set(chosen.tolist())) == 40
    assert active[chosen].sum(axis=0).tolist()[1:] == [10, 2]


def test_aus_are_shown_more_evenly_than_by_an_even_choice() -> None:
    random = np.random.default_rng(0)
    active = random.random((2000, 12)) < np.linspace(0.02, 0.5, 12)
    even = active[np.linspace(0, 1999, 128).astype(int)].sum(axis=0)
    shown = active[balance_activity(active, 128)].sum(axis=0)
    assert shown.min() > 3 * even.min()
    assert np.ptp(shown) < np.ptp(even)


def test_half_of_the_choice_is_spread_over_all() -> None:
    active = np.zeros((100, 2), bool)
    active[:20] = True
    chosen = balance_activity(active, 20)
    assert (chosen < 20).sum() < 15
    assert chosen.max() > 90


def test_all_are_taken_where_there_are_no_more() -> None:
    assert balance_activity(np.zeros((5, 2), bool), 9).tolist() == [0, 1, 2, 3, 4]


def test_the_same_crops_give_the_same_choice() -> None:
    active = np.random.default_rng(1).random((300, 5)) < 0.2
    np.testing.assert_array_equal(balance_activity(active, 64), balance_activity(active, 64))
