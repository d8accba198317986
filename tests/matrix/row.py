"""One row of the matrix: an empty environment, the wheel with one extra, and everything that a user does first."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Row", "run_row"]

_SIX_LINES = """
import sys
from edgeau import Pipeline, open_source
with Pipeline.load(sys.argv[1]) as pipeline, open_source("clip") as source:
    for result in pipeline.stream(source):
        for face in result.faces:
            smile = face.aus["AU12"]
            print(result.index, face.track_id, smile.probability, smile.active, smile.reason)
"""
_ROWS_OF_THE_CLIP = 175


@dataclass
class Row:
    """What came of it: seconds a step, "" where it was not asked for; ``fault`` is the first thing that went wrong."""

    python: str
    extra: str
    fault: str = ""
    megabytes: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    def cell(self, step: str) -> str:
        return f"{self.seconds[step]:.0f} s" if step in self.seconds else ""


def run_row(
    python: str, version: str, extra: str, wheel: Path, bundle: Path, picture: Path, folder: Path
) -> Row:
    """Install and try.

    Args:
        python: interpreter that makes the environment.
        version: of it, for the table.
        extra: of edgeau.
        wheel: of edgeau.
        bundle: exported with landmark networks.
        picture: with one face.
        folder: empty; the environment and what the programs write go there.
    """
    row = Row(version, extra)
    programs = folder / "env" / "bin"
    # Nothing of this environment: no EDGEAU_LANDMARK_MODELS, no cache, no PYTHONPATH.
    keep = ("PATH", "PIP_CONFIG_FILE", "PIP_INDEX_URL", "SSL_CERT_FILE", "LANG")
    environment = {name: os.environ[name] for name in keep if name in os.environ} | {"HOME": str(folder)}
    pip_config = Path.home() / ".config" / "pip" / "pip.conf"
    if "PIP_CONFIG_FILE" not in environment and pip_config.is_file():
        environment["PIP_CONFIG_FILE"] = str(pip_config)

    def step(
        name: str,
        *command: str | Path,
        codes: tuple[int, ...] = (0,),
        settings: Mapping[str, str] | None = None,
    ) -> str:
        began = time.monotonic()
        done = subprocess.run(
            [str(part) for part in command],
            cwd=folder,
            env={**environment, **(settings or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        row.seconds[name] = time.monotonic() - began
        if done.returncode not in codes or "Traceback" in done.stderr:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()
            raise RuntimeError(f"{name}: exit code {done.returncode}: {said[-1] if said else 'silent'}")
        return done.stdout

    def require(right: bool, fault: str) -> None:
        if not right:
            raise RuntimeError(fault)

    try:
        step("environment", python, "-m", "venv", folder / "env")
        step("install", programs / "pip", "install", "--quiet", f"{wheel}[{extra}]")
        row.megabytes = _megabytes(folder / "env")
        step("pip check", programs / "pip", "check")
        doctor = json.loads(step("doctor", programs / "edgeau-doctor", bundle, "--json", codes=(0, 1)))
        problems = [f["says"] for f in doctor["findings"] if f["level"] == "problem"]
        require(not problems, f"doctor: {problems[:1]}")
        step("analyze", programs / "edgeau-analyze", "clip", picture, "--bundle", bundle, "--out", "out")
        rows = len((folder / "out" / "clip.csv").read_text().splitlines()) - 1
        faces = len((folder / "out" / f"{picture.stem}.csv").read_text().splitlines()) - 1
        right = (rows, faces) == (_ROWS_OF_THE_CLIP, 1)
        require(right, f"analyze: {rows} rows of the clip and {faces} of the picture")
        printed = step("six lines", programs / "python", "-c", _SIX_LINES, bundle)
        seen = len(printed.splitlines())
        require(seen == _ROWS_OF_THE_CLIP, f"six lines: {seen} faces in the clip")
        networks = bundle / "landmarks"
        # The packaged default in the engine that the extra is named after, whatever else is there.
        asked = () if extra == "export" else ("--artifact", extra)
        analyze = (programs / "edgeau-analyze", "clip", *asked, "--out", "default")
        step("default", *analyze, settings={"EDGEAU_LANDMARK_MODELS": str(networks)})
        rows = len((folder / "default" / "clip.csv").read_text().splitlines()) - 1
        require(rows == _ROWS_OF_THE_CLIP, f"packaged default: {rows} rows of the clip")
        if extra == "export":
            arguments = ("--target", "cpu", "--landmarks", networks, "--out", "made")
            step("export", programs / "edgeau-export", *arguments)
    except (RuntimeError, OSError, ValueError) as error:
        row.fault = " ".join(str(error).split())
    return row


def _megabytes(folder: Path) -> int:
    return round(sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6)
