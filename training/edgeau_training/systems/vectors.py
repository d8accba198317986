"""The specification's worked examples, as specified and as computed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from edgeau.metrics import best_threshold
from edgeau_training.losses import build_loss
from edgeau_training.losses.bbl import BatchBalancedLoss
from edgeau_training.losses.cross_entropy import circle, occurrence_and_mask
from edgeau_training.losses.selective import SelectiveLoss
from edgeau_training.networks.ustc.facial_graph import adjacency, normalise_adjacency
from edgeau_training.sampling.mlros import imbalance
from edgeau_training.systems.counts import CheckValue

__all__ = ["vectors"]

_PRINTED = 1e-6  # six decimals are given
_LOGITS = torch.tensor([[0.5, -1], [2, 0], [-0.5, 1], [0, -2]])
_TRUTH = torch.tensor([[1.0, 0], [1, 0], [0, 1], [0, 0]])
_CODES = torch.tensor([[1, 0], [1, -1], [-1, 1], [0, -1]])
# Positives of EmotioNet's 23 AUs among the 22,592 rows of SIAT's training list.
_EMOTIONET_POSITIVES = (
    *(1299, 636, 2643, 770, 4087, 460, 14330, 6989, 4087, 466, 3398, 124),
    *(9911, 10601, 1840, 1127, 589, 3965, 3903, 2702, 1756, 1400, 1471),
)


def vectors() -> Iterator[CheckValue]:
    """All worked examples, system by system."""
    yield from _mrpnet()
    yield CheckValue("DRML loss", 0.552105, _of("drml", _LOGITS, *occurrence_and_mask(_CODES)), _PRINTED)
    yield from _siat()
    yield from _ustc()


def _mrpnet() -> Iterator[CheckValue]:
    for mode, specified in (("swap", 1.306251), ("literal", 1.504170)):
        loss = BatchBalancedLoss(mode)
        loss.ratio = torch.tensor([0.25, 1.5])
        value = loss(_LOGITS, _TRUTH, torch.ones_like(_TRUTH)).item()
        yield CheckValue(f"BBL, {mode}", specified, value, _PRINTED)
    cross_entropy = _of("cross-entropy", _LOGITS, _TRUTH, torch.ones_like(_TRUTH))
    yield CheckValue("cross-entropy (BBL with A = 1)", 0.803707, cross_entropy, _PRINTED)


def _siat() -> Iterator[CheckValue]:
    for counts, kept, weight in (
        ((2, 6), 4, 2),
        ((6, 2), 4, 2),
        ((1, 15), 8, 8),
        ((4, 4), 4, 1),
        ((0, 8), 4, 1),
    ):
        weights = _selective(*counts)
        more = weights[counts[0] :] if counts[1] >= counts[0] else weights[: counts[0]]
        name = f"selective learning, {counts[0]} positive and {counts[1]} negative"
        yield CheckValue(f"{name}: kept of the more frequent", kept, int((more > 0).sum()))
        yield CheckValue(f"{name}: largest weight", weight, weights.max().item())
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.55, 0.4, 0.3, 0.2, 0.15, 0.1])
    threshold, value = best_threshold(scores, np.array([1, 1, 0, 1, 0, 0, 1, 0, 0, 0]), "accuracy-f1")
    yield CheckValue("soft threshold", 0.6, threshold, _PRINTED)
    yield CheckValue("soft threshold: (accuracy + F1) / 2", 0.775, value, _PRINTED)
    ratios, mean = imbalance(np.array(_EMOTIONET_POSITIVES))
    yield CheckValue("MLROS, MeanIR", 14.6826, mean, 5e-5)
    yield CheckValue("MLROS, IRLbl of AU20", 115.565, float(ratios[11]), 5e-4)
    yield CheckValue("MLROS, minority labels", 6, int((ratios > mean).sum()))


def _ustc() -> Iterator[CheckValue]:
    logits, truth = torch.tensor([[2.0, -1, 0.5, -3]]), torch.tensor([[1.0, 0, 0, 1]])
    everywhere = torch.ones_like(truth)
    yield CheckValue("circle term", 4.159116, circle(logits, truth, everywhere).item(), _PRINTED)
    # Two rounded addends.
    yield CheckValue("USTC loss", 5.274829, _of("circle", logits, truth, everywhere), 2 * _PRINTED)
    absent = circle(logits[:, :2], torch.zeros(1, 2), torch.ones(1, 2)).item()
    yield CheckValue("circle term without positives", 2.169846, absent, _PRINTED)
    edges = adjacency(torch.tensor([[1.0, 0], [0, 1], [1, 1]]), 2)
    yield CheckValue("facial graph, edges", 7, int(edges.sum()))
    yield CheckValue(
        "facial graph, normalised edge 1-3", 0.408248, normalise_adjacency(edges)[0, 2].item(), _PRINTED
    )


def _selective(positives: int, negatives: int) -> Tensor:
    """Weights of one AU with these counts, positives first."""
    occurrence = torch.tensor([[1.0]] * positives + [[0.0]] * negatives)
    return SelectiveLoss().weights(occurrence, torch.ones_like(occurrence))[:, 0]


def _of(name: str, *arguments: Any) -> float:
    return build_loss(name)(*arguments).item()
