"""Builds what ``edgeau-export --target web`` copies: the page from ``web/src``, and LiteRT.js's runtime packed.

Needs Node 20.19 or later with npm: ``python web/build.py`` installs the locked packages, checks the types and writes
``export/edgeau_export/web/page/`` and ``export/edgeau_export/web/litert.tar.xz``. Both are committed, since whoever exports has no
npm; ``tests/export/web/test_build.py`` holds them to a rebuild. ``--out DIR`` writes elsewhere.
"""

from __future__ import annotations

import argparse
import io
import lzma
import os
import subprocess
import sys
import tarfile
from pathlib import Path

WEB = Path(__file__).resolve().parent
PLACE = WEB.parent / "export" / "edgeau_export" / "web"
PAGE, RUNTIME = "page", "litert.tar.xz"
# One thread, with relaxed SIMD where the browser has it and with plain SIMD elsewhere (LiteRT.js chooses).
_RUNTIME_FILES = tuple(
    f"litert_wasm_{kind}{suffix}" for kind in ("internal", "compat_internal") for suffix in (".js", ".wasm")
)


def build(out: Path) -> None:
    """Write page and runtime below a folder."""
    if not (WEB / "node_modules").is_dir():
        _run("npm", "ci", "--no-audit", "--no-fund")
    _run("npx", "tsc")
    _run("npx", "vite", "build", "--logLevel", "warn", "--outDir", os.fspath(out / PAGE))
    packed = packed_runtime(WEB / "node_modules" / "@litertjs" / "core" / "wasm")
    (out / RUNTIME).write_bytes(packed)


def packed_runtime(folder: Path) -> bytes:
    """The runtime's files as an archive; the same files give the same bytes."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(_RUNTIME_FILES):
            entry = tarfile.TarInfo(name)
            data = (folder / name).read_bytes()
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return lzma.compress(content.getvalue(), preset=9 | lzma.PRESET_EXTREME)


def _run(*command: str) -> None:
    subprocess.run(command, cwd=WEB, check=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Builds the page of edgeau-export --target web.")
    parser.add_argument("--out", type=Path, default=PLACE, help="folder (default: %(default)s)")
    out = parser.parse_args().out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    build(out)
    sys.stdout.write(f"built into {out}\n")
