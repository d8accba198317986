"""``python -m edgeau_training.evaluation.rest_head``: whether a small head on features now and at rest beats the neutral baseline.

The head sees a face's feature vector (what the network's last layer reads) and how it differs from the same person's at rest. It
adds to the logits that the bundle gives with the person's neutral baseline, and starts at zero. Controls tell where a gain comes from: heads
that see the face now alone (what training on these renders once more gives), and heads that see only the logits of both models, which
every bundle gives already.

Heads are fitted, and all thresholds chosen, on people of the training files; answers of a head on those are out of fold. Figures are
of the test file, with bootstrap intervals over its people; the same draws serve all rows, so that changes have intervals too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau._system.command import DONE, CommandParser, positive, print_json, run
from edgeau._system.text_table import aligned_lines
from edgeau.bundle import Bundle, bundle_folder, load_bundle
from edgeau.errors import InputError
from edgeau.metrics import RankedScores, bootstrap_weights, f1_scores, macro_mean, percentile_interval
from edgeau_training.evaluation.metrics import fit_thresholds
from edgeau_training.evaluation.network_features import read_features
from edgeau_training.evaluation.predictions import Predictions
from edgeau_training.evaluation.rest_head_fit import HeadData, HeadRule, fit_head
from edgeau_training.evaluation.rest_pairs import RestPairs, joined, rest_pairs

__all__ = ["BASELINE", "compare_heads", "main"]

NAME = "python -m edgeau_training.evaluation.rest_head"
BASELINE = "fused, neutral baseline"  # what the bundle gives today
_WITHOUT_HEAD = {
    "network alone": "network",
    "network alone, neutral baseline": "moved_network",
    "fused": "fused",
    BASELINE: "own_fused",
}

_Matrix = NDArray[np.float64]
_Ends = list[float | None]  # of an interval; None where the data do not define it


_LOGITS, _LOGITS_AT_REST = "head on logits now", "head on logits now and at rest"
_FEATURES, _FEATURES_AT_REST = "head on features now", "head on features now and at rest"
_HIDDEN, _HIDDEN_AT_REST = "hidden head on features now", "hidden head on features now and at rest"


@dataclass(frozen=True)
class _ComparedHead:
    """A head to compare.

    Attributes:
        inputs: of N faces, float32 ``(N, D)``.
        is_hidden: it has hidden units; otherwise it is linear.
        controls: rows that a gain is measured from beside :data:`BASELINE`.
    """

    inputs: Callable[[RestPairs], NDArray[np.float32]]
    is_hidden: bool = False
    controls: tuple[str, ...] = ()


def _logits(pairs: RestPairs) -> NDArray[np.float32]:
    return np.concatenate((pairs.network, pairs.landmark), axis=1)


def _logits_at_rest(pairs: RestPairs) -> NDArray[np.float32]:
    changes = pairs.network - pairs.rest_network, pairs.landmark - pairs.own_landmark
    return np.concatenate((pairs.network, pairs.landmark, *changes), axis=1)


def _features(pairs: RestPairs) -> NDArray[np.float32]:
    return pairs.features


def _features_at_rest(pairs: RestPairs) -> NDArray[np.float32]:
    return np.concatenate((pairs.features, pairs.features - pairs.rest_features), axis=1)


# A control comes before the heads that are measured from it.
_HEADS = {
    _LOGITS: _ComparedHead(_logits),
    _LOGITS_AT_REST: _ComparedHead(_logits_at_rest, controls=(_LOGITS,)),
    _FEATURES: _ComparedHead(_features),
    _FEATURES_AT_REST: _ComparedHead(_features_at_rest, controls=(_FEATURES, _LOGITS_AT_REST)),
    _HIDDEN: _ComparedHead(_features, is_hidden=True),
    _HIDDEN_AT_REST: _ComparedHead(_features_at_rest, is_hidden=True, controls=(_HIDDEN, _LOGITS_AT_REST)),
}


@dataclass(frozen=True)
class _MeasuredAnswers:
    """Answers on the test file, and how often each of them is right in each of B resamples.

    Attributes:
        description: what was chosen in the fit; empty without a head.
        table: of the test file, at thresholds of the training files.
        f1: ``(B, C)``.
        auc: ``(B, C)``.
        alarms: ``(B,)``, share of the decisions on faces at rest that are false alarms.
    """

    description: dict[str, Any]
    table: Predictions
    f1: _Matrix
    auc: _Matrix
    alarms: _Matrix


def main(argv: Sequence[str] | None = None) -> int:
    """The command; see ``--help``."""
    return run(NAME, _body, argv)


def _body(argv: Sequence[str] | None) -> int:
    parser = CommandParser(
        NAME,
        "Compare a small head on features of now and at rest with the neutral baseline, on renders.",
        f"{NAME} light --train twins.npz --test other-twins.npz",
    )
    parser.add_argument("bundle", metavar="NAME|DIR", help="default, light, or a folder")
    files = "features of this bundle by edgeau_training.evaluation.network_features"
    parser.add_argument("--train", type=Path, nargs="+", required=True, metavar="NPZ", help=files)
    parser.add_argument("--test", type=Path, required=True, metavar="NPZ", help="likewise, of other people")
    parser.add_argument(
        "--hidden",
        type=positive,
        default=64,
        metavar="N",
        help="hidden units of the heads that are not linear (default %(default)s)",
    )
    parser.add_argument(
        "--resamples", type=positive, default=1000, metavar="N", help="of the bootstrap (default %(default)s)"
    )
    parser.add_json()
    options = parser.parse_args(argv)
    bundle = load_bundle(bundle_folder(options.bundle))
    train = joined([rest_pairs(bundle, read_features(file)) for file in options.train])
    test = rest_pairs(bundle, read_features(options.test))
    document = compare_heads(bundle, train, test, options.hidden, options.resamples)
    if options.json:
        print_json(document)
    else:
        print(_text(document))
    return DONE


def compare_heads(
    bundle: Bundle,
    train: RestPairs,
    test: RestPairs,
    hidden: int = 64,
    resamples: int = 1000,
    rule: HeadRule | None = None,
) -> dict[str, Any]:
    """Measure every row on the test faces.

    Args:
        bundle: whose network and landmark model answered.
        train: faces to fit heads and thresholds on.
        test: faces of other people.
        hidden: units of the heads that are not linear.
        resamples: B bootstrap draws.
        rule: of the fits; None takes the defaults.

    Returns:
        A JSON document; its ``rows`` have changes from :data:`BASELINE`, and those of heads that see the face at rest from their controls too.

    Raises:
        InputError: the files are of different networks, or no AU is present on any test face.
    """
    joined([train, test])  # of one network, or an error
    if not (test.truth == 1).any():
        raise InputError("no AU is present on any test face, so nothing can be measured")
    measured = partial(
        _measured,
        bundle.manifest.labels,
        train,
        test,
        bootstrap_weights(len(test.truth), resamples, test.persons),
    )
    rows = {
        name: measured({}, getattr(train, part), getattr(test, part)) for name, part in _WITHOUT_HEAD.items()
    }
    for name, head in _HEADS.items():
        fitted, tested = (HeadData(head.inputs(part), part.own_fused) for part in (train, test))
        found = fit_head(fitted, train.truth, train.persons, hidden if head.is_hidden else 0, rule)
        description = {"strength": found.strength, "epochs": found.epochs, "fold_loss": found.loss}
        rows[name] = measured(description, found.out_of_fold, found.logits(tested))
    return {
        "train": _counts(train),
        "test": _counts(test),
        "resamples": resamples,
        "rows": [
            _figures(name, row, {other: rows[other] for other in (BASELINE, *_controls(name))})
            for name, row in rows.items()
        ],
    }


def _controls(name: str) -> tuple[str, ...]:
    return _HEADS[name].controls if name in _HEADS else ()


def _counts(pairs: RestPairs) -> dict[str, int]:
    people = len(np.unique(pairs.persons))
    return {"faces": len(pairs.truth), "people": people, "at_rest": int(pairs.at_rest.sum())}


def _measured(
    labels: tuple[str, ...],
    train: RestPairs,
    test: RestPairs,
    weights: _Matrix,
    description: dict[str, Any],
    train_logits: NDArray[np.float32],
    test_logits: NDArray[np.float32],
) -> _MeasuredAnswers:
    half = np.full(len(labels), 0.5)
    thresholds = fit_thresholds(Predictions(labels, train_logits, train.truth, half, train.persons))
    table = Predictions(labels, test_logits, test.truth, thresholds, test.persons, test.at_rest)
    present = table.truth == 1
    ranked = [RankedScores(scores, truth) for scores, truth in zip(test_logits.T, present.T, strict=True)]
    auc = np.stack([[one.auc(drawn) for drawn in weights] for one in ranked], axis=1)
    absent = ~present & test.at_rest[:, None]
    with np.errstate(invalid="ignore"):  # NaN where no face at rest is drawn
        alarms = weights @ (table.decisions & absent).sum(axis=1) / (weights @ absent.sum(axis=1))
    return _MeasuredAnswers(
        description, table, f1_scores(table.decisions, present, None, weights), auc, alarms
    )


def _figures(name: str, row: _MeasuredAnswers, others: dict[str, _MeasuredAnswers]) -> dict[str, Any]:
    baseline = others[BASELINE]
    table = row.table
    present, decided = table.truth == 1, table.decisions
    f1 = f1_scores(decided, present)
    auc = np.array([RankedScores(*columns).auc() for columns in zip(table.logits.T, present.T, strict=True)])
    alarms, judged = table.alarms_at_rest or (0, 0)
    by_au = {
        label: {
            "f1": _figure(f1[column]),
            "f1_95": _interval(row.f1[:, column]),
            "f1_change_95": _interval(row.f1[:, column] - baseline.f1[:, column]),
            "auc": _figure(auc[column]),
            "auc_95": _interval(row.auc[:, column]),
            "auc_change_95": _interval(row.auc[:, column] - baseline.auc[:, column]),
        }
        for column, label in enumerate(table.labels)
    }
    return {
        "name": name,
        **row.description,
        "f1": macro_mean(f1),
        "f1_95": _interval(_means(row.f1)),
        "auc": macro_mean(auc),
        "auc_95": _interval(_means(row.auc)),
        "recall": float((decided & present).sum() / present.sum()),
        "wrong": float((decided != present).mean()),
        "alarms_at_rest": [alarms, judged],
        "changes": {other: _change(row, against) for other, against in others.items()},
        "aus": by_au,
    }


def _change(row: _MeasuredAnswers, other: _MeasuredAnswers) -> dict[str, _Ends]:
    """95 % intervals of what a row has more than another."""
    return {
        "f1_95": _interval(_means(row.f1) - _means(other.f1)),
        "auc_95": _interval(_means(row.auc) - _means(other.auc)),
        "alarms_95": _interval(row.alarms - other.alarms),
    }


def _means(values: _Matrix) -> _Matrix:
    return np.array([macro_mean(row) for row in values])


def _interval(values: _Matrix) -> _Ends:
    low, high = percentile_interval(values)
    return [_figure(low), _figure(high)]


def _figure(value: float) -> float | None:
    """None for what the data do not define, such as an AUC without a positive."""
    return float(value) if np.isfinite(value) else None


def _text(document: dict[str, Any]) -> str:
    head = ("", "F1", "AUC", "recall", "false alarms at rest", "change of F1", "of AUC", "of alarms at rest")
    lines = [head, *(_line(row) for row in document["rows"])]
    against: list[tuple[str, ...]] = [("", "change of F1", "of AUC", "of alarms at rest")]
    for row in document["rows"]:
        for other, change in row["changes"].items():
            if other != BASELINE:
                against.append((f"{row['name']}, from {other}", *_changes(change)))
    train, test = document["train"], document["test"]
    said = (
        f"fitted on {train['faces']} faces of {train['people']} people, tested on {test['faces']} faces of {test['people']} others "
        f"({test['at_rest']} at rest); changes are from {BASELINE!r}, with 95 % intervals over people"
    )
    return "\n".join(
        (
            said,
            *aligned_lines(lines),
            "",
            *aligned_lines(against),
            "",
            *aligned_lines(_by_au(document["rows"])),
        )
    )


def _line(row: dict[str, Any]) -> tuple[str, ...]:
    alarms, judged = row["alarms_at_rest"]
    share = f"{alarms} of {judged}"
    return (
        row["name"],
        f"{row['f1']:.3f}",
        f"{row['auc']:.3f}",
        f"{row['recall']:.3f}",
        share,
        *_changes(row["changes"][BASELINE]),
    )


def _changes(change: dict[str, _Ends]) -> tuple[str, ...]:
    return tuple(_range(change[key]) for key in ("f1_95", "auc_95", "alarms_95"))


def _range(ends: _Ends) -> str:
    return f"[{' '.join(_said(end, '+.3f') for end in ends)}]"


def _said(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _by_au(rows: Sequence[dict[str, Any]]) -> list[tuple[str, ...]]:
    """F1 and AUC of each AU: of the bundle without and with a neutral baseline, and of the linear head on features now and at rest."""
    chosen = [row for row in rows if row["name"] in ("fused", BASELINE, _FEATURES_AT_REST)]
    lines = [("", *(part for row in chosen for part in (f"F1, {row['name']}", "change", "AUC", "change")))]
    for label in rows[0]["aus"]:
        cells = [row["aus"][label] for row in chosen]
        lines.append(
            (
                label,
                *(
                    part
                    for cell in cells
                    for part in (
                        _said(cell["f1"], ".2f"),
                        _range(cell["f1_change_95"]),
                        _said(cell["auc"], ".3f"),
                        _range(cell["auc_change_95"]),
                    )
                ),
            )
        )
    return lines


if __name__ == "__main__":
    sys.exit(main())
