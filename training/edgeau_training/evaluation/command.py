"""``edgeau-evaluate``: how well models do on labelled faces, alone, over folds and together, and how far one is from another."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeau._system.command import DONE, PARTLY, CommandParser, print_json, say_left_out
from edgeau._system.command import run as run_command
from edgeau.bundle.provenance import TrainedOn
from edgeau.errors import InputError, UsageError
from edgeau_training.datasets import open_data_set, reader_options
from edgeau_training.evaluation.answers import write_answers
from edgeau_training.evaluation.comparison import compare
from edgeau_training.evaluation.faces import LabelledFaces, open_faces
from edgeau_training.evaluation.faces.data_set import (
    DataSetFaces,
    named_set,
    open_data_set_faces,
    unlabelled_faces,
)
from edgeau_training.evaluation.folds import folds_document
from edgeau_training.evaluation.metrics import fit_thresholds, intervals, measure
from edgeau_training.evaluation.options import (
    EVERY,
    FOLD,
    check_options,
    option_parser,
    wanted_labels,
)
from edgeau_training.evaluation.predictions import Predictions
from edgeau_training.evaluation.report import (
    comparison_document,
    comparison_table,
    folds_table,
    model_document,
    model_table,
    write_document,
)
from edgeau_training.evaluation.run import ModelPredictions, predict
from edgeau_training.evaluation.scorers import Scorer, open_scorer
from edgeau_training.postprocessing.ensembles import ensemble_of

__all__ = ["main"]

_NAME = "edgeau-evaluate"


def main(argv: Sequence[str] | None = None) -> int:
    """The command; see ``edgeau-evaluate --help``."""
    return run_command(_NAME, _evaluate, argv)


@dataclass(frozen=True)
class _Outcome:
    """Named predictions on one data set."""

    named: list[tuple[str, Predictions]]
    faces: LabelledFaces
    run: ModelPredictions


def _parser() -> CommandParser:
    return option_parser()


def _evaluate(argv: Sequence[str] | None) -> int:
    options = _parser().parse_args(argv)
    check_options(options)
    with warnings.catch_warnings():
        warnings.showwarning = _say
        return _over_folds(options) if options.folds else _once(options)


def _once(options: argparse.Namespace) -> int:
    outcome = _run(options, options.model, options.fold)
    document = _document(outcome, options)
    named = outcome.named
    if options.answers is not None:
        published = named_set(options.data)
        said = write_answers(
            options.answers,
            None if published is None else published[0],
            outcome.run.names,
            named[0][1],
            options.sample,
        )
        print(f"{_NAME}: {said}", file=sys.stderr)
    if options.out:
        _write(options.out, document, named)
    _print(document, as_json=options.json)
    return PARTLY if outcome.run.left_out or outcome.faces.problems else DONE


def _over_folds(options: argparse.Namespace) -> int:
    published = named_set(options.data)
    assert published is not None
    known = open_data_set(*published, **reader_options(options.data_option)).folds
    names = (
        list(known) if options.folds == EVERY else list(dict.fromkeys(filter(None, options.folds.split(","))))
    )
    outcomes = [_run(options, [model.replace(FOLD, name) for model in options.model], name) for name in names]
    document = folds_document(names, [outcome.named[0][1] for outcome in outcomes], "half")
    document = {
        "data": {
            "name": published[0],
            "not_found": sum(one.run.left_out for one in outcomes),
            "problems": list(dict.fromkeys(line for one in outcomes for line in one.faces.problems)),
        },
        "thresholds": "fitted on this very data" if options.fit_thresholds else "of the models",
        **{key: document[key] for key in ("labels", "folds", "mean", "pooled")},
    }
    _say_data(document["data"], sum(fold["faces"] for fold in document["folds"].values()))
    if options.json:
        print_json(document)
    else:
        print(folds_table(document))
    return PARTLY if document["data"]["not_found"] or document["data"]["problems"] else DONE


def _run(options: argparse.Namespace, models: Sequence[str], fold: str | None) -> _Outcome:
    """Every model on the same faces; an ensemble as one."""
    with ExitStack() as held:
        scorers = [
            held.enter_context(closing(open_scorer(model, options.artifact, options.part, options.threads)))
            for model in models
        ]
        if options.against is not None:
            reference = open_scorer(
                options.against, options.against_artifact, options.against_part, options.threads
            )
            scorers.append(held.enter_context(closing(reference)))
        faces = _faces(options, scorers, fold)
        run = predict(scorers, faces, options.limit, wanted_labels(options.aus))
    named = list(zip(_distinct([scorer.name for scorer in scorers]), run.predictions, strict=True))
    if options.ensemble is not None:
        members = named[: len(models)]
        title = f"{options.ensemble} of {len(members)}: {', '.join(name for name, _ in members)}"
        named = [
            (title, ensemble_of([table for _, table in members], options.ensemble)),
            *named[len(models) :],
        ]
    return _Outcome(
        [(name, _thresholded(table, options.fit_thresholds)) for name, table in named], faces, run
    )


def _faces(options: argparse.Namespace, scorers: Sequence[Scorer], fold: str | None) -> LabelledFaces:
    published = named_set(options.data)
    if published is None:
        if options.split is None:
            _check_table(scorers, Path(options.data))
        return open_faces(Path(options.data), options.split)
    name, root = published
    given = reader_options(options.data_option)
    found: DataSetFaces
    if options.sample or options.unlabelled:
        found = unlabelled_faces(name, root, options.sample, given)
    else:
        fold = _fold_of(name, scorers, fold, options.split)
        found = open_data_set_faces(name, root, given, fold=fold, side=options.split, crops=options.crops)
    found.fit([scorer.alignment for scorer in scorers])
    return found


def _check_table(scorers: Sequence[Scorer], table: Path) -> None:
    """See that no model was trained on the very table of which every row is to be measured.

    Raises:
        UsageError: one was.
    """
    for title, scorer in zip(_distinct([scorer.name for scorer in scorers]), scorers, strict=True):
        for on in () if scorer.provenance is None else scorer.provenance.trainings:
            if on.set == "pictures" and _is_table_of(on, scorer.labels, table):
                advice = "--split test" if on.fold == "split" else f"--data pictures:{table} --fold {on.fold}"
                raise UsageError(
                    f"{title} was trained on fold {on.fold} of this table, so that people of its training part are among all rows; "
                    f"say {advice}, or --split with the part that is meant"
                )


def _is_table_of(trained: TrainedOn, labels: Sequence[str], table: Path) -> bool:
    """Tell whether a table has the pictures and labels of a training."""
    try:
        frames = open_data_set("pictures", table, **trained.options).read().with_labels(labels).known_rows()
    except (
        InputError,
        UsageError,
    ):  # no such table: it is opened, and its fault named, where it is measured on
        return False
    return frames.digest == trained.digest


def _fold_of(name: str, scorers: Sequence[Scorer], fold: str | None, side: str | None) -> str | None:
    """The fold to measure on: nobody that a model was trained on may be among its test faces.

    Raises:
        UsageError: somebody would be.
    """
    # One by one: files of several runs have the same name.
    trained = [
        (title, scorer.provenance.folds(name))
        for title, scorer in zip(_distinct([scorer.name for scorer in scorers]), scorers, strict=True)
        if scorer.provenance is not None
    ]
    folds = {own for _, several in trained for own in several}
    if not folds or side == "train":
        return fold
    for model, several in trained:
        if len(several) > 1:
            raise UsageError(
                f"{model} was put together from networks trained on folds {', '.join(several)} of {name}, so that every test side has "
                "people of its training faces; measure it on another data set, each of its members on its own fold, or on --split "
                "train with a fold"
            )
    if fold is None and len(folds) == 1:
        (fold,) = folds
        print(f"{_NAME}: trained on fold {fold} of {name}, so measured on its test side", file=sys.stderr)
    for model, several in trained:
        for own in (one for one in several if one != fold):
            raise UsageError(
                f"{model} was trained on fold {own} of {name}, so that people of other test sides were among its training faces; "
                f"say --fold {own}, or --split train with a fold to measure on what was trained on"
            )
    return fold


def _thresholded(table: Predictions, objective: str | None) -> Predictions:
    return table if objective is None else table.with_thresholds(fit_thresholds(table, objective))


def _document(outcome: _Outcome, options: argparse.Namespace) -> dict[str, Any]:
    named, faces = outcome.named, outcome.faces
    labelled = [(name, table) for name, table in named if table.known.any()]
    if not labelled and options.answers is None:
        raise InputError(
            f"{faces.name} labels none of {', '.join(named[0][1].labels)}, so nothing can be measured"
        )
    document: dict[str, Any] = {
        "data": {
            "name": faces.name,
            "digest": faces.digest,
            "faces": len(named[0][1].truth),
            "not_found": outcome.run.left_out,
            "problems": list(faces.problems),
        },
        "thresholds": "fitted on this very data" if options.fit_thresholds else "of the model",
        "models": [
            model_document(
                name, table, measure(table), intervals(table, options.resamples, seed=options.seed)
            )
            for name, table in labelled
        ],
    }
    if len(labelled) == 2:
        (name, table), (other, reference) = labelled
        document["comparison"] = comparison_document(name, other, compare(table, reference))
    return document


def _print(document: dict[str, Any], *, as_json: bool) -> None:
    data = document["data"]
    _say_data(data, data["faces"])
    if as_json:
        print_json(document)
        return
    print(f"{data['name']}: {data['faces']} faces; thresholds {document['thresholds']}\n")
    for model in document["models"]:
        print(model_table(model), end="\n\n")
    if "comparison" in document:
        print(comparison_table(document["comparison"]))


def _say_data(data: dict[str, Any], faces: int) -> None:
    say_left_out(_NAME, data["problems"])
    if data["not_found"]:
        print(f"{_NAME}: no face was found in {data['not_found']} of {faces + data['not_found']} "
              "pictures; they are left out of all figures", file=sys.stderr)  # fmt: skip


def _write(folder: Path, document: dict[str, Any], named: list[tuple[str, Predictions]]) -> None:
    # Drawing is heavy to import and not always asked for.
    from edgeau_training.evaluation.plots import draw_bars, draw_roc, save_figure

    write_document(folder / "evaluation.json", document)
    title = f"{document['data']['name']}, {document['data']['faces']} faces"
    save_figure(draw_bars(document["models"], title), folder / "f1-auc.png")
    save_figure(draw_roc(named, title), folder / "roc.png")


def _distinct(names: list[str]) -> list[str]:
    """Two models of the same name are told apart by number, so that tables stay readable."""
    if len(set(names)) == len(names):
        return names
    return [f"{name} ({number})" for number, name in enumerate(names, 1)]


def _say(message: Warning | str, *_: Any, **__: Any) -> None:
    """A warning in one line, without the place in the code that gave it."""
    print(f"{_NAME}: {' '.join(str(message).split())}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
