"""Identity of a network: what two bundles must share so that logits of one mean the same in the other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgeau._system.records import to_dict
from edgeau.bundle.external_data import external_files
from edgeau.bundle.manifest import Artifact, Manifest
from edgeau.runtimes.precision import PRECISIONS

__all__ = ["NetworkIdentity", "network_identity"]


@dataclass(frozen=True)
class NetworkIdentity:
    """A network with its weights.

    Attributes:
        name: name of the network, as in the manifest.
        digest: digest of its float files, labels, input and crop: the first 16 hex digits of a SHA-256.
    """

    name: str
    digest: str


def network_identity(manifest: Manifest, directory: Path) -> NetworkIdentity:
    """Identify the network of a verified bundle: one identity for all of its artifacts, another one for other weights.

    INT8 files answer almost as the float files that they were made from, so the float files stand for all. In a bundle without
    float files, the others do. Thresholds and fusion do not count, and neither does the order of the artifacts, which
    ``edgeau finish`` changes.

    Args:
        manifest: of the bundle.
        directory: where the bundle lies.
    """
    standing = [item for item in manifest.artifacts if PRECISIONS[item.precision].is_float]
    digests = {record.file: record.sha256 for record in manifest.files}
    content = {
        "files": sorted(
            [digests[file], item.answers]
            for item in standing or manifest.artifacts
            for file in _files(item, directory)
        ),
        "labels": manifest.labels,
        "input": to_dict(manifest.input),
        "alignment": to_dict(manifest.alignment),
    }
    text = json.dumps(content, sort_keys=True)
    return NetworkIdentity(manifest.network.name, hashlib.sha256(text.encode()).hexdigest()[:16])


def _files(artifact: Artifact, directory: Path) -> Iterator[str]:
    """The files that the weights of an artifact lie in: itself, and those that an ONNX graph names."""
    yield artifact.file
    if artifact.file.endswith(".onnx"):
        for name in external_files(directory / artifact.file):
            yield (Path(artifact.file).parent / name).as_posix()
