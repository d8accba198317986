"""``python -m edgeau_training.evaluation.sides``: how well a bundle tells left from right, on renders whose sides are labelled.

Three figures: F1 of half faces beside F1 of whole faces of the same AUs; of occurrences on one side alone, how many are given to
the other one; and how far the answers to a mirrored picture are from the mirrored answers.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau._system.command import DONE, print_json, run
from edgeau._system.progress import progress_bar
from edgeau._system.text_table import aligned_lines
from edgeau.action_units.fusion import Fuser
from edgeau.action_units.landmark_model import LandmarkModel
from edgeau.action_units.landmark_sides import LEFT, RIGHT
from edgeau.bundle import Bundle, bundle_folder, load_bundle
from edgeau.errors import InputError, UsageError
from edgeau.metrics import sigmoid
from edgeau_training.evaluation.faces.batch import FaceBatch
from edgeau_training.evaluation.faces.synthetic import SyntheticSplit
from edgeau_training.evaluation.options import bundle_on_renders_parser
from edgeau_training.evaluation.run import BATCH
from edgeau_training.evaluation.scorers import Scorer, open_scorer
from edgeau_training.synth.action_units import ACTIVE, AU_NAMES
from edgeau_training.synth.shards import read_split

__all__ = ["SidedAnswers", "answers", "figures", "main", "mirrored_faces"]

NAME = "python -m edgeau_training.evaluation.sides"
_IRIS = ((468, 473), (473, 478))


@dataclass(frozen=True)
class SidedAnswers:
    """Answers of a bundle on faces whose sides are labelled.

    Attributes:
        labels: S labels of AUs that have sides.
        truth: bool ``(N, 2, S)``, the person's own left and right.
        whole: float32 ``(N, S)``, probability of the AU, wherever it is.
        sides: float32 ``(N, 2, S)``, probability of each side.
        thresholds: float64 ``(S,)``.
        mirrored: float32 ``(N, 2, S)``, the answers to the mirrored picture, mirrored back.
    """

    labels: tuple[str, ...]
    truth: NDArray[np.bool_]
    whole: NDArray[np.float32]
    sides: NDArray[np.float32]
    thresholds: NDArray[np.float64]
    mirrored: NDArray[np.float32]


def main(argv: Sequence[str] | None = None) -> int:
    """The command; see ``--help``."""
    return run(NAME, _body, argv)


def _body(argv: Sequence[str] | None) -> int:
    parser = bundle_on_renders_parser(
        NAME,
        "Measure how well a bundle distinguishes left from right, on renders with labelled sides.",
        f"{NAME} light --data synth/ --split test",
    )
    options = parser.parse_args(argv)
    bundle = load_bundle(bundle_folder(options.bundle))
    found = answers(bundle, options.data, options.split, options.artifact, options.limit)
    document = figures(found)
    if options.json:
        print_json(document)
    else:
        print(_table(document))
    return DONE


def answers(
    bundle: Bundle, data: Path, split: str, artifact: str | None = None, limit: int | None = None
) -> SidedAnswers:
    """Run a bundle over a split, and over its mirror image.

    Args:
        bundle: with a landmark model that has sides, and a fusion.
        data: of ``edgeau-synth``.
        split: of it.
        artifact: of the bundle; None takes the first.
        limit: only the first so many faces.

    Raises:
        UsageError: the bundle has no sides.
        InputError: the split has no finished shard, or no face in it.
    """
    manifest = bundle.manifest
    if manifest.landmark_model is None or manifest.fusion is None:
        raise UsageError(f"{bundle.directory} has no landmark model and fusion, so it has no sides")
    model = LandmarkModel.load(bundle.path(manifest.landmark_model))
    if model.sides is None:
        raise UsageError(f"the landmark model of {bundle.directory} has no sides")
    labels = tuple(label for label in manifest.labels if label in model.sides.labels)
    fitted = bundle.artifacts(artifact)[0].fused_thresholds or {}
    probabilities_of = _SidedProbabilities(bundle, model, labels)
    rows, mirrored = [], []
    with closing(open_scorer(bundle.directory, artifact, "network")) as network:
        for batch in _batches(data, split, limit):
            rows.append(probabilities_of(batch, network))
            mirrored.append(probabilities_of(mirrored_faces(batch, model.sides.mirror), network)[1][:, ::-1])
    if not rows:
        raise InputError(f"{data}, {split} gave no face to measure on")
    return SidedAnswers(
        labels,
        _truth(data, split, labels, limit),
        np.concatenate([whole for whole, _ in rows]),
        np.concatenate([sides for _, sides in rows]),
        np.array([fitted.get(label, 0.5) for label in labels]),
        np.concatenate(mirrored),
    )


def figures(found: SidedAnswers) -> dict[str, Any]:
    """F1 per side and whole, wrong sides, and how far mirrored pictures are from mirrored answers."""
    per_au = {}
    whole_truth, decided = found.truth.any(axis=1), found.sides >= found.thresholds
    one_sided = found.truth[:, LEFT] != found.truth[:, RIGHT]
    single = decided[:, LEFT] != decided[:, RIGHT]
    wrong = one_sided & single & (decided[:, LEFT] != found.truth[:, LEFT])
    for column, label in enumerate(found.labels):
        per_au[label] = {
            "f1_side": _f1(decided[..., column], found.truth[..., column]),
            "f1_whole": _f1(found.whole[:, column] >= found.thresholds[column], whole_truth[:, column]),
            "one_sided": int(one_sided[:, column].sum()),
            "wrong_side": int(wrong[:, column].sum()),
        }
    apart = np.abs(found.sides - found.mirrored)
    between = np.abs(
        (found.sides[:, LEFT] - found.sides[:, RIGHT]) - (found.mirrored[:, LEFT] - found.mirrored[:, RIGHT])
    )
    return {
        "faces": len(found.truth),
        "per_au": per_au,
        "f1_side": float(np.mean([values["f1_side"] for values in per_au.values()])),
        "f1_whole": float(np.mean([values["f1_whole"] for values in per_au.values()])),
        "one_sided": int(one_sided.sum()),
        "wrong_side": int(wrong.sum()),
        "both_sides": int((one_sided & decided.all(axis=1)).sum()),
        "mirror_mean": float(apart.mean()),
        "mirror_95": float(np.percentile(apart, 95)),
        "mirror_between_sides_mean": float(between.mean()),
    }  # fmt: skip


class _SidedProbabilities:
    """Whole and sided probabilities of a batch, as :class:`edgeau.action_units.predictor.AUPredictor` gives them."""

    def __init__(self, bundle: Bundle, model: LandmarkModel, labels: tuple[str, ...]) -> None:
        manifest = bundle.manifest
        assert manifest.fusion is not None, "asked before"
        assert model.sides is not None, "asked before"
        self._model, self._fuser = model, Fuser(manifest.fusion, manifest.labels)
        self._columns = [model.labels.index(label) for label in manifest.labels]
        self._whole = [manifest.labels.index(label) for label in labels]
        self._sided = [model.sides.labels.index(label) for label in labels]

    def __call__(self, batch: FaceBatch, network: Scorer) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        assert batch.landmarks is not None, "renders have them"
        estimates = [self._model.estimate(points) for points in batch.landmarks]
        landmark = np.stack([one.logits for one in estimates])[:, self._columns]
        logits = self._fuser.fuse(network.logits(batch), landmark)[:, self._whole]
        evidence = np.stack([one.sides for one in estimates if one.sides is not None])[..., self._sided]
        below = evidence - evidence.max(axis=1, keepdims=True)
        return sigmoid(logits), sigmoid(logits[:, None] + below)


def _batches(data: Path, split: str, limit: int | None) -> Iterator[FaceBatch]:
    faces = SyntheticSplit(data, split)
    with progress_bar(total=min(limit or faces.count, faces.count), unit="face", desc=faces.name) as progress:
        for batch in faces.batches(BATCH, limit):
            yield batch
            progress.update(len(batch.truth))


def mirrored_faces(batch: FaceBatch, mirror: NDArray[np.int64]) -> FaceBatch:
    """The same faces in a mirror; their labels are not touched."""
    if batch.pictures is None or batch.landmarks is None:
        raise InputError("mirroring needs pictures and landmarks")
    order = np.concatenate((mirror, np.arange(*_IRIS[1]), np.arange(*_IRIS[0])))
    points = batch.landmarks[:, order[: batch.landmarks.shape[1]]].copy()
    widths = np.array([picture.shape[1] for picture in batch.pictures], np.float32)
    points[..., 0] = widths[:, None] - 1 - points[..., 0]
    pictures = [np.ascontiguousarray(picture[:, ::-1]) for picture in batch.pictures]
    return replace(batch, landmarks=points, pictures=pictures)


def _truth(data: Path, split: str, labels: tuple[str, ...], limit: int | None) -> NDArray[np.bool_]:
    columns = read_split(data, split, ["detected", "sides"], limit)
    found = np.asarray(columns["detected"], bool)
    sides = np.asarray(columns["sides"])[found]
    present: NDArray[np.bool_] = sides[..., [AU_NAMES.index(label) for label in labels]] >= np.float32(ACTIVE)
    return present


def _f1(decided: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    return float(2 * (decided & truth).sum() / max(1, decided.sum() + truth.sum()))


def _table(document: dict[str, Any]) -> str:
    head = ("AU", "F1 per side", "F1 whole", "on one side", "given to the other")
    rows = [
        (
            label,
            f"{values['f1_side']:.3f}",
            f"{values['f1_whole']:.3f}",
            str(values["one_sided"]),
            str(values["wrong_side"]),
        )
        for label, values in document["per_au"].items()
    ]
    total = (
        "all",
        f"{document['f1_side']:.3f}",
        f"{document['f1_whole']:.3f}",
        str(document["one_sided"]),
        f"{document['wrong_side']} ({document['wrong_side'] / max(1, document['one_sided']):.1%})",
    )
    return (
        f"{document['faces']} faces\n{chr(10).join(aligned_lines((head, *rows, total)))}\n"
        f"of those on one side, both sides decided: {document['both_sides']}\n"
        f"mirrored picture against mirrored answer: mean {document['mirror_mean']:.4f}, 95 % below {document['mirror_95']:.4f}; "
        f"between the sides, mean {document['mirror_between_sides_mean']:.4f}"
    )


if __name__ == "__main__":
    sys.exit(main())
