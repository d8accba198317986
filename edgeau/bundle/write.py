"""Writing a bundle, whole or not at all."""

from __future__ import annotations

import errno
import json
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from edgeau._system.atomic_folder import AtomicFolder
from edgeau._system.json_text import parse_json
from edgeau.bundle.checks import check_manifest
from edgeau.bundle.files import MANIFEST, OWN_FILES, records_under
from edgeau.bundle.manifest import Manifest
from edgeau.errors import OutputError

__all__ = ["BundleWriter"]

# A full disk, a full quota, a file that may not grow: the user's to fix, where any other OSError would be our bug.
# Files that a system puts into any folder that somebody looks at.
_LITTER = (".DS_Store", "Thumbs.db", "desktop.ini")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class BundleWriter:
    """Collects the files of a bundle beside its final place and moves them there at the end.

    Used in ``with``::

        with BundleWriter(out) as writer:
            (writer.directory / "model.onnx").write_bytes(...)
            writer.finish(manifest)        # files=() there: they are recorded here

    When the block ends without an error the bundle stands in place. Any error, Ctrl-C included, leaves the place as it
    was. A bundle that is there already is replaced; a folder that is something else, or a bundle in which somebody keeps other
    files, is refused before any work.

    Args:
        out: the bundle's final place; parents are made.

    Attributes:
        directory: where to write the files until then; there from the start of the block.

    Raises:
        OutputError: the place is taken by something that is not a bundle alone, (at the start of the block) cannot be
            written to, or (in the block) the disk is full.
    """

    def __init__(self, out: Path | str) -> None:
        self._out = Path(out).resolve()
        self._finished = False
        _check_place(self._out)
        self.directory: Path

    def finish(self, manifest: Manifest) -> Manifest:
        """Record every file in :attr:`directory` and write the manifest.

        Args:
            manifest: its ``files`` are replaced by what is there.

        Returns:
            The manifest as written.

        Raises:
            BundleError: the manifest contradicts itself or the files.
        """
        manifest = replace(manifest, files=records_under(self.directory))
        check_manifest(manifest)
        text = json.dumps(manifest.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
        (self.directory / MANIFEST).write_text(text + "\n", encoding="utf-8")
        self._finished = True
        return manifest

    def __enter__(self) -> BundleWriter:  # noqa: PYI034 - Self is in typing from Python 3.11 on
        try:
            self._folder = AtomicFolder(self._out)
        except OSError as error:
            raise OutputError(f"cannot write a bundle to {self._out}: {error.strerror}") from error
        self.directory = self._folder.path
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                if not self._finished:
                    raise RuntimeError("finish(manifest) was not called")
                self._move_into_place()
        finally:
            self._folder.close()
        if isinstance(error, OSError) and error.errno in _FULL:
            raise OutputError(f"{self._out} cannot be written: {error.strerror}; nothing was left") from error

    def _move_into_place(self) -> None:
        _check_place(self._out)  # hours may have passed
        try:
            self._folder.commit()
        except OSError as error:
            raise OutputError(f"cannot move the bundle to {self._out}: {error.strerror}") from error


def _check_place(out: Path) -> None:
    if not out.exists():
        return
    if not out.is_dir():
        raise OutputError(f"{out} is a file; a bundle is a folder: give another --out")
    there = {path.relative_to(out).as_posix() for path in out.rglob("*") if not path.is_dir()}
    if not any(out.iterdir()):
        return
    own = _files_of_bundle(out / MANIFEST)
    if own is None:
        raise OutputError(
            f"{out} is not empty and is not a bundle, so it is not replaced: give another --out"
        )
    others = sorted(name for name in there - own if name.rpartition("/")[2] not in _LITTER)
    if others:
        raise OutputError(
            f"{out} is a bundle, and holds {others[0]}{f' and {len(others) - 1} more' * (len(others) > 1)}, which would be lost if it "
            "were replaced: give another --out, or remove what is not the bundle's"
        )


def _files_of_bundle(manifest: Path) -> set[str] | None:
    """The files that may lie in a bundle; None where this is the manifest of something else, such as a web page's.

    Read without the checks of :func:`edgeau.bundle.load.load_bundle`: a damaged bundle, or one of another version, may be replaced.
    """
    try:
        values = parse_json(manifest.read_bytes())
        if not {"edgeau_version", "artifacts", "files"} <= values.keys():
            return None
        return {str(record["file"]) for record in values["files"]} | set(OWN_FILES)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
