import pytest
import torch
from torch.nn import functional

from edgeau.errors import UsageError
from edgeau_training.losses import build_loss


def weigh(loss, positives, negatives, masked=0):
    """Weights of positives, negatives and masked entries of one AU with these counts."""
    occurrence = torch.tensor([1.0] * positives + [0.0] * negatives + [1.0] * masked)[:, None]
    mask = torch.tensor([1.0] * (positives + negatives) + [0.0] * masked)[:, None]
    weights = loss.weights(occurrence, mask)[:, 0]
    assert not weights[positives + negatives :].any()
    return weights[:positives], weights[positives : positives + negatives]


def kept_and_weight(weights):
    kept = weights[weights > 0]
    return len(kept), kept.unique().tolist()


@pytest.mark.parametrize(
    ("counts", "positive", "negative"),
    [
        ((2, 6), (2, [2]), (4, [1])),
        ((6, 2), (4, [1]), (2, [2])),
        ((1, 15), (1, [8]), (8, [1])),
        ((4, 4), (4, [1]), (4, [1])),
        ((0, 8), (0, []), (4, [1])),
        ((8, 0), (4, [1]), (0, [])),
        ((1, 31), (1, [10]), (16, [1])),  # capped
        ((2, 5), (2, [1.75]), (4, [1])),  # half of 7 is rounded up
    ],
)
def test_reading_a(counts, positive, negative):
    weights = weigh(build_loss("selective"), *counts, masked=3)
    assert (kept_and_weight(weights[0]), kept_and_weight(weights[1])) == (positive, negative)


def test_another_target():
    positive, negative = weigh(build_loss("selective", target=0.1), 1, 29)
    assert kept_and_weight(positive) == (1, [3])
    assert kept_and_weight(negative) == (27, [1])  # .9 x 30 is not 28 for a rounding error


@pytest.mark.parametrize(
    ("counts", "positive", "negative"),
    [
        ((2, 6), (2, [3]), (6, [1])),
        ((6, 2), (6, [1]), (2, [3])),
        ((1, 15), (1, [10]), (15, [1])),
        ((4, 4), (4, [1]), (4, [1])),
        ((0, 8), (0, []), (8, [1])),
    ],
)
def test_reading_b_leaves_nothing_out(counts, positive, negative):
    weights = weigh(build_loss("selective", reading="B"), *counts, masked=2)
    assert (kept_and_weight(weights[0]), kept_and_weight(weights[1])) == (positive, negative)


@pytest.mark.parametrize(
    ("counts", "negatives"), [((0, 16), 1), ((1, 15), 15), ((1, 63), 4), ((8, 8), 8), ((16, 0), 0)]
)
def test_reading_c_leaves_out_negatives_of_rare_aus(counts, negatives):
    loss = build_loss("selective", reading="C", share_sum=0.0625)
    loss.fit(torch.tensor([10]), torch.tensor([90]))  # the only AU has all of it
    positive, negative = weigh(loss, *counts)
    assert positive.tolist() == [1] * counts[0]
    assert kept_and_weight(negative) == (negatives, [1] if negatives else [])


def test_reading_c_shares_are_parts_of_all_positives():
    loss = build_loss("selective", reading="C")
    loss.fit(torch.tensor([10, 30]), torch.tensor([90, 70]))
    assert loss.shares.tolist() == pytest.approx([0.025, 0.075])
    with pytest.raises(RuntimeError, match="fit was not called"):
        build_loss("selective", reading="C").weights(torch.ones(2, 2), torch.ones(2, 2))


def test_what_is_kept_is_drawn_anew():
    torch.manual_seed(0)
    loss = build_loss("selective")
    draws = torch.stack([weigh(loss, 10, 30)[1] for _ in range(300)])
    assert (draws.sum(1) == 20).all()
    assert draws.mean(0).sub(2 / 3).abs().max() < 0.12


def test_the_loss_is_the_weighted_mean_over_aus_and_batch():
    torch.manual_seed(0)
    logits, occurrence, mask = torch.randn(8, 2), torch.zeros(8, 2), torch.ones(8, 2)
    occurrence[:4, 0] = occurrence[:2, 1] = 1
    mask[7, 0] = mask[3, 0] = 0
    loss = build_loss("selective", reading="B")
    terms = functional.binary_cross_entropy_with_logits(logits, occurrence, reduction="none")
    expected = (loss.weights(occurrence, mask) * terms).sum() / 16
    torch.testing.assert_close(loss(logits, occurrence, mask), expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"reading": "D"}, "A, B, C"), ({"target": 1.0}, "target 1.0"), ({"share_sum": 0}, "share_sum 0")],
)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(UsageError, match=message):
        build_loss("selective", **options)
