"""Prints the check values as Markdown, or writes them into a page between two marks.

``python -m edgeau_training.systems.table --write docs/systems-measured.md``
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from edgeau._system.atomic_file import write_whole
from edgeau._system.command import DONE, PARTLY, CommandParser, print_json, run
from edgeau.errors import InputError
from edgeau_training.networks.catalogue import CATALOGUE
from edgeau_training.systems.counts import CheckValue, macs, parameters
from edgeau_training.systems.vectors import vectors

__all__ = ["BEGIN", "END", "main", "page_with", "tables"]

BEGIN = "<!-- begin: python -m edgeau_training.systems.table -->"
END = "<!-- end -->"
_NAME = "edgeau_training.systems.table"


def tables(values: dict[str, list[CheckValue]]) -> str:
    """All tables as Markdown: one of the networks, then one for each kind of check value."""
    return "\n\n".join([_networks(), *(f"### {kind}\n\n{_table(rows)}" for kind, rows in values.items())])


def page_with(page: str, content: str, name: str) -> str:
    """A page with everything between its two marks replaced.

    Raises:
        InputError: the marks are not there.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise InputError(
            f"{name} has no place for the tables; it needs a line {BEGIN} followed by a line {END}"
        )
    return f"{before}{BEGIN}\n\n{content}\n\n{END}{after}"


def _networks() -> str:
    rows = [
        "### Networks\n",
        "| name | title | input | relation to the published network |",
        "|---|---|---|---|",
    ]
    for name, facts in CATALOGUE.items():
        shown = f"{facts.input.size[0]} x {facts.input.size[1]} {facts.input.color}"
        rows.append(f"| `{name}` | {facts.title} | {shown} | {facts.fidelity} |")
    return "\n".join(rows)


def _table(rows: Iterable[CheckValue]) -> str:
    lines = ["| what | specified | computed | |", "|---|---|---|---|"]
    for row in rows:
        specified = "-" if row.specified is None else _number(row.specified)
        lines.append(f"| {row.what} | {specified} | {_number(row.computed)} | {row.verdict} |")
    return "\n".join(lines)


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.7g}"


def _body(argv: Sequence[str] | None) -> int:
    parser = CommandParser(
        f"python -m {_NAME}",
        "The published systems' numbers: as specified, and as computed here.",
        f"python -m {_NAME} --write docs/systems-measured.md",
    )
    parser.add_argument("--write", type=Path, metavar="PAGE", help="a Markdown page that has the two marks")
    parser.add_json()
    arguments = parser.parse_args(argv)
    old = None if arguments.write is None else _read(arguments.write)
    values = {
        "Parameters": list(parameters()),
        "Multiply-accumulates of one picture, in 1e9": list(macs()),
        "Worked examples": list(vectors()),
    }
    if old is not None:
        page = page_with(old, tables(values), str(arguments.write))
        write_whole(arguments.write, page.encode())
    if arguments.json:
        print_json(
            {kind: [{**vars(row), "verdict": row.verdict} for row in rows] for kind, rows in values.items()}
        )
    elif old is None:
        print(tables(values))
    return PARTLY if any(row.verdict == "differs" for rows in values.values() for row in rows) else DONE


def _read(page: Path) -> str:
    if not page.is_file():
        raise InputError(f"page {page} does not exist; name a Markdown file that has the two marks")
    return page.read_text("utf-8")


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    return run(_NAME, _body, argv)


if __name__ == "__main__":
    sys.exit(main())
