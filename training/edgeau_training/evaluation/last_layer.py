"""``python -m edgeau_training.evaluation.last_layer``: a trained network's last layer, fitted anew on what it reads.

The layer is linear, so this is logistic regression: convex, seconds instead of hours. It starts from the trained layer and is pulled
back to it, more or less as people who are kept back decide. Where features of mirrored pictures are given too, their logits are
asked to be those of the pictures: the stem is not symmetric, but the layer may look away from what changes in a mirror.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from edgeau._system.command import DONE, CommandParser, run
from edgeau.errors import InputError, UsageError
from edgeau_training.checkpoint import load_checkpoint, save_checkpoint
from edgeau_training.evaluation.network_features import NetworkFeatures, read_features
from edgeau_training.evaluation.predictions import Predictions
from edgeau_training.trainer.validation import figures_of, thresholds_by

__all__ = ["LastLayer", "LastLayerRule", "fit_last_layer", "main"]

NAME = "python -m edgeau_training.evaluation.last_layer"
_KEPT_BACK = 5  # every fifth person says how far the layer may move


@dataclass(frozen=True)
class LastLayerRule:
    """Limits within which the layer may move.

    Attributes:
        pulls: weights of the squared change (of features of spread 1) to choose from.
        symmetry: weight of the mean squared difference between logits of a picture and of its mirror image.
        steps: most steps of L-BFGS.
    """

    pulls: tuple[float, ...] = (0.003, 0.01, 0.03, 0.1, 0.3)
    symmetry: float = 0.1
    steps: int = 60


@dataclass(frozen=True)
class LastLayer:
    """Logits are ``features @ weight.T + bias``; float32 ``(C, D)`` and ``(C,)``."""

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]

    def logits(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits ``(N, C)`` of ``(N, D)``."""
        return features @ self.weight.T + self.bias


@dataclass(frozen=True)
class _Faces:
    features: Tensor
    truth: Tensor
    pairs: tuple[Tensor, Tensor] | None


def fit_last_layer(
    start: LastLayer,
    faces: NetworkFeatures,
    mirrored: NetworkFeatures | None = None,
    rule: LastLayerRule | None = None,
) -> tuple[LastLayer, dict[float, float]]:
    """Fit on four fifths of the people with each pull, and on all of them with the one that the fifth was told best by.

    Args:
        start: the trained layer.
        faces: of a training split, fully labelled.
        mirrored: of the mirror images of the first of these faces, in the same order.
        rule: None takes the defaults.

    Returns:
        The layer, and the loss on people kept back by pull.

    Raises:
        InputError: a face has an unknown label, the features are of another layer, the mirror images are not of the first faces, or
            the people are too few to keep some back.
    """
    rule = rule or LastLayerRule()
    if (faces.truth.shape[1], faces.features.shape[1]) != start.weight.shape:
        raise InputError(
            f"the features are {faces.features.shape[1]} numbers a face for {faces.truth.shape[1]} AUs, and the layer reads "
            f"{start.weight.shape[1]} for {start.weight.shape[0]}; make them with the network of this checkpoint"
        )
    if (faces.truth < 0).any():
        raise InputError("a face has an AU without a label; fit the last layer on renders")
    if mirrored is not None and not np.array_equal(mirrored.persons, faces.persons[: len(mirrored.persons)]):
        raise InputError("the mirror images are not of the first faces of the training split")
    kept = faces.persons % _KEPT_BACK == 0
    if kept.all() or not kept.any():
        raise InputError("the faces are of too few people to keep some back; take more of the training split")
    losses = {}
    for pull in rule.pulls:
        fitted = _fit(start, faces, mirrored, ~kept, pull, rule)
        losses[pull] = _loss(fitted.logits(faces.features[kept]), faces.truth[kept])
    best = min(losses, key=lambda pull: losses[pull])
    return _fit(start, faces, mirrored, np.ones_like(kept), best, rule), losses


