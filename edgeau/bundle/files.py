"""The files of a bundle: their records, and whether they are still as recorded."""

from __future__ import annotations

from pathlib import Path

from edgeau._system.file_digest import file_digest
from edgeau.bundle.manifest import FileRecord
from edgeau.errors import BundleError

__all__ = [
    "GOLDEN",
    "MANIFEST",
    "OWN_FILES",
    "REPORT_HTML",
    "REPORT_JSON",
    "REPORT_MD",
    "SIGNATURE",
    "TIMES",
    "record_of",
    "records_under",
    "verify",
]

MANIFEST = "manifest.json"
GOLDEN = "golden.npz"
REPORT_MD, REPORT_HTML, REPORT_JSON = "report.md", "report.html", "report.json"

# Times that an export measured: apart, and not listed in the manifest, so that exporting twice gives the same bytes.
TIMES = "times.json"

# Written last: it holds the digest of every other file.
SIGNATURE = "model.sig"

# Names that no artifact may take.
OWN_FILES = (MANIFEST, GOLDEN, REPORT_MD, REPORT_HTML, REPORT_JSON, TIMES, SIGNATURE)


def record_of(directory: Path, name: str) -> FileRecord:
    """Size and SHA-256 of one file of a bundle.

    Args:
        directory: directory of the bundle.
        name: path relative to it, with forward slashes.
    """
    path = directory / name
    return FileRecord(file=name, bytes=path.stat().st_size, sha256=file_digest(path))


def records_under(directory: Path) -> tuple[FileRecord, ...]:
    """Records of every file below a directory but the manifest, measured times and the signature, by name."""
    files = (path for path in directory.rglob("*") if path.is_file())
    names = sorted(path.relative_to(directory).as_posix() for path in files)
    return tuple(record_of(directory, name) for name in names if name not in (MANIFEST, TIMES, SIGNATURE))


def verify(directory: Path, record: FileRecord) -> None:
    """Check one file against its record.

    Raises:
        BundleError: it is missing or has changed.
    """
    path = directory / record.file
    advice = "copy the bundle again, or export it again"
    try:
        if not path.is_file():
            raise BundleError(f"bundle {directory}: file {record.file} is missing; {advice}")
        size = path.stat().st_size
        if size != record.bytes:
            raise BundleError(
                f"bundle {directory}: {record.file} has {size} bytes, not {record.bytes}; {advice}"
            )
        digest = file_digest(path)
    except OSError as error:  # a name that is too long, a file of another user, a damaged disk
        raise BundleError(
            f"bundle {directory}: {record.file} cannot be read ({error.strerror}); {advice}"
        ) from error
    if digest != record.sha256:
        raise BundleError(
            f"bundle {directory}: {record.file} has changed since it was made (SHA-256); {advice}"
        )
