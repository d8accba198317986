"""Causal, with the latency that is stated, and by time and not by frames."""

from __future__ import annotations

import math

import numpy as np
import pytest

from edgeau.errors import UsageError
from edgeau.temporal.smoothing import Ema, OneEuro, Smoother, Smoothing

KINDS = [Ema(0.1), Ema(0.3), OneEuro(), OneEuro(0.5, 0.0)]


def smoothed(kind: Smoothing, times: np.ndarray, values: np.ndarray) -> np.ndarray:
    step = kind.start()
    return np.array([step(float(v), float(t)) for v, t in zip(values, times, strict=True)])


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_stated_latency_is_the_lag_behind_a_slow_ramp(kind: Smoothing) -> None:
    times = np.arange(0, 60, 1 / 100)
    slope = 1e-3
    lag = (slope * times - smoothed(kind, times, slope * times))[-1] / slope
    assert lag == pytest.approx(kind.latency_s, rel=0.08)


@pytest.mark.parametrize("fps", [10, 30, 100])
def test_the_moving_average_has_done_63_per_cent_of_a_step_after_tau_at_any_rate(fps: int) -> None:
    times = np.arange(0, 3, 1 / fps)
    values = (times >= 1).astype(float)
    done = smoothed(Ema(0.3), times, values)
    # The frame in which the step is seen already moves by one frame's time.
    at = np.searchsorted(times, 1 + 0.3 - 1 / fps + 1e-9) - 1
    assert done[at] == pytest.approx(1 - math.exp(-(times[at] - 1 + 1 / fps) / 0.3), abs=1e-6)


def test_the_one_euro_filter_does_what_the_paper_s_algorithm_does() -> None:
    """Algorithms 1 and 2, written down once more with a fixed rate."""
    rate, min_cutoff, beta, d_cutoff = 30.0, 1.2, 0.7, 1.0
    values = np.random.default_rng(0).uniform(0, 1, 100)

    def alpha(cutoff: float) -> float:
        tau = 1 / (2 * math.pi * cutoff)
        return 1 / (1 + tau * rate)

    expected, x_hat, dx_hat, previous = [], values[0], 0.0, values[0]
    for n, x in enumerate(values):
        dx = 0.0 if n == 0 else (x - previous) * rate
        dx_hat = dx if n == 0 else alpha(d_cutoff) * dx + (1 - alpha(d_cutoff)) * dx_hat
        a = alpha(min_cutoff + beta * abs(dx_hat))
        x_hat = x if n == 0 else a * x + (1 - a) * x_hat
        previous = x
        expected.append(x_hat)
    assert smoothed(OneEuro(min_cutoff, beta, d_cutoff), np.arange(100) / rate, values) == pytest.approx(
        np.array(expected)
    )


def test_the_one_euro_filter_is_calm_at_rest_and_quicker_than_it_says_in_motion() -> None:
    random = np.random.default_rng(0)
    times = np.arange(0, 10, 1 / 30)
    noise = random.normal(0, 0.02, len(times))
    at_rest = smoothed(OneEuro(), times, 0.5 + noise)[30:]
    assert at_rest.std() < 0.6 * noise.std()
    step = (times >= 5).astype(float)
    behind = np.flatnonzero(smoothed(OneEuro(), times, step) > 0.63)[0] / 30 - 5
    assert behind < 0.5 * OneEuro().latency_s


def test_every_track_has_its_own_memory_and_single_pictures_none(make_frame) -> None:
    smoother = Smoother(Ema(0.5))
    smoother.apply(make_frame(0.0, 0.0, track_id=1))
    (other,) = smoother.apply(make_frame(0.1, 1.0, track_id=2)).faces
    (single,) = smoother.apply(make_frame(0.1, 1.0, track_id=None)).faces
    (same,) = smoother.apply(make_frame(0.1, 1.0, track_id=1)).faces
    assert other.aus["AU12"].probability == single.aus["AU12"].probability == 1.0
    assert same.aus["AU12"].probability == pytest.approx(1 - math.exp(-0.2))
    assert same.aus["AU12"].intensity == pytest.approx(1 - math.exp(-0.2))


def test_decisions_are_made_on_what_is_smoothed(make_frame) -> None:
    smoother = Smoother(Ema(0.5), thresholds={"AU12": 0.5})
    smoother.apply(make_frame(0.0, 0.0))
    (face,) = smoother.apply(make_frame(0.1, 1.0)).faces
    assert face.aus["AU12"].active is False


def test_a_refused_au_stays_absent_and_after_a_long_silence_begins_anew(make_frame) -> None:
    smoother = Smoother(Ema(0.5))
    smoother.apply(make_frame(0.0, 0.0))
    (refused,) = smoother.apply(make_frame(0.5, None)).faces
    assert (refused.aus["AU12"].probability, refused.aus["AU12"].reason) == (None, "pose")
    (soon,) = smoother.apply(make_frame(0.9, 1.0)).faces
    assert soon.aus["AU12"].probability == pytest.approx(1 - math.exp(-0.9 / 0.5))
    (late,) = smoother.apply(make_frame(2.0, 0.25)).faces
    assert late.aus["AU12"].probability == 0.25


def test_a_repeated_answer_is_not_a_new_one(make_frame) -> None:
    smoother = Smoother(Ema(0.5))
    smoother.apply(make_frame(0.0, 0.0, read_s=0.0))
    first, again = (smoother.apply(make_frame(0.1 * n, 1.0, read_s=0.1)).faces[0] for n in (1, 2))
    assert first.aus["AU12"].probability == again.aus["AU12"].probability < 0.5


def test_faces_that_went_are_forgotten(make_frame) -> None:
    smoother = Smoother()
    for n in range(1000):
        smoother.apply(make_frame(n * 0.1, 0.5, track_id=n))
    assert len(smoother._tracks._states) < 40
    smoother.reset()
    assert not smoother._tracks._states


def test_long_random_streams_stay_within_0_and_1(make_frame) -> None:
    random = np.random.default_rng(0)
    smoother = Smoother(OneEuro(1, 50))
    for n in range(3000):
        smoother.apply(make_frame(n / 30, float(random.choice((0.0, 1.0, 0.3)))))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Ema(0),
        lambda: Ema(float("inf")),
        lambda: OneEuro(0),
        lambda: OneEuro(float("inf")),
        lambda: OneEuro(beta=-1),
        lambda: OneEuro(beta=float("inf")),
        lambda: OneEuro(1, 1, 0),
    ],
)
def test_settings_that_make_no_filter_are_refused(make) -> None:
    with pytest.raises(UsageError, match="must be"):
        make()
