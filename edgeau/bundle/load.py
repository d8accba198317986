"""A bundle on disk, verified."""

from __future__ import annotations

import hashlib
import math
import os
import stat
import unicodedata
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgeau._system.did_you_mean import did_you_mean
from edgeau._system.json_text import parse_json
from edgeau._system.processor import usable_processors
from edgeau.bundle.checks import check_manifest
from edgeau.bundle.external_data import external_files
from edgeau.bundle.files import MANIFEST, verify
from edgeau.bundle.manifest import Artifact, FileRecord, Manifest
from edgeau.bundle.network_identity import NetworkIdentity, network_identity
from edgeau.bundle.packaged import PACKAGED
from edgeau.bundle.signature.policy import SignaturePolicy
from edgeau.errors import BundleError, EngineError
from edgeau.runtimes.table import runtimes

__all__ = ["Bundle", "load_bundle"]

_MOST = 16 << 20  # bytes of a manifest: the largest has 40 KB


@dataclass(frozen=True)
class Bundle:
    """A verified bundle.

    Attributes:
        directory: where it lies.
        manifest: what it says.
        digest: SHA-256 of the manifest file, hex; since the manifest holds every other digest, it stands for the whole.
    """

    directory: Path
    manifest: Manifest
    digest: str

    def path(self, name: str) -> Path:
        """Place of one of its files."""
        return self.directory / name

    @property
    def network_identity(self) -> NetworkIdentity:
        """Name and weights of the network, which a neutral baseline holds for: all artifacts share them, other weights do not."""
        return network_identity(self.manifest, self.directory)

    @property
    def landmark_networks(self) -> Path | None:
        """The folder of the landmark networks that it brings; None where it brings none."""
        networks = self.manifest.landmarks
        return None if networks is None else self.path(networks.mesh).parent

    def artifacts(self, artifact: str | None = None) -> tuple[Artifact, ...]:
        """The artifacts that fit a choice, in the order in which to try them.

        Args:
            artifact: a runtime (``"onnxruntime"``), a precision (``"int8"``), both (``"onnxruntime/int8"``) or a file
                name; None for all. A file name means the file in the runtime that the manifest names.

        Returns:
            Those of the manifest, then those that another installed runtime opens as they are
            (:attr:`edgeau.runtimes.table.Runtime.opens_those_of`), unless the manifest has some for that runtime.

        Raises:
            EngineError: none fits; the message lists what there is.
        """
        others = tuple(self._in_other_runtimes())
        if artifact in {own.file for own in self.manifest.artifacts}:
            others = ()
        every = (*self.manifest.artifacts, *others)
        chosen = tuple(a for a in every if artifact is None or artifact in _selectors(a))
        if not chosen:
            have = ", ".join(f"{a.runtime}/{a.precision} ({a.file})" for a in every)
            meant = did_you_mean(str(artifact), (name for a in every for name in _selectors(a)))
            raise EngineError(
                f"bundle {self.directory} has no artifact for {artifact!r}; {meant}it has {have}"
            )
        return chosen

    def name(self, file: str, runtime: str, precision: str) -> str:
        """Name by which :meth:`artifacts` gives one artifact: its file name, in another runtime than the manifest's both names."""
        own = any((item.file, item.runtime) == (file, runtime) for item in self.manifest.artifacts)
        return file if own else f"{runtime}/{precision}"

    def _in_other_runtimes(self) -> Iterator[Artifact]:
        own = {artifact.runtime for artifact in self.manifest.artifacts}
        for row in runtimes().values():
            if row.name in own or not row.opens_those_of or not row.installed():
                continue
            for artifact in self.manifest.artifacts:
                if artifact.runtime in row.opens_those_of and artifact.precision in row.precisions:
                    yield replace(artifact, runtime=row.name)


def _selectors(artifact: Artifact) -> tuple[str, str, str, str]:
    """Give what an artifact may be asked for by."""
    both = f"{artifact.runtime}/{artifact.precision}"
    return artifact.runtime, artifact.precision, both, artifact.file