def _fit(
    start: LastLayer,
    faces: NetworkFeatures,
    mirrored: NetworkFeatures | None,
    used: NDArray[np.bool_],
    pull: float,
    rule: LastLayerRule,
) -> LastLayer:
    mean, spread = faces.features.mean(axis=0), faces.features.std(axis=0) + 1e-3
    plain = torch.from_numpy((faces.features[used] - mean) / spread)
    truth = torch.from_numpy(faces.truth[used].astype(np.float32))
    before = torch.from_numpy(start.logits(faces.features[used]))
    moved = nn.Linear(plain.shape[1], truth.shape[1])
    nn.init.zeros_(moved.weight)
    nn.init.zeros_(moved.bias)
    apart = None
    if mirrored is not None:
        rows = np.flatnonzero(used[: len(mirrored.persons)])
        difference = mirrored.features[rows] - faces.features[rows]
        apart = (torch.from_numpy(difference / spread), torch.from_numpy(difference @ start.weight.T))
    optimiser = torch.optim.LBFGS(
        moved.parameters(), max_iter=rule.steps, history_size=20, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(before + moved(plain), truth)
        loss = loss + pull * moved.weight.square().sum() / truth.shape[1]
        if apart is not None:
            # The shift cancels between a face and its mirror image.
            change = apart[1] + nn.functional.linear(apart[0], moved.weight)
            loss = loss + rule.symmetry * change.square().mean()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    change = moved.weight.detach().numpy() / spread
    shift = moved.bias.detach().numpy() - change @ mean
    return LastLayer((start.weight + change).astype(np.float32), (start.bias + shift).astype(np.float32))


def _loss(logits: NDArray[np.float32], truth: NDArray[np.int8]) -> float:
    return float((np.logaddexp(0, logits) - truth * logits).mean())


def main(argv: Sequence[str] | None = None) -> int:
    """The command; see ``--help``."""
    return run(NAME, _body, argv)


def _body(argv: Sequence[str] | None) -> int:
    parser = CommandParser(
        NAME,
        "Fit the last layer of a checkpoint again, on features of edgeau_training.evaluation.network_features.",
        f"{NAME} weights/light.fp16.safetensors --train train.npz --mirrored mirrored.npz --val val.npz --out light.safetensors",
    )
    parser.add_argument(
        "checkpoint", type=Path, help="of the network that gave the features; stays in half precision"
    )
    parser.add_argument("--train", type=Path, required=True, metavar="NPZ", help="features of train")
    parser.add_argument(
        "--mirrored", type=Path, metavar="NPZ", help="features of the mirror images of its first faces"
    )
    parser.add_argument(
        "--val", type=Path, required=True, metavar="NPZ", help="features of val, for thresholds"
    )
    parser.add_argument("--symmetry", type=float, default=LastLayerRule.symmetry, metavar="X",
                        help="weight of the difference between a face and its mirror image (default %(default)s)")  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    options = parser.parse_args(argv)
    network, info = load_checkpoint(options.checkpoint)
    layer = getattr(network, "classifier", None)
    if not isinstance(layer, nn.Linear):
        raise UsageError(
            f"{options.checkpoint} holds {info.network!r}, whose last layer is not a linear classifier"
        )
    start = LastLayer(layer.weight.detach().float().numpy(), layer.bias.detach().float().numpy())
    mirrored = None if options.mirrored is None else read_features(options.mirrored)
    train, val = read_features(options.train), read_features(options.val)
    fitted, losses = fit_last_layer(start, train, mirrored, LastLayerRule(symmetry=options.symmetry))
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(fitted.weight))
        layer.bias.copy_(torch.from_numpy(fitted.bias))
    labels = tuple(info.labels)
    half = np.full(len(labels), 0.5)
    rows = {
        name: Predictions(labels, which.logits(val.features), val.truth, half, val.persons)
        for name, which in (("before", start), ("after", fitted))
    }
    rows = {name: table.with_thresholds(thresholds_by("f1", table)) for name, table in rows.items()}
    figures = figures_of(rows["after"])
    training = f"{info.training}; last layer fitted anew on {len(train.truth)} rendered faces"
    described = replace(
        info, training=training, thresholds=figures["thresholds"], metrics={"validation": figures}
    )
    save_checkpoint(options.out, network.half(), described)
    print(
        "loss on people kept back by pull: "
        + ", ".join(f"{pull:g} {loss:.4f}" for pull, loss in losses.items())
    )
    for name, table in rows.items():
        measured = figures_of(table)
        print(
            f"{name}: F1 {measured['f1']:.4f}, AUC {measured['auc']:.4f} on {measured['faces']} faces of val"
        )
    print(options.out)
    return DONE


if __name__ == "__main__":
    sys.exit(main())
