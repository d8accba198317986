"""On above the band, off below it, the last decision within."""

from __future__ import annotations

import pytest

from edgeau.errors import UsageError
from edgeau.temporal.hysteresis import Hysteresis


def decisions(make_frame, probabilities: list[float | None], **options: float) -> list[bool | None]:
    hysteresis = Hysteresis({"AU12": 0.5}, **options)
    results = (hysteresis.apply(make_frame(n / 30, p)) for n, p in enumerate(probabilities))
    return [result.faces[0].aus["AU12"].active for result in results]


def test_what_flickers_around_the_threshold_does_not_flicker(make_frame) -> None:
    assert decisions(make_frame, [0.1, 0.51, 0.49, 0.55, 0.8, 0.49, 0.51, 0.45, 0.2, 0.51]) == [
        *[False] * 4,
        *[True] * 4,
        *[False] * 2,
    ]


def test_the_band_is_symmetric_in_logits() -> None:
    low, high = Hysteresis({"AU12": 0.5}, band=0.5).limits["AU12"]
    assert (low, high) == (pytest.approx(0.3775, abs=1e-4), pytest.approx(0.6225, abs=1e-4))


def test_without_a_band_it_is_the_threshold(make_frame) -> None:
    assert decisions(make_frame, [0.49, 0.5, 0.49], band=0) == [False, True, False]


def test_the_first_decision_is_the_model_s_and_a_refused_au_has_none(make_frame) -> None:
    assert decisions(make_frame, [0.55, None, 0.45, 0.2, None, 0.55]) == [
        True,
        None,
        True,
        False,
        None,
        False,
    ]


def test_an_au_at_the_end_of_the_range_has_no_band() -> None:
    assert Hysteresis({"AU1": 0.0, "AU2": 1.0}).limits == {"AU1": (0.0, 0.0), "AU2": (1.0, 1.0)}


@pytest.mark.parametrize(
    ("thresholds", "band"), [({"AU12": 0.5}, -1), ({"AU12": 1.1}, 0.5), ({"AU1": -0.1}, 1)]
)
def test_what_makes_no_band_is_refused(thresholds: dict[str, float], band: float) -> None:
    with pytest.raises(UsageError, match="band|threshold"):
        Hysteresis(thresholds, band)
