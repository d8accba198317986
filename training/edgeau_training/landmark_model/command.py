"""``python -m edgeau_training.landmark_model``: fit the landmark model on a synthetic data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from edgeau._system.command import DONE, CommandParser, positive, print_json, run
from edgeau.action_units.landmark_model import LandmarkModel
from edgeau.action_units.names import DEFAULT
from edgeau.errors import InputError
from edgeau.metrics import macro_mean, sigmoid
from edgeau_training.evaluation.metrics import measure
from edgeau_training.landmark_model.fit import Settings, fit_landmark_model, predictions_of
from edgeau_training.landmark_model.samples import (
    Samples,
    SidedSamples,
    read_samples,
    read_sided_samples,
)
from edgeau_training.landmark_model.sides_fit import sided_predictions, with_sides
from edgeau_training.synth.shards import dataset_info

__all__ = ["main"]

NAME = "python -m edgeau_training.landmark_model"
# The model is made of what the renders show of these shapes.
_LICENCES = ("weights fitted on renders of ICT-FaceKit (USC Institute for Creative Technologies, MIT)",)


def main(argv: Sequence[str] | None = None) -> int:
    """The command; see ``--help``."""
    return run(NAME, _fit, argv)


def _parser() -> CommandParser:
    parser = CommandParser(
        NAME,
        "Fit the landmark model on MediaPipe's landmarks of rendered faces: weights on train, scale, logits and "
        "thresholds on val. Takes a minute or two for 30,000 faces.",
        f"{NAME} synth/ --out landmark.npz",
    )
    parser.add_argument("data", type=Path, help="synthetic data set, as edgeau-synth writes it")
    parser.add_argument("--out", type=Path, required=True, metavar="NPZ")
    parser.add_argument("--ridge", type=float, default=Settings.ridge, help="penalty (default %(default)s)")
    parser.add_argument(
        "--nuisance",
        type=float,
        default=Settings.nuisance,
        help="how much more than the renders people are expected to vary (default %(default)s)",
    )
    parser.add_argument(
        "--sides-for",
        type=Path,
        metavar="NPZ",
        help="keep this landmark model, and only add the part that distinguishes left from right",
    )
    parser.add_argument("--limit", type=positive, metavar="N", help="only the first N training faces")
    parser.add_json()
    return parser


def _fit(argv: Sequence[str] | None) -> int:
    options = _parser().parse_args(argv)
    settings = Settings(options.ridge, options.nuisance)
    train = read_samples(options.data, "train", DEFAULT, options.limit)
    validation = read_samples(options.data, "val", DEFAULT)
    info = _info(options.data, train, validation, settings)
    sided_train = read_sided_samples(options.data, "train", DEFAULT, options.limit)
    sided_validation = read_sided_samples(options.data, "val", DEFAULT)
    sided = None if sided_train is None or sided_validation is None else (sided_train, sided_validation)
    if options.sides_for is not None:
        if sided is None:
            raise InputError(
                f"{options.data} has no labels of left and right; render it anew with edgeau-synth"
            )
        kept = LandmarkModel.load(options.sides_for)
        model = with_sides(kept, *sided, settings.ridge, settings.nuisance)
        model = replace(model, info={**kept.info, "sides": info})
    else:
        model = fit_landmark_model(train, validation, DEFAULT, settings, info, sided)
    model.save(options.out)
    document = {
        "model": str(options.out),
        "bytes": options.out.stat().st_size,
        **_figures(model, validation, sided_validation),
        **info,
    }
    if options.json:
        print_json(document)
    else:
        print(f"{options.out}: {document['bytes']} bytes, {len(train.landmarks)} faces; validation F1 "
              f"{document['validation']['f1_mean']:.3f}, AUC {document['validation']['auc_mean']:.3f}")  # fmt: skip
    return DONE


def _info(data: Path, train: Samples, validation: Samples, settings: Settings) -> dict[str, Any]:
    described = dataset_info(data)
    return {
        "trained": True,
        "training": f"Trained only on synthetic faces: MediaPipe landmarks of {len(train.landmarks)} renders of "
        f"ICT-FaceKit; labels are rig coefficients mapped to AUs, not FACS coding.",
        "dataset": {key: described[key] for key in ("version", "generator_version", "rig_digest", "seed")},
        "train_faces": len(train.landmarks),
        "validation_faces": len(validation.landmarks),
        "settings": {"ridge": settings.ridge, "nuisance": settings.nuisance},
        "licences": list(_LICENCES),
    }


def _figures(model: LandmarkModel, validation: Samples, sided: SidedSamples | None) -> dict[str, Any]:
    metrics = measure(predictions_of(model, validation))
    return {
        **({} if sided is None else {"sides": _figures_of_sides(model, sided)}),
        "validation": {
            "f1_mean": macro_mean(metrics.f1),
            "auc_mean": macro_mean(metrics.auc),
            "f1": dict(zip(model.labels, metrics.f1.tolist(), strict=True)),
        },
    }


def _figures_of_sides(model: LandmarkModel, validation: SidedSamples) -> dict[str, Any]:
    """Measure half faces; wrong side: decided on the idle side alone, of the faces whose AU one side shows alone."""
    assert model.sides is not None
    seen = sided_predictions(model.sides, model, validation)
    metrics = measure(seen)
    decided = (sigmoid(seen.logits) >= seen.thresholds).reshape(2, -1, len(seen.labels))
    truth = np.moveaxis(validation.truth, 1, 0) > 0
    alone = truth[0] != truth[1]
    wrong = alone & (decided[0] != decided[1]) & (decided[0] != truth[0])
    return {
        "f1_mean": macro_mean(metrics.f1),
        "auc_mean": macro_mean(metrics.auc),
        "f1": dict(zip(seen.labels, metrics.f1.tolist(), strict=True)),
        "one_sided": int(alone.sum()),
        "wrong_side": int(wrong.sum()),
    }
