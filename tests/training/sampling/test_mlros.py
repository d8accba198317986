from types import SimpleNamespace

import numpy as np
import pytest

from edgeau.errors import UsageError
from edgeau_training.sampling import build_sampler
from edgeau_training.sampling.mlros import imbalance, oversample

# Positives per AU of the EmotioNet system's training list, and the ratios that follow from them.
COUNTS = {
    1: (1299, 11.032), 2: (636, 22.531), 4: (2643, 5.422), 5: (770, 18.610), 6: (4087, 3.506), 9: (460, 31.152),
    10: (14330, 1.000), 12: (6989, 2.050), 15: (4087, 3.506), 17: (466, 30.751), 18: (3398, 4.217),
    20: (124, 115.565), 24: (9911, 1.446), 25: (10601, 1.352), 26: (1840, 7.788), 28: (1127, 12.715),
    43: (589, 24.329), 51: (3965, 3.614), 52: (3903, 3.672), 53: (2702, 5.303), 54: (1756, 8.161),
    55: (1400, 10.236), 56: (1471, 9.742),
}  # fmt: skip


def test_ratios_mean_and_minority_of_the_published_counts():
    ratios, mean = imbalance(np.array([count for count, _ in COUNTS.values()]))
    np.testing.assert_allclose(ratios, [ratio for _, ratio in COUNTS.values()], atol=5e-4)
    assert mean == pytest.approx(14.6826, abs=5e-5)
    assert {au for au, ratio in zip(COUNTS, ratios, strict=True) if ratio > mean} == {2, 5, 9, 17, 20, 43}


def labels(seed=0, rows=4000, rates=(0.5, 0.3, 0.2, 0.01, 0.02)):
    return (np.random.default_rng(seed).random((rows, len(rates))) < rates).astype(np.int8)


def test_clones_are_of_rows_with_minority_labels_and_bring_them_to_the_mean():
    present = labels()
    ratios, mean = imbalance(present.sum(0))
    minority = ratios > mean
    rows = oversample(present, 0.25, seed=1)
    assert rows[: len(present)].tolist() == list(range(len(present)))
    clones = rows[len(present) :]
    assert 0 < len(clones) < 1000
    assert present[clones][:, minority].any(axis=1).all()
    after = imbalance(present[rows].sum(0))[0]
    # Each bag is left when its label has come down; later clones for another label may move it by a hair.
    assert (after[minority] <= 1.01 * mean).all()


def test_the_share_is_the_most_that_is_cloned():
    present = labels()
    assert len(oversample(present, 0.01, seed=1)) == 4040
    assert len(oversample(present, 0, seed=1)) == 4000


def test_a_label_that_never_occurs_is_no_minority():
    ratios, mean = imbalance(np.array([100, 50, 0]))
    assert (ratios.tolist(), mean) == ([1, 2, np.inf], 1.5)
    present = labels(rates=(0.5, 0.05, 0.0))
    assert len(oversample(present, 0.25, seed=0)) > len(present)
    assert len(oversample(np.zeros((10, 2), np.int8), 0.25, seed=0)) == 10


def test_an_unknown_entry_is_not_positive():
    occurrence, mask = labels(), np.ones((4000, 5), np.uint8)
    mask[:, 3] = 0
    data = SimpleNamespace(labels=(), occurrence=occurrence, mask=mask, clip=np.zeros(4000, np.int32))
    clones = build_sampler("mlros", data).rows[4000:]
    assert occurrence[clones, 4].all()  # AU 3's rows are not known to carry it
    with pytest.raises(UsageError, match="a share of 0 to 1"):
        build_sampler("mlros", data, share=25)
