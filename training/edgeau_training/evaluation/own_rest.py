"""``python -m edgeau_training.evaluation.own_rest``: what a person's own face at rest is worth, on renders of people who have one.

Of each person with a face at rest, the first such face is the neutral baseline, as :class:`edgeau.NeutralCollector` would
collect it, and all their other faces are tested: without it, with it for the landmarks, for the network, and for both.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau._system.command import DONE, print_json, run
from edgeau._system.progress import progress_bar
from edgeau._system.text_table import aligned_lines
from edgeau.action_units.fusion import fuse
from edgeau.action_units.landmark_model import LandmarkModel
from edgeau.action_units.neutral_baseline import NeutralBaseline
from edgeau.bundle import Bundle, bundle_folder, load_bundle
from edgeau.errors import InputError, UsageError
from edgeau.metrics import macro_mean
from edgeau_training.evaluation.faces import open_faces
from edgeau_training.evaluation.faces.batch import LabelledFaces
from edgeau_training.evaluation.metrics import measure
from edgeau_training.evaluation.options import bundle_on_renders_parser
from edgeau_training.evaluation.predictions import UNKNOWN, Predictions
from edgeau_training.evaluation.run import BATCH
from edgeau_training.evaluation.scorers import open_scorer

__all__ = ["OwnRest", "main", "own_rest"]

NAME = "python -m edgeau_training.evaluation.own_rest"
_TRUSTS = (0.0, 0.3, 0.5, 0.7, 1.0)
_DRAWS = 1000


@dataclass(frozen=True)
class OwnRest:
    """Faces of people whose face at rest is known, and the faces at rest themselves.

    Attributes:
        truth: int8 ``(N, C)`` of the tested faces.
        persons: int64 ``(N,)``.
        network: float32 ``(N, C)``, the network's logits.
        at_rest: float32 ``(N, C)``, the network's logits of the same person at rest.
        landmark: float32 ``(N, C)``, the landmark model's logits, measured from the mean face at rest.
        landmark_own: float32 ``(N, C)``, likewise from the person's own one.
    """

    truth: NDArray[np.int8]
    persons: NDArray[np.int64]
    network: NDArray[np.float32]
    at_rest: NDArray[np.float32]
    landmark: NDArray[np.float32]
    landmark_own: NDArray[np.float32]


def main(argv: Sequence[str] | None = None) -> int:
    """The command; see ``--help``."""
    return run(NAME, _body, argv)


def _body(argv: Sequence[str] | None) -> int:
    parser = bundle_on_renders_parser(
        NAME,
        "Measure what a person's own face at rest gains, on renders of people who have one.",
        f"{NAME} light --data synth/ --split test",
    )
    options = parser.parse_args(argv)
    bundle = load_bundle(bundle_folder(options.bundle))
    if bundle.manifest.fusion is None or bundle.manifest.fusion.rest is None:
        raise UsageError(
            f"{options.bundle} does not contain the network's output on a face at rest; package it again"
        )
    found = own_rest(bundle, open_faces(options.data, options.split), options.artifact, options.limit)
    rows = _rows(bundle, found, bundle.artifacts(options.artifact)[0].fused_thresholds or {})
    if options.json:
        print_json(rows)
    else:
        print(_table(rows, found))
    return DONE


def own_rest(
    bundle: Bundle, faces: LabelledFaces, artifact: str | None = None, limit: int | None = None
) -> OwnRest:
    """Both models' answers to every face of a person whose face at rest is among the faces, that one left out.

    Args:
        bundle: with a landmark model and a fusion.
        faces: of people who have a face at rest.
        artifact: of the bundle; None takes the first.
        limit: only the first so many faces.

    Raises:
        InputError: nobody has a face at rest and another one, or the faces are not labelled whole.
    """
    manifest = bundle.manifest
    model = LandmarkModel.load(bundle.path(manifest.landmark_model or ""))
    columns = [model.labels.index(label) for label in manifest.labels]
    missing = [label for label in manifest.labels if label not in faces.labels]
    if missing:
        raise InputError(f"{faces.name} does not label {', '.join(missing)}; render faces with edgeau-synth")
    batches = list(_answers(bundle, faces, artifact, limit))
    if not batches:
        raise InputError(f"{faces.name} gave no face to measure on")
    truth, persons, resting, network, points = (np.concatenate(part) for part in zip(*batches, strict=True))
    if (truth == UNKNOWN).any():
        raise InputError(
            f"{faces.name} has faces that are not labelled whole; render faces with edgeau-synth"
        )
    firsts = {int(persons[row]): row for row in reversed(np.flatnonzero(resting))}
    tested = [row for row, person in enumerate(persons) if firsts.get(int(person), row) != row]
    if not tested:
        raise InputError(
            f"{faces.name} has no person both at rest and with an expression; render faces with edgeau-synth"
        )
    landmark, own = [], []
    for row in tested:
        rest = points[firsts[int(persons[row])]]
        baseline = NeutralBaseline(model.shape(rest), model.template_digest, 1)
        landmark.append(model.logits(points[row])[columns])
        own.append(model.logits(points[row], baseline)[columns])
    return OwnRest(
        truth[tested],
        persons[tested],
        network[tested],
        network[[firsts[int(persons[row])] for row in tested]],
        np.stack(landmark),
        np.stack(own),
    )


def _answers(
    bundle: Bundle, faces: LabelledFaces, artifact: str | None, limit: int | None
) -> Iterator[tuple[NDArray[Any], ...]]:
    """Truth, persons, who rests, network logits and landmarks of each batch."""
    columns = [faces.labels.index(label) for label in bundle.manifest.labels]
    with (
        closing(open_scorer(bundle.directory, artifact, "network")) as network,
        progress_bar(total=min(limit or faces.count, faces.count), unit="face", desc=faces.name) as progress,
    ):
        for batch in faces.batches(BATCH, limit):
            if batch.groups is None or batch.at_rest is None or batch.landmarks is None:
                raise InputError(f"{faces.name} does not say who is who and who rests")
            logits = network.logits(batch)
            yield batch.truth[:, columns], batch.groups, batch.at_rest, logits, batch.landmarks
            progress.update(len(batch.truth))


def _rows(bundle: Bundle, found: OwnRest, fitted: dict[str, float]) -> list[dict[str, Any]]:
    """One row a variant: what is taken from the own face, F1, AUC, shares of wrong decisions, and the change with its interval."""
    manifest = bundle.manifest
    fusion = manifest.fusion
    assert fusion is not None, "asked before"
    assert fusion.rest is not None, "asked before"
    rest = np.array([fusion.rest[label] for label in manifest.labels], np.float32)
    thresholds = np.array([fitted.get(label, 0.5) for label in manifest.labels])
    rows: list[dict[str, Any]] = []
    plain = None
    for landmarks in (False, True):
        for trust in _TRUSTS:
            logits = fuse(
                fusion,
                manifest.labels,
                found.network - np.float32(trust) * (found.at_rest - rest),
                found.landmark_own if landmarks else found.landmark,
            )
            table = Predictions(manifest.labels, logits, found.truth, thresholds, found.persons)
            wrong = table.decisions != (found.truth == 1)
            plain = wrong if plain is None else plain
            rows.append({"landmarks": landmarks, "network": trust, **_figures(table, wrong, plain)})
    return rows


def _figures(table: Predictions, wrong: NDArray[np.bool_], plain: NDArray[np.bool_]) -> dict[str, Any]:
    metrics = measure(table)
    absent = table.truth == 0
    low, high = _interval(wrong.mean(axis=1) - plain.mean(axis=1), table.groups)
    return {
        "f1": float(macro_mean(metrics.f1)),
        "auc": float(macro_mean(metrics.auc)),
        "wrong": float(wrong.mean()),
        "false_alarms": float((table.decisions & absent).sum() / absent.sum()),
        "change": float((wrong.mean(axis=1) - plain.mean(axis=1)).mean()),
        "change_95": [low, high],
    }


def _interval(values: NDArray[np.floating[Any]], persons: NDArray[np.int64] | None) -> tuple[float, float]:
    """95 % bootstrap interval of the mean, persons drawn with all their faces."""
    assert persons is not None, "given above"
    _, place = np.unique(persons, return_inverse=True)
    sums, counts = np.bincount(place, values), np.bincount(place)
    drawn = np.random.default_rng(0).integers(0, len(sums), (_DRAWS, len(sums)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


def _table(rows: list[dict[str, Any]], found: OwnRest) -> str:
    head = (
        "own rest for",
        "network's share of it",
        "F1",
        "AUC",
        "wrong",
        "false alarms",
        "change of wrong [95 %]",
    )
    lines = [
        (
            "both" if row["landmarks"] and row["network"] else "landmarks" if row["landmarks"] else "network" if row["network"] else "none",
            f"{row['network']:.1f}",
            f"{row['f1']:.3f}",
            f"{row['auc']:.3f}",
            f"{row['wrong']:.4f}",
            f"{row['false_alarms']:.4f}",
            f"{row['change']:+.4f} [{row['change_95'][0]:+.4f} {row['change_95'][1]:+.4f}]",
        )
        for row in rows
    ]  # fmt: skip
    persons = len(np.unique(found.persons))
    return f"{len(found.truth)} faces of {persons} people\n{chr(10).join(aligned_lines((head, *lines)))}"


if __name__ == "__main__":
    sys.exit(main())