def load_bundle(path: Path | str, *, signatures: SignaturePolicy | None = None) -> Bundle:
    """Read a bundle and verify every file of it, before any of them is opened.

    Args:
        path: its folder.
        signatures: what is asked of its signature; None asks what the environment says (``EDGEAU_SIGNATURES``, ``EDGEAU_TRUST``), and
            without it nothing.

    Raises:
        BundleError: there is none, it is newer than this library, a file is missing or was changed, an ONNX file reads weights
            from a file that the manifest does not list, or the signature that is required is missing or wrong.
        DependencyError: a signature is asked for, and cryptography is not installed.
        OutputError: a signature is required, and there is no room for the copy that is then read.
        UsageError: what the environment says of signatures does not fit.
    """
    directory = Path(path)
    _read_manifest(directory)  # what is not a bundle is said first
    directory = (signatures or SignaturePolicy.of()).apply(directory)
    text = _read_manifest(directory)
    where = str(directory / MANIFEST)
    values = _parse(text, where)
    manifest = Manifest.from_dict(values, where)
    _check_values(values, where)
    check_manifest(manifest, where)
    _check_files(directory, manifest)
    _check_landmark_folder(directory, manifest)
    return Bundle(directory, manifest, hashlib.sha256(text).hexdigest())


def _check_files(directory: Path, manifest: Manifest) -> None:
    """Verify every file, several at once: reading all of them takes most of the time of loading."""
    # check_manifest has compared names and runtimes.
    graphs = {artifact.file for artifact in manifest.artifacts if artifact.file.endswith(".onnx")}

    def names_in(record: FileRecord) -> list[str]:
        verify(directory, record)
        return external_files(directory / record.file) if record.file in graphs else []

    with ThreadPoolExecutor(usable_processors()) as threads:
        found = list(threads.map(names_in, manifest.files))  # the first file that was changed is said first
    for record, names in zip(manifest.files, found, strict=True):
        _check_external_data(directory, manifest, record.file, names)


def _check_external_data(directory: Path, manifest: Manifest, file: str, names: Sequence[str]) -> None:
    """Refuse weights that nobody verified: ONNX Runtime reads whatever lies beside the file under the name that it holds."""
    listed = {record.file for record in manifest.files}
    beside = Path(file).parent  # a name is relative to the file that holds it
    for name in names:
        if not name or (beside / name).as_posix() not in listed:
            raise BundleError(
                f"bundle {directory}: {file} reads weights from {name!r}, which its manifest does not list, so that "
                "nothing says whether they are right; export the bundle again, with the weights inside"
            )


def _check_landmark_folder(directory: Path, manifest: Manifest) -> None:
    """Refuse networks that nobody verified: those of faces are looked for by their names in MediaPipe, wherever these lie in the folder."""
    if manifest.landmarks is None:
        return
    listed = {directory / record.file for record in manifest.files}
    for root, folders, names in os.walk((directory / manifest.landmarks.mesh).parent):
        networks = [Path(root, name) for name in names if name.lower().endswith(".tflite")]
        links = [Path(root, name) for name in folders if Path(root, name).is_symlink()]
        for path in (*networks, *links):
            if path not in listed:
                raise BundleError(
                    f"bundle {directory}: {path.relative_to(directory)} is not listed in its manifest, and lies where the face landmark "
                    "networks are looked for; remove it, or copy the bundle again"
                )


def _check_values(values: Any, where: str) -> None:
    """Refuse what Python's JSON parser lets through: numbers that are none, and text that no terminal and no file name can hold."""
    waiting = [values]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, float) and not math.isfinite(value):
            raise BundleError(
                f"{where}: {value} is not a number; the file is damaged or was edited, export the bundle again"
            )
        elif isinstance(value, str) and any(
            unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\n\t" for letter in value
        ):
            raise BundleError(
                f"{where}: {value[:40]!a} holds control characters; the file is damaged or was edited, export the bundle again"
            )


def _read_manifest(directory: Path) -> bytes:
    if not directory.is_dir():
        exists = "is a file" if directory.exists() else "does not exist"
        raise BundleError(
            f"{directory} {exists}; {did_you_mean(str(directory), PACKAGED)}a bundle is the folder that edgeau-export --out makes"
        )
    path = directory / MANIFEST
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise BundleError(f"{path} is not a file; copy the bundle again, or export it again")
        with path.open("rb") as file:
            text = file.read(_MOST + 1)
    except FileNotFoundError:
        raise BundleError(
            f"{directory} is not a bundle: it has no {MANIFEST}; give the folder that edgeau-export --out made"
        ) from None
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}") from error
    if len(text) > _MOST:
        raise BundleError(
            f"{path} has more than {_MOST:,} bytes, which no manifest has; export the bundle again"
        )
    return text


def _parse(text: bytes, where: str) -> Any:
    try:
        return parse_json(text)
    except ValueError as error:
        raise BundleError(
            f"{where} is not JSON ({error}); copy the bundle again, or export it again"
        ) from error
