"""The signed statement: the digest of every file of a folder, as in-toto has it (Model Signing v1, predicate and serialization)."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from edgeau._system.json_text import parse_json
from edgeau.bundle.files import SIGNATURE
from edgeau.errors import BundleError

__all__ = ["SignedFiles", "files_below", "payload_of", "signed_files"]

_STATEMENT = "https://in-toto.io/Statement/v1"
_PREDICATE = "https://model_signing/signature/v1.0"
_HASHES = ("sha256", "blake2b")
_HEX = re.compile(r"[0-9a-f]+")


@dataclass(frozen=True)
class SignedFiles:
    """Files of a folder as somebody signed them.

    Attributes:
        digests: by file, relative to the folder with forward slashes: the ranges of it (first byte, byte after the last; None for
            the whole) with their digests, hex.
        algorithm: name of the hash, as hashlib knows it.
        ignored: files and folders that the signature says nothing of.
    """

    digests: dict[str, tuple[tuple[tuple[int, int] | None, str], ...]]
    algorithm: str
    ignored: tuple[str, ...]

    def check(self, folder: Path) -> None:
        """Compare a folder with what was signed.

        Args:
            folder: to compare.

        Raises:
            BundleError: a file is missing, changed, a link, or was never signed.
        """
        there = {name for name in files_below(folder) if not self.is_ignored(name)}
        if odd := sorted(there - self.digests.keys()):
            raise _fault(folder, f"{odd[0]} was not signed: something was put into the bundle")
        if missing := sorted(self.digests.keys() - there):
            raise _fault(folder, f"{missing[0]} was signed and is missing")
        for name in sorted(self.digests):
            self._check_file(folder, name)

    def is_ignored(self, name: str) -> bool:
        """Tell whether the signature leaves a file out."""
        parts = PurePosixPath(name).parts
        return any(parts[: len(left.parts)] == left.parts for left in map(PurePosixPath, self.ignored))

    def _check_file(self, folder: Path, name: str) -> None:
        size = (folder / name).stat().st_size
        end = 0
        with (folder / name).open("rb") as file:
            for span, digest in self.digests[name]:
                start, stop = span or (0, size)
                if start != end or stop > size:
                    raise _fault(folder, f"{name} has changed since it was signed")
                end = stop
                hasher = hashlib.new(self.algorithm)
                left = stop - start
                while left and (piece := file.read(min(left, 1 << 20))):
                    hasher.update(piece)
                    left -= len(piece)
                if left or hasher.hexdigest() != digest:
                    raise _fault(folder, f"{name} has changed since it was signed")
        if end != size:
            raise _fault(folder, f"{name} has changed since it was signed")


def files_below(folder: Path) -> list[str]:
    """The files below a folder, relative to it with forward slashes, by name.

    Raises:
        BundleError: one is a link, or not a regular file.
    """
    found = []
    for root, folders, names in os.walk(folder):
        for name in (*names, *folders):
            path = Path(root, name)
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise _fault(
                    folder, f"{path.relative_to(folder)} is a link or no file, which cannot be signed"
                )
        found += [Path(root, name).relative_to(folder).as_posix() for name in names]
    return sorted(found)


def payload_of(folder: Path) -> bytes:
    """The statement about a folder, to be signed: every file but the signature.

    Raises:
        BundleError: the folder holds a link.
    """
    resources = []
    root = hashlib.sha256()
    for name in files_below(folder):
        if name == SIGNATURE:
            continue
        hasher = hashlib.sha256()
        with (folder / name).open("rb") as file:
            while piece := file.read(1 << 20):
                hasher.update(piece)
        root.update(hasher.digest())
        resources.append({"name": name, "algorithm": "sha256", "digest": hasher.hexdigest()})
    statement = {
        "_type": _STATEMENT,
        "subject": [{"name": "bundle", "digest": {"sha256": root.hexdigest()}}],
        "predicateType": _PREDICATE,
        "predicate": {
            "resources": resources,
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": False,
                "ignore_paths": [SIGNATURE],
            },
        },
    }
    return json.dumps(statement, indent=1).encode()


def signed_files(payload: bytes) -> SignedFiles:
    """Read a statement whose signature was verified.

    Raises:
        ValueError: it is not a statement of Model Signing v1, or contradicts itself; the message says where.
    """
    try:
        statement = parse_json(payload)
    except ValueError as error:
        raise ValueError(f"the signed statement is not JSON: {error}") from error
    try:
        return _signed_files(statement)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"the signed statement is not one of Model Signing v1: {error}") from error


def _signed_files(statement: Any) -> SignedFiles:
    if statement["_type"] != _STATEMENT:
        raise ValueError(f"the signed statement is of type {statement['_type']!r}, not {_STATEMENT}")
    if statement["predicateType"] != _PREDICATE:
        raise ValueError(f"the signed statement is about {statement['predicateType']!r}, not {_PREDICATE}")
    resources, way = statement["predicate"]["resources"], statement["predicate"]["serialization"]
    algorithm, method = way["hash_type"], way["method"]
    if algorithm not in _HASHES or method not in ("files", "shards"):
        raise ValueError(
            f"the files were hashed with {algorithm!r} by {method!r}; edgeau knows {', '.join(_HASHES)}, of files and shards"
        )
    root = hashlib.sha256()
    found: dict[str, list[tuple[tuple[int, int] | None, str]]] = {}
    for resource in resources:
        digest = resource["digest"]
        if resource["algorithm"] != algorithm or not _HEX.fullmatch(digest):
            raise ValueError(f"the digest of {resource['name']!r} is not one of {algorithm}")
        root.update(bytes.fromhex(digest))
        name, span = _place(resource["name"], sharded=method == "shards")
        if span is None and name in found:
            raise ValueError(f"the signed statement lists {name!r} twice")
        found.setdefault(name, []).append((span, digest))
    (subject,) = statement["subject"]
    if subject["digest"].get("sha256") != root.hexdigest():
        raise ValueError("the digest of the whole is not that of the files")
    digests = {name: tuple(sorted(spans, key=lambda one: one[0] or (0, 0))) for name, spans in found.items()}
    return SignedFiles(digests, algorithm, (*way.get("ignore_paths", ()), SIGNATURE))


def _place(name: str, *, sharded: bool) -> tuple[str, tuple[int, int] | None]:
    span = None
    if sharded:
        name, start, stop = name.rsplit(":", 2)
        span = int(start), int(stop)
        if not 0 <= span[0] <= span[1]:
            raise ValueError(f"the signed range {start}:{stop} of {name!r} is empty or negative")
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or path.as_posix() != name:
        raise ValueError(f"the signed name {name!r} is not a path inside the bundle")
    return name, span


def _fault(folder: Path, what: str) -> BundleError:
    return BundleError(f"bundle {folder}: {what}; copy the bundle again from a source that you trust")
