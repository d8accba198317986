"""The page around a bundle: a bundle's folder becomes a web site that runs it.

The page (``web/src``, built) reads the bundle as any runtime does: ``manifest.json`` first, each file against its SHA-256, golden
answers before anything is shown. Its service worker keeps the whole folder on the viewer's device.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from importlib.resources import files
from pathlib import Path

from edgeau.bundle.files import MANIFEST, REPORT_HTML, REPORT_JSON, REPORT_MD, TIMES
from edgeau.bundle.manifest import Manifest
from edgeau.errors import UsageError
from edgeau.faces.alignment import Alignment, WholePicture
from edgeau.faces.landmarks.mediapipe_models import ADVICE, LandmarkModels

__all__ = ["check_site", "write_site"]

_RUNTIME = "litert"
_SERVICE_WORKER = "sw.js"
_CLIP = "clip.webm"
_NOTICE = (
    "LiteRT.js 2.5.3 (@litertjs/core), unchanged: LiteRT for WebAssembly with XNNPACK's kernels, once with relaxed SIMD and once with "
    "plain SIMD.\nCopyright Google LLC. Licensed under the Apache License, Version 2.0, which follows.\n\n"
)
# What the page does not read.
_NOT_KEPT = (REPORT_HTML, REPORT_JSON, REPORT_MD, TIMES, _SERVICE_WORKER)


def check_site(networks: LandmarkModels | None, alignment: Alignment | None = None) -> None:
    """Refuse what a page could not show, before any work.

    Args:
        networks: face landmark networks of the bundle; a page has no others.
        alignment: alignment of the network, once it is known.

    Raises:
        UsageError: there are no landmark networks, or the page has no such alignment.
    """
    if networks is None:
        raise UsageError(
            f"a web page needs face landmark networks, and the bundle would have none; {ADVICE}, or give --landmarks FILE"
        )
    if isinstance(alignment, WholePicture):
        raise UsageError(
            'the network sees whole pictures (alignment "none"), which the web page does not; it has five-points, box and edgeau\'s own'
        )


def write_site(directory: Path, manifest: Manifest) -> None:
    """Write page, runtime, sample clip and service worker beside a bundle's files.

    Args:
        directory: directory of the bundle, complete but for its manifest.
        manifest: manifest of the bundle; its ``files`` are not looked at.
    """
    package = files("edgeau_export") / "web"
    for entry in (package / "page").iterdir():
        (directory / entry.name).write_bytes(entry.read_bytes())
    _unpack((package / "litert.tar.xz").read_bytes(), directory / _RUNTIME)
    (directory / _CLIP).write_bytes((package / _CLIP).read_bytes())
    _write_service_worker(directory / _SERVICE_WORKER, directory, manifest)


def _unpack(archive: bytes, folder: Path) -> None:
    folder.mkdir()
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:xz") as packed:
        for entry in packed.getmembers():
            content = packed.extractfile(entry)
            assert content is not None, entry.name  # the archive is ours, and holds files alone
            (folder / Path(entry.name).name).write_bytes(content.read())
    licence = (files("edgeau") / "assets" / "apache-2.0.txt").read_text("utf-8")
    (folder / "NOTICE.txt").write_text(_NOTICE + licence, encoding="utf-8")


def _write_service_worker(file: Path, directory: Path, manifest: Manifest) -> None:
    """Say what is kept before the code: another export is another text, which a browser notices."""
    contents = {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }
    version = hashlib.sha256(json.dumps(manifest.to_dict(), sort_keys=True).encode())
    for name in sorted(contents):
        version.update(f"{name} {hashlib.sha256(contents[name]).hexdigest()}\n".encode())
    used = [name for name in sorted(contents) if name.startswith(f"{_RUNTIME}/")]
    kept = [name for name in sorted(contents) if name not in (*_NOT_KEPT, *used)]
    said = {"version": version.hexdigest()[:16], "files": [*kept, MANIFEST], "whenUsed": used}
    code = file.read_text("utf-8")
    file.write_text(f"self.EDGEAU = {json.dumps(said)};\n{code}", encoding="utf-8")
