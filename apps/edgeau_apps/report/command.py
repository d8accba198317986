"""``edgeau-report``: parameters, multiply-accumulates, size and memory of networks, files and bundles, compared."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgeau._system.atomic_file import write_whole
from edgeau._system.command import DONE, CommandParser, print_json, run
from edgeau._system.install_lines import extra_line
from edgeau._system.records import to_dict
from edgeau.errors import DependencyError, UsageError
from edgeau_apps.bench.result import Result, read_result
from edgeau_apps.report.board_tables import board_document, board_tables
from edgeau_apps.report.own_folds import read_own_folds, with_own_rows
from edgeau_apps.report.published_tables import ScoreTable, cost_table, score_tables
from edgeau_apps.report.subjects import Subject, subjects_of
from edgeau_apps.report.tables import (
    ReportTable,
    aligned,
    ceilings_table,
    comparison,
    costs,
    latencies_table,
    layers,
    markdown,
    meaning,
    scores,
)
from edgeau_export.profiling.board_cost import board_named, board_names
from edgeau_export.profiling.model_profile import as_document, blocks
from edgeau_export.profiling.roofline import Ceilings, measured_ceilings

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    return run("edgeau-report", _body, argv)


def _body(argv: Sequence[str] | None) -> int:
    arguments = _parser().parse_args(argv)
    published = _published(arguments)
    if not arguments.what and published is None:
        raise UsageError("nothing to report on; name networks, files or bundles, or ask for --papers")
    if arguments.json and arguments.markdown:
        raise UsageError("--json and --markdown are two forms of the same report; give one of them")
    # What is not known, or cannot be read, is said before anything is counted.
    board = None if arguments.target is None else board_named(arguments.target)
    bench = None if arguments.bench is None else read_result(arguments.bench)
    subjects = [subject for what in arguments.what for subject in subjects_of(what)]
    ceilings = measured_ceilings() if arguments.roofline else None
    measured = [] if ceilings is None else [ceilings_table(ceilings, subjects)]
    measured += [] if board is None else board_tables(board, subjects)
    if arguments.html is not None:
        write_whole(arguments.html, _page(subjects, measured, bench, published).encode())
    if arguments.json:
        document = _document(subjects, ceilings, bench, published)
        if board is not None:
            document["expected"] = board_document(board, subjects)
        print_json(document)
        return DONE
    form = markdown if arguments.markdown else aligned
    measured += [] if bench is None else [latencies_table(bench)]
    print("\n\n".join(form(table) for table in _tables(subjects, measured, arguments, published)))
    if arguments.html is not None:
        print(f"\npage: {arguments.html}")
    return DONE


def _page(
    subjects: Sequence[Subject],
    measured: Sequence[ReportTable],
    bench: Result | None,
    published: Mapping[str, ScoreTable] | None,
) -> str:
    try:
        from edgeau_apps.report.page import page
    except ImportError as error:
        raise DependencyError(
            f"the plots of a page need {error.name}, which is not installed: {extra_line('export')}"
        ) from error
    return page(subjects, measured, bench, published)


def _published(arguments: Namespace) -> Mapping[str, ScoreTable] | None:
    """The papers' tables with the user's own rows; None where neither was asked for."""
    if not arguments.papers and not arguments.folds:
        return None
    return with_own_rows(score_tables(), [read_own_folds(path) for path in arguments.folds])


def _parser() -> CommandParser:
    parser = CommandParser(
        "edgeau-report",
        "Report what networks cost: parameters, multiply-accumulates (MACs), activations, memory and size.",
        "edgeau-report mrpnet drml bundle/ --html report.html",
    )
    parser.add_argument(
        "what",
        nargs="*",
        metavar="NAME|FILE",
        help="a network of the zoo (mrpnet, mrpnet:mrp_variant=A), a .onnx, .tflite, .pt2 or .safetensors file, a model.toml, or a bundle: a folder, default, light",
    )
    parser.add_argument("--blocks", action="store_true", help="also print a table of each network's blocks")
    parser.add_argument("--layers", action="store_true", help="also print a table of each network's layers")
    parser.add_argument("--papers", action="store_true", help="also print the papers' published figures")
    parser.add_argument(
        "--folds",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a folds.json of edgeau-train --folds, shown as a row below the papers' figures; may be repeated",
    )
    parser.add_argument(
        "--roofline",
        action="store_true",
        help="measure the peak rates of this machine, and give the shortest time that they allow",
    )
    parser.add_argument(
        "--bench", type=Path, metavar="FILE", help="a result of edgeau-bench --json, to show its latencies"
    )
    parser.add_argument(
        "--target",
        metavar="NAME",
        help=f"estimated (not measured) milliseconds on a board: {', '.join(board_names())}",
    )
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write one self-contained page with plots")
    parser.add_json()
    return parser


def _tables(
    subjects: Sequence[Subject],
    measured: Sequence[ReportTable],
    arguments: Namespace,
    published: Mapping[str, ScoreTable] | None,
) -> list[ReportTable]:
    tables = []
    if subjects:
        compared = comparison(subjects)
        tables.append(replace(compared, notes=(meaning(subjects), *compared.notes)))
    tables += measured
    for subject in subjects:
        if arguments.blocks:
            tables.append(layers(subject, blocks(subject.profile.layers), "blocks"))
        if arguments.layers:
            tables.append(layers(subject, subject.profile.layers, "layers"))
    if published is not None:
        tables += [costs(cost_table()), *(scores(table) for table in published.values())]
    return tables


def _document(
    subjects: Sequence[Subject],
    ceilings: Ceilings | None,
    bench: Result | None,
    published: Mapping[str, ScoreTable] | None,
) -> dict[str, Any]:
    document: dict[str, Any] = {
        "models": [
            {
                **as_document(subject.profile),
                "label": subject.label,
                "precision": subject.precision,
                "f1": subject.f1,
                "f1_data": subject.f1_data,
            }
            for subject in subjects
        ]
    }
    if ceilings is not None:
        document["roofline"] = to_dict(ceilings)
    if bench is not None:
        document["latencies"] = [{**to_dict(row), "samples_ms": None} for row in bench.rows]
    if published is not None:
        document["papers"] = {
            "costs": to_dict(cost_table()),
            "scores": {name: to_dict(table) for name, table in published.items()},
        }
    return document
