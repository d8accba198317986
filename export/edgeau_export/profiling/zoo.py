"""The profiles of the whole zoo as a packaged file, so that comparing networks needs no torch.

``python -m edgeau_export.profiling.zoo --write`` makes it anew; a test fails when it is out of date.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from edgeau._system.atomic_file import write_whole
from edgeau._system.command import DONE, CommandParser, run
from edgeau.errors import UsageError
from edgeau_export.profiling.model_profile import ModelProfile, as_document, profile_from

__all__ = ["FILE", "zoo_names", "zoo_profile"]

FILE = "zoo.json"
_NAME = "edgeau_export.profiling.zoo"


@cache
def _packaged() -> dict[str, dict[str, Any]]:
    text = (files("edgeau_export.profiling") / FILE).read_text("utf-8")
    return {document["name"]: document for document in json.loads(text)}


def zoo_names() -> tuple[str, ...]:
    """The networks that there are, in alphabetical order."""
    return tuple(sorted(_packaged()))


def zoo_profile(name: str) -> ModelProfile:
    """The packaged profile of a network of the zoo.

    Raises:
        UsageError: the name is not known; the known ones are listed.
    """
    if name not in _packaged():
        raise UsageError(f"network {name!r} is not known; known networks: {', '.join(zoo_names())}")
    return profile_from(_packaged()[name], f"{FILE}: {name}")


def _body(argv: Sequence[str] | None) -> int:
    from edgeau_export.profiling.from_network import profile_of_zoo
    from edgeau_training.networks.catalogue import CATALOGUE

    parser = CommandParser(
        f"python -m {_NAME}", "Count every network of the zoo.", f"python -m {_NAME} --write"
    )
    parser.add_argument("--write", action="store_true", help=f"write {FILE} beside this module")
    arguments = parser.parse_args(argv)
    profiles = [profile_of_zoo(name) for name in sorted(CATALOGUE)]
    if arguments.write:
        # One line a layer, so that a change can be read in a comparison of versions.
        write_whole(Path(str(files("edgeau_export.profiling") / FILE)), _text(profiles).encode())
    for profile in profiles:
        print(f"{profile.name:15} {profile.parameters:12,} parameters {profile.macs:15,} MACs")
    return DONE


def _text(profiles: Sequence[ModelProfile]) -> str:
    return "[\n" + ",\n".join(_entry(as_document(profile)) for profile in profiles) + "\n]\n"


def _entry(document: dict[str, Any]) -> str:
    layers = document.pop("layers")
    head = json.dumps(document)[:-1]
    return head + ', "layers": [\n' + ",\n".join(f"  {json.dumps(layer)}" for layer in layers) + "\n]}"


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    return run(_NAME, _body, argv)


if __name__ == "__main__":
    sys.exit(main())
