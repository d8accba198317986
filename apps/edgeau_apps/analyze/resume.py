"""Progress of a corpus: what is analyzed already, and what is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgeau._system.printable import printable
from edgeau_apps.analyze.identity import Identity, Made, made
from edgeau_apps.analyze.inputs import Input, Refused, real_path
from edgeau_apps.analyze.sinks import file_names

__all__ = ["State", "Tables", "placed", "state_of"]


class Tables:
    """The tables of a folder as they are when a run starts; each is read once.

    Args:
        out: the folder.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self._made: dict[str, Made | None] = {}

    def made(self, stem: str) -> Made | None:
        """Read the identity that the table of a stem carries; None where there is none, or it says nothing."""
        if stem not in self._made:
            self._made[stem] = made(self._path(stem))
        return self._made[stem]

    def exists(self, stem: str) -> bool:
        """Tell whether there is a table, whatever it says."""
        return self.made(stem) is not None or self._path(stem).exists()

    def are_all_there(self, given: Input, options: Mapping[str, Any]) -> bool:
        """Tell whether every file is there that an input gets with these options of the command."""
        names = file_names(given, events=bool(options["events"]), annotate=bool(options["annotate"]))
        folder = (self._out / given.stem).parent
        return all((folder / name).is_file() for name in names.values())

    def _path(self, stem: str) -> Path:
        return self._out / f"{stem}.jsonl"


@dataclass(frozen=True)
class State:
    """Inputs whose tables are there and whole, those whose tables are partly done or of other options, the rest, and arguments that name none."""

    done: tuple[Input, ...]
    stale: tuple[Input, ...]
    missing: tuple[Input, ...]
    refused: tuple[Refused, ...] = ()

    @property
    def is_done(self) -> bool:
        """True where nothing is left, and every argument names something."""
        return not self.left and not self.refused

    @property
    def left(self) -> tuple[Input, ...]:
        """List what is still to be analyzed."""
        return self.stale + self.missing

    def line(self) -> str:
        """For people."""
        every = len(self.done) + len(self.left)
        stale = f" ({len(self.stale)} partly, or with other options or another input)" if self.stale else ""
        return f"{len(self.done)} of {every} inputs are done, {len(self.left)} are left{stale}"

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "done": [one.name for one in self.done],
            "left": [one.name for one in self.left],
            "stale": [one.name for one in self.stale],
            "refused": [{"input": one.name, "error": one.why} for one in self.refused],
        }


def state_of(
    inputs: Sequence[Input], tables: Tables, identity: Identity, refused: Sequence[Refused] = ()
) -> State:
    """Compare what tables say that they were made of with what would make them now."""
    done, stale, missing = [], [], []
    for one in inputs:
        found = tables.made(one.stem)
        if found is not None and identity.made(one, found) and tables.are_all_there(one, identity.options):
            done.append(one)
        elif tables.exists(one.stem):
            stale.append(one)
        else:
            missing.append(one)
    return State(tuple(done), tuple(stale), tuple(missing), tuple(refused))


def placed(inputs: Sequence[Input], tables: Tables) -> list[Input]:
    """Inputs under names whose tables are theirs or free: the table of another input is never written over.

    One whose table would take the place of another input's, of a run before, gets its folder in front.
    """
    taken = {one.stem.casefold() for one in inputs}
    return [_placed(one, tables, taken) for one in inputs]


def _placed(one: Input, tables: Tables, taken: set[str]) -> Input:
    if not _is_of_another(one.stem, one, tables):
        return one
    stem, number = one.stem, 1
    folder = one.path.resolve().parent.name or "root"
    while stem.casefold() in taken or _is_of_another(stem, one, tables):
        stem = f"{folder}/{one.stem}" if number == 1 else f"{folder}/{one.stem}-{number}"
        number += 1
    taken.add(stem.casefold())
    return replace(one, stem=stem)


def _is_of_another(stem: str, one: Input, tables: Tables) -> bool:
    found = tables.made(stem)
    return found is not None and found.source.get("path") != printable(real_path(one.path))
