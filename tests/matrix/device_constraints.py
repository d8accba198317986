"""Write ``constraints-device.txt``: what a device installs, each version with the SHA-256 of its wheels, for aarch64 and x86-64.

    python tests/matrix/device_constraints.py

Versions are those of ``constraints.txt``; pip resolves the rest and says the digests. Nothing is installed.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from packaging.markers import Marker

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
MACHINES = ("aarch64", "x86_64")
# The packages of edgeau[onnxruntime,web,mqtt,signing], which brings LiteRT: engines, page, messages, signatures.
WANTED = (
    "numpy",
    "opencv-python",
    "ai-edge-litert",
    "tqdm",
    "onnxruntime",
    "aiohttp",
    "paho-mqtt",
    "cryptography",
)
_HEAD = """# What a device installs, with the SHA-256 of every wheel; tests/matrix/device_constraints.py writes it.
#   pip install --require-hashes --only-binary :all: -r constraints-device.txt && pip install --no-deps edgeau-*.whl
"""


def constraints(python: str, machine: str) -> str:
    """Lines of ``constraints.txt`` that hold there."""
    where = {"python_version": python, "python_full_version": f"{python}.0", "platform_machine": machine}
    kept = []
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        requirement, _, marker = line.partition(";")
        if (
            requirement
            and not requirement.startswith("#")
            and (not marker or Marker(marker.strip()).evaluate(where))
        ):
            kept.append(requirement.strip())
    return "\n".join(kept)


def resolved(python: str, machine: str, folder: Path) -> dict[str, tuple[str, str]]:
    """Version and digest of each package."""
    (folder / "c.txt").write_text(constraints(python, machine))
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in (34, 28, 27)] + [f"manylinux2014_{machine}"]
    report = folder / "report.json"
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--dry-run",
        "--ignore-installed",
        "--only-binary=:all:",
        "--target",
        str(folder / "x"),
    ]
    command += [word for platform in platforms for word in ("--platform", platform)]
    command += ["--python-version", python, "-c", str(folder / "c.txt"), "--report", str(report), *WANTED]
    subprocess.run(command, check=True)
    return {
        re.sub(r"[-_.]+", "-", one["metadata"]["name"]).lower(): (
            one["metadata"]["version"],
            one["download_info"]["archive_info"]["hashes"]["sha256"],
        )
        for one in json.loads(report.read_text())["install"]
    }


def main() -> None:
    found: dict[str, dict[str, dict[str, set[str]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(set))
    )
    with tempfile.TemporaryDirectory() as folder:
        for python in PYTHONS:
            for machine in MACHINES:
                for name, (version, digest) in resolved(python, machine, Path(folder)).items():
                    found[name][version][python].add(digest)
    lines = [_HEAD]
    for name, versions in sorted(found.items()):
        everywhere = len(versions) == 1 and set(*(set(one) for one in versions.values())) == set(PYTHONS)
        for version, pythons in versions.items():
            marker = (
                ""
                if everywhere
                else f" ; {' or '.join(f'python_version == {python!r}' for python in pythons)}"
            )
            digests = sorted(set().union(*pythons.values()))
            lines.append(
                f"{name}=={version}{marker} \\\n"
                + " \\\n".join(f"    --hash=sha256:{digest}" for digest in digests)
                + "\n"
            )
    (ROOT / "constraints-device.txt").write_text("".join(lines))


if __name__ == "__main__":
    main()
