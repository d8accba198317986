"""Writing a bundle, whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgeau.bundle.checks import check_manifest
from edgeau.bundle.files import MANIFEST, records_under
from edgeau.bundle.manifest import Manifest
from edgeau.errors import OutputError

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["BundleWriter"]


class BundleWriter:
    """Collects the files of a bundle beside its final place and moves them there at the end.

    Used in ``with``::

        with BundleWriter(out) as writer:
            (writer.directory / "model.onnx").write_bytes(...)
            writer.finish(manifest)        # files=() there: they are recorded here

    When the block ends without an error the bundle stands in place. Any error, Ctrl-C included, leaves the place as it
    was. A bundle that is there already is replaced; a folder that is something else is refused before any work.

    Args:
        out: the bundle's final place; parents are made.

    Attributes:
        directory: where to write the files until then; there from the start of the block.

    Raises:
        OutputError: the place is taken by something that is not a bundle, or (at the start of the block) cannot be
            written to.
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

    def __enter__(self) -> Self:
        try:
            self._out.parent.mkdir(parents=True, exist_ok=True)
            partial = tempfile.mkdtemp(prefix=f".{self._out.name}.", suffix=".partial", dir=self._out.parent)
        except OSError as error:
            raise OutputError(f"cannot write a bundle to {self._out}: {error.strerror}") from error
        self.directory = Path(partial)
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
            shutil.rmtree(self.directory, ignore_errors=True)

    def _move_into_place(self) -> None:
        umask = os.umask(0)
        os.umask(umask)
        self.directory.chmod(0o777 & ~umask)  # mkdtemp makes folders that only their owner can read
        _check_place(self._out)  # hours may have passed
        try:
            if self._out.exists() and any(self._out.iterdir()):
                _swap(self.directory, self._out)
            else:
                self.directory.rename(self._out)
        except OSError as error:
            raise OutputError(f"cannot move the bundle to {self._out}: {error.strerror}") from error


def _check_place(out: Path) -> None:
    if not out.exists():
        return
    if not out.is_dir():
        raise OutputError(f"{out} is a file; a bundle is a folder: give another --out")
    if any(out.iterdir()) and not (out / MANIFEST).is_file():
        raise OutputError(
            f"{out} is not empty and is not a bundle, so it is not replaced: give another --out"
        )


def _swap(new: Path, place: Path) -> None:
    """Put ``new`` into ``place`` and delete what was there; an interrupt in between brings the old one back."""
    old = new.with_suffix(".old")
    try:
        place.rename(old)
        new.rename(place)
    except BaseException:
        if old.exists() and not place.exists():
            old.rename(place)
        raise
    finally:
        if place.exists():
            shutil.rmtree(old, ignore_errors=True)
