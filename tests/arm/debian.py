"""Debian packages, downloaded and unpacked without installing anything on this machine.

Needs ``apt-get``, ``dpkg`` and Debian's archive keyring; no rights beyond writing to a folder.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from tests.arm.systems import System

_MIRROR = "http://deb.debian.org/debian"
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# Since Debian 13 packages hold these folders below /usr only; an installed system links to them.
_MERGED = ("bin", "lib", "sbin")


def unpack_arm_root(system: System, place: Path) -> Path:
    """A Debian for arm64 with its Python.

    Args:
        system: which release.
        place: a folder of ours; nothing is downloaded when the root is there already.

    Returns:
        The root folder.
    """
    root = place / "root"
    if (place / "root.done").exists():
        return root
    if not _KEYRING.is_file():
        raise SystemExit(f"{_KEYRING} is missing: apt-get install debian-archive-keyring")
    shutil.rmtree(root, ignore_errors=True)
    apt = _private_apt(place / "apt", system.name)
    _run("apt-get", *apt, "update")
    _run("apt-get", *apt, "install", "--yes", "--download-only", "--no-install-recommends", *system.packages)
    _unpack(place / "apt" / "cache" / "archives", root)
    for name in _MERGED:
        if not (root / name).exists() and (root / "usr" / name).is_dir():
            (root / name).symlink_to(f"usr/{name}")
    (place / "root.done").touch()
    return root


def find_qemu(place: Path) -> tuple[Path, Path | None]:
    """The emulator: the installed one, or one that is downloaded.

    Args:
        place: a folder of ours.

    Returns:
        ``qemu-aarch64``, and a folder of libraries that it needs beside the system's, or None.
    """
    installed = shutil.which("qemu-aarch64")
    if installed:
        return Path(installed), None
    root, archives = place / "qemu", place / "qemu-archives"
    if not (root / "usr/bin/qemu-aarch64").exists():
        (archives / "partial").mkdir(parents=True, exist_ok=True)
        options = ("-o", f"Dir::Cache::archives={archives}", "-o", "Debug::NoLocking=1")
        _run(
            "apt-get",
            *options,
            "install",
            "--yes",
            "--download-only",
            "--no-install-recommends",
            "qemu-user",
        )
        _unpack(archives, root)
    (libraries,) = (root / "usr/lib").glob("*-linux-gnu")
    return root / "usr/bin/qemu-aarch64", libraries


def _private_apt(place: Path, release: str) -> list[str]:
    """Options that keep apt away from this machine's own lists, state and architecture."""
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (place / folder).mkdir(parents=True, exist_ok=True)
    (place / "status").touch()
    (place / "sources.list").write_text(f"deb [signed-by={_KEYRING}] {_mirror()} {release} main\n")
    settings = {
        "Dir::State": place / "state",
        "Dir::State::status": place / "status",
        "Dir::Cache": place / "cache",
        "Dir::Etc::SourceList": place / "sources.list",
        "Dir::Etc::SourceParts": "-",
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        "APT::Sandbox::User": "root",
        "Debug::NoLocking": "1",
    }
    return [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]


def _mirror() -> str:
    """The Debian mirror that this machine uses, or Debian's own."""
    parts = Path("/etc/apt/sources.list.d")
    files = [Path("/etc/apt/sources.list"), *parts.glob("*.list"), *parts.glob("*.sources")]
    text = "\n".join(file.read_text() for file in files if file.is_file())
    found = re.search(r"^(?:deb |URIs:)[^#\n]*?(https?://\S+/debian)/?(?:\s|$)", text, re.MULTILINE)
    return found.group(1) if found else _MIRROR


def _unpack(archives: Path, root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    for package in sorted(archives.glob("*.deb")):
        _run("dpkg", "-x", str(package), str(root))


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
