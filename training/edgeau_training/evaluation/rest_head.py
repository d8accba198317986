"""``python -m edgeau_training.evaluation.rest_head``: whether a small head on features now and at rest beats the neutral baseline.

The head sees a face's feature vector (what the network's last layer reads) and how it differs from the same person's at rest. It
adds to the logits that the bundle gives with the person's own neutral face, and starts at zero: so it is never worse before it
learns. It is trained on people of one split and tested on those of another; a part of its own people says when to stop and where
the thresholds lie, for the head and for the baseline alike. A head that sees the face now alone is the control: it tells what is
won by training on these renders once more.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from edgeau._system.command import DONE, CommandParser, positive, print_json, run
from edgeau._system.text_table import aligned_lines
from edgeau.action_units.fusion import fuse
from edgeau.action_units.landmark_model import LandmarkModel
from edgeau.action_units.neutral_baseline import NeutralBaseline
from edgeau.bundle import Bundle, bundle_folder, load_bundle
from edgeau.errors import InputError, UsageError
from edgeau.metrics import macro_mean
from edgeau_training.evaluation.faces.synthetic import SyntheticSplit
from edgeau_training.evaluation.metrics import fit_thresholds, measure
from edgeau_training.evaluation.network_features import network_features
from edgeau_training.evaluation.predictions import UNKNOWN, Predictions

__all__ = ["RestPairs", "main", "pairs", "train_head"]

NAME = "python -m edgeau_training.evaluation.rest_head"
_TRUST = 0.7
_KEPT_BACK = 5  # every fifth person of the training part says when to stop


@dataclass(frozen=True)
class RestPairs:
    """Faces of people whose face at rest is known.

    Attributes:
        features: float32 ``(N, 2 D)``: the vector now, and what it differs by from the person's at rest.
        plain: float32 ``(N, C)``, logits of the bundle without a neutral face.
        own: float32 ``(N, C)``, logits of the bundle with the person's own.
        truth: int8 ``(N, C)``.
        persons: int64 ``(N,)``.
    """

    features: NDArray[np.float32]
    plain: NDArray[np.float32]
    own: NDArray[np.float32]
    truth: NDArray[np.int8]
    persons: NDArray[np.int64]

    def without_rest(self) -> RestPairs:
        """The same without the difference: what a head learns that never sees the person at rest."""
        now = self.features.copy()
        now[:, now.shape[1] // 2 :] = 0
        return replace(self, features=now)

    def rows(self, chosen: NDArray[np.bool_]) -> RestPairs:
        """Some of them."""
        return RestPairs(
            *(getattr(self, name)[chosen] for name in ("features", "plain", "own", "truth", "persons"))
        )


def main(argv: Sequence[str] | None = None) -> int:
    """The command; see ``--help``."""
    return run(NAME, _body, argv)


def _body(argv: Sequence[str] | None) -> int:
    parser = CommandParser(
        NAME,
        "Compare a small head on features of now and at rest with the neutral baseline, on renders.",
        f"{NAME} light --data synth/ --limit 12000",
    )
    parser.add_argument("bundle", metavar="NAME|DIR", help="default, light, or a folder")
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="of edgeau-synth, with train and val"
    )
    parser.add_argument("--limit", type=positive, metavar="N", help="only the first N faces of train")
    parser.add_argument(
        "--width",
        type=int,
        nargs="*",
        default=[0, 64],
        help="hidden units of each head; 0 is linear (default 0 64)",
    )
    parser.add_argument("--epochs", type=positive, default=40, help="default %(default)s")
    parser.add_json()
    options = parser.parse_args(argv)
    bundle = load_bundle(bundle_folder(options.bundle))
    train, tested = pairs(bundle, options.data, "train", options.limit), pairs(bundle, options.data, "val")
    kept = train.persons % _KEPT_BACK == 0
    rows = [
        _row(name, bundle, train.rows(kept), tested, (getattr(train.rows(kept), part), getattr(tested, part)))
        for name, part in (("no neutral face", "plain"), ("neutral baseline", "own"))
    ]
    for seen, of_rest in (("now", False), ("now and at rest", True)):
        shown, other = (part if of_rest else part.without_rest() for part in (train, tested))
        for width in options.width:
            head = train_head(shown.rows(~kept), shown.rows(kept), width, options.epochs)
            name = f"and a head on features {seen}, {f'{width} hidden units' if width else 'linear'}"
            rows.append(
                _row(
                    name,
                    bundle,
                    shown.rows(kept),
                    other,
                    (_answers(head, shown.rows(kept)), _answers(head, other)),
                )
            )
    document = {
        "train": {"faces": int((~kept).sum()), "people": len(np.unique(train.persons[~kept]))},
        "tested": {"faces": len(tested.truth), "people": len(np.unique(tested.persons))},
        "rows": rows,
    }
    if options.json:
        print_json(document)
    else:
        print(_table(document))
    return DONE


def pairs(bundle: Bundle, data: Path, split: str, limit: int | None = None) -> RestPairs:
    """Every face of a person who is also seen at rest, that first face at rest left out.

    Raises:
        UsageError: the bundle has no fusion that says what its network gives at rest.
        InputError: nobody of the split is seen at rest and once more, or an AU of the bundle is not labelled.
    """
    manifest = bundle.manifest
    fusion = manifest.fusion
    if fusion is None or fusion.rest is None or manifest.landmark_model is None:
        raise UsageError(
            f"{bundle.directory} does not contain the network's output on a face at rest; package it again"
        )
    model = LandmarkModel.load(bundle.path(manifest.landmark_model))
    columns = [model.labels.index(label) for label in manifest.labels]
    found = network_features(bundle, SyntheticSplit(data, split), limit)
    if (found.truth == UNKNOWN).any():
        raise InputError(f"{data}, {split} does not label every AU of {bundle.directory}")
    firsts = {int(found.persons[row]): row for row in reversed(np.flatnonzero(found.at_rest))}
    tested = [row for row, person in enumerate(found.persons) if firsts.get(int(person), row) != row]
    if not tested:
        raise InputError(f"{data}, {split} has no person both at rest and with an expression")
    rest = [firsts[int(found.persons[row])] for row in tested]
    baselines = {
        row: NeutralBaseline(model.shape(found.points[row]), model.template_digest, 1) for row in set(rest)
    }
    landmark = np.stack([model.logits(found.points[row])[columns] for row in tested])
    own = np.stack(
        [
            model.logits(found.points[row], baselines[first])[columns]
            for row, first in zip(tested, rest, strict=True)
        ]
    )
    average = np.array([fusion.rest[label] for label in manifest.labels], np.float32)
    moved = found.logits[tested] - np.float32(_TRUST) * (found.logits[rest] - average)
    return RestPairs(
        np.concatenate((found.features[tested], found.features[tested] - found.features[rest]), axis=1),
        fuse(fusion, manifest.labels, found.logits[tested], landmark),
        fuse(fusion, manifest.labels, moved, own),
        found.truth[tested],
        found.persons[tested],
    )


class _Head(nn.Module):
    """Adds to logits; its last layer starts at zero."""

    mean: Tensor
    spread: Tensor

    def __init__(self, features: NDArray[np.float32], outputs: int, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(features.mean(axis=0)))
        self.register_buffer("spread", torch.from_numpy(features.std(axis=0) + 1e-3))
        inputs = features.shape[1]
        last = nn.Linear(width or inputs, outputs)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        hidden = [nn.Linear(inputs, width), nn.ReLU()] if width else []
        self.layers = nn.Sequential(nn.Dropout(0.3), *hidden, last)

    def forward(self, features: Tensor, logits: Tensor) -> Tensor:
        """The moved logits ``(N, C)``."""
        moved: Tensor = logits + self.layers((features - self.mean) / self.spread)
        return moved


def train_head(train: RestPairs, kept_back: RestPairs, width: int, epochs: int, seed: int = 0) -> nn.Module:
    """A head, as it was when the people kept back were told best.

    Args:
        train: to learn from.
        kept_back: other people.
        width: hidden units; 0 is a linear head.
        epochs: most passes.
        seed: of weights and order.
    """
    torch.manual_seed(seed)
    head = _Head(train.features, train.truth.shape[1], width)
    features, logits, truth = (
        torch.from_numpy(part) for part in (train.features, train.own, train.truth.astype(np.float32))
    )
    optimiser = torch.optim.AdamW(head.parameters(), 1e-3 if width else 3e-4, weight_decay=0.05)
    best, kept = _loss(head, kept_back), {name: value.clone() for name, value in head.state_dict().items()}
    for _ in range(epochs):
        head.train()
        for rows in torch.split(torch.randperm(len(features)), 64):
            loss = nn.functional.binary_cross_entropy_with_logits(
                head(features[rows], logits[rows]), truth[rows]
            )
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        now = _loss(head, kept_back)
        if now < best:
            best, kept = now, {name: value.clone() for name, value in head.state_dict().items()}
    head.load_state_dict(kept)
    return head


def _loss(head: nn.Module, tested: RestPairs) -> float:
    logits = torch.from_numpy(_answers(head, tested))
    truth = torch.from_numpy(tested.truth.astype(np.float32))
    return float(nn.functional.binary_cross_entropy_with_logits(logits, truth))


def _answers(head: nn.Module, tested: RestPairs) -> NDArray[np.float32]:
    head.eval()
    with torch.inference_mode():
        answers: NDArray[np.float32] = head(
            torch.from_numpy(tested.features), torch.from_numpy(tested.own)
        ).numpy()
    return answers


def _row(
    name: str,
    bundle: Bundle,
    kept: RestPairs,
    tested: RestPairs,
    logits: tuple[NDArray[np.float32], NDArray[np.float32]],
) -> dict[str, Any]:
    """F1 and AUC of the tested people, thresholds from those kept back."""
    labels = bundle.manifest.labels
    half = np.full(len(labels), 0.5)
    thresholds = fit_thresholds(Predictions(labels, logits[0], kept.truth, half, kept.persons))
    table = Predictions(labels, logits[1], tested.truth, thresholds, tested.persons)
    metrics = measure(table)
    wrong = float((table.decisions != (tested.truth == 1)).mean())
    loss = np.logaddexp(0, logits[1]) - tested.truth * logits[1]
    return {
        "name": name,
        "f1": float(macro_mean(metrics.f1)),
        "auc": float(macro_mean(metrics.auc)),
        "wrong": wrong,
        "loss": float(loss.mean()),
    }


def _table(document: dict[str, Any]) -> str:
    head = ("", "F1", "AUC", "wrong", "loss")
    rows = [
        (row["name"], *(f"{row[key]:.4f}" for key in ("f1", "auc", "wrong", "loss")))
        for row in document["rows"]
    ]
    trained, tested = document["train"], document["tested"]
    return (
        f"trained on {trained['faces']} faces of {trained['people']} people, tested on {tested['faces']} faces of "
        f"{tested['people']} others\n{chr(10).join(aligned_lines((head, *rows)))}"
    )


if __name__ == "__main__":
    sys.exit(main())
