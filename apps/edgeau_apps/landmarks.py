"""``edgeau-landmarks``: the face landmark networks of this machine, and the one way to download them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgeau._system.command import DONE, CommandParser, print_json, run
from edgeau._system.records import to_dict
from edgeau.bundle import bundle_folder, load_bundle
from edgeau.errors import EdgeauError, UsageError, UserError
from edgeau.faces.landmarks import official_task, task_download, wheel_networks
from edgeau.faces.landmarks.mediapipe_models import (
    ADVICE,
    ENVIRONMENT,
    cached_models,
    installed_models,
    read_models,
)

__all__ = ["main"]

_NAME = "edgeau-landmarks"


@dataclass(frozen=True)
class _Place:
    """A place where networks may be.

    Attributes:
        where: what kind of place it is.
        path: its path, "" where there is none.
        points: how many points a face gets; None where there are no networks.
        source: what they were taken from.
        licence: theirs.
        sha256: SHA-256 of each file, hex.
        fault: why they cannot be used.
    """

    where: str
    path: str = ""
    points: int | None = None
    source: str = ""
    licence: str = ""
    sha256: dict[str, str] | None = None
    fault: str = ""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run(_NAME, _body, argv)


def _body(argv: Sequence[str] | None) -> int:
    arguments = _parser().parse_args(argv)
    if arguments.url is not None and arguments.fetch != "google":
        raise UsageError(
            "--url says where --fetch google downloads from; give --fetch too, or leave --url out"
        )
    if arguments.fetch == "google":
        task_download.fetch(official_task.URL if arguments.url is None else arguments.url)
    elif arguments.fetch == "pip":
        wheel_networks.fetch()
    places = _places(arguments.bundle)
    there = [place for place in places if place.points is not None]
    if arguments.json:
        document: dict[str, Any] = {"places": to_dict(places), "used": there[0].where if there else None}
        print_json(document)
    else:
        print("\n".join(line for place in places for line in _lines(place)))
        print(f"used: {there[0].where}" if there else f"there are none; {ADVICE}")
    return DONE if there else UserError.exit_code


def _parser() -> CommandParser:
    parser = CommandParser(
        _NAME,
        "List the face landmark networks of this machine (MediaPipe's, Apache-2.0), in the order in which they are "
        "used. Nothing is downloaded unless --fetch is given.",
        f"{_NAME} --fetch",
    )
    parser.add_argument("--bundle", metavar="NAME|DIR", help="also list the networks of this bundle")
    parser.add_argument(
        "--fetch",
        nargs="?",
        const="google",
        choices=("google", "pip"),
        help="download into this user's cache, checked by SHA-256: google (the default), Google's face_landmarker.task, "
        "3.8 MB; pip, the older networks from mediapipe's wheel (36 MB, not installed), for machines that reach only a package "
        "index",
    )
    parser.add_argument(
        "--url",
        metavar="URL",
        help=f"address of a mirror of Google's file (default: {official_task.URL})",
    )
    parser.add_json()
    return parser


def _places(bundle: str | None) -> list[_Place]:
    """In the order in which they are used."""
    named = os.environ.get(ENVIRONMENT)
    places = [_looked_at(ENVIRONMENT, Path(named) if named else None)]
    if bundle is not None:
        opened = load_bundle(bundle_folder(bundle))
        place, networks = _looked_at(f"bundle {bundle}", opened.landmark_networks), opened.manifest.landmarks
        # Of a bundle's folder the manifest knows what it was taken from.
        places.append(replace(place, source=networks.source) if networks and not place.fault else place)
    return [*places, _looked_at("mediapipe", installed_models()), _looked_at("cache", cached_models())]


def _looked_at(where: str, path: Path | None) -> _Place:
    if path is None:
        return _Place(where)
    try:
        models = read_models(path)
    except EdgeauError as error:
        return _Place(where, str(path), fault=str(error))
    digests = {file.file: hashlib.sha256(file.content).hexdigest() for file in (models.detector, models.mesh)}
    return _Place(where, str(path), models.points, models.source, official_task.LICENCE, digests)


def _lines(place: _Place) -> list[str]:
    if place.fault:
        return [f"{place.where}: {place.fault}"]
    if place.points is None:
        return [f"{place.where}: none"]
    lines = [
        f"{place.where}: {place.points} points, {place.source}",
        f"    {place.path}",
        f"    {place.licence}",
    ]
    return lines + [f"    {name} SHA-256 {digest}" for name, digest in (place.sha256 or {}).items()]


if __name__ == "__main__":
    raise SystemExit(main())
