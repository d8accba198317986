"""Options by which a benchmark gives its result: printed, in a file of JSON, and as a table in a page."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from page_part import write_part

from edgeau._system.atomic_file import write_whole
from edgeau._system.command import CommandParser, print_json

__all__ = ["add_result_options", "give_result"]


def add_result_options(parser: CommandParser) -> None:
    """Add ``--out``, ``--write``, ``--part`` and ``--json``."""
    parser.add_argument("--out", type=Path, metavar="JSON", help="write the result to this file")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table into this page")
    parser.add_argument("--part", metavar="NAME", help="part of the page for it (default: the benchmark's)")
    parser.add_json()


def give_result(
    arguments: argparse.Namespace, name: str, document: dict[str, Any], table: Callable[[dict[str, Any]], str]
) -> None:
    """Print and write a result as the options of :func:`add_result_options` say.

    Args:
        arguments: with these options.
        name: of the benchmark, which its part of a page bears.
        document: the result, in values of JSON.
        table: makes Markdown of it.

    Raises:
        InputError: the page has no place for the table.
        OutputError: the file cannot be written.
    """
    if arguments.out is not None:
        write_whole(arguments.out, (json.dumps(document, indent=1) + "\n").encode())
    if arguments.write is not None:
        write_part(arguments.write, arguments.part or name, table(document))
    if arguments.json:
        print_json(document)
    else:
        print(table(document))
