"""The demo of ``make demo``: export the default model for this machine, analyze a sample, say where everything is.

Needs the extra ``export`` and face landmark networks. Where this machine has none they are downloaded, shown as the commands that do
it: Google's file, or else, where Google cannot be reached, the older ones out of mediapipe's wheel, which is not installed.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

OUT = Path("demo")
BUNDLE = OUT / "bundle"
RESULTS = OUT / "results"
# NASA's portrait of Eileen Collins, public domain.
PICTURE = Path("docs") / "portrait.jpg"


def shown(*words: str | Path) -> int:
    """Show a command, run it, return its exit code."""
    texts = [str(word) for word in words]
    print("$ " + " ".join([Path(texts[0]).name, *texts[1:]]), flush=True)
    return subprocess.run(texts, check=False).returncode


def edgeau(name: str) -> Path:
    """A program of this environment."""
    return Path(sys.executable).with_name(f"edgeau-{name}")


def fetch_landmarks() -> None:
    """Landmark networks, unless this machine has some."""
    program = edgeau("landmarks")
    if shown(program) and shown(program, "--fetch") and shown(program, "--fetch", "pip"):
        sys.exit("no landmark networks can be had: see the messages above")


def main() -> None:
    """Three commands, and where to look then."""
    OUT.mkdir(exist_ok=True)
    fetch_landmarks()
    export = (edgeau("export"), "--target", "cpu", "--out", BUNDLE)
    analyze = (edgeau("analyze"), "--bundle", BUNDLE, "--out", RESULTS)
    # Annotated videos need PyAV, whose wheel holds code under the GPL: the extra "video".
    for command in (export, (*analyze, PICTURE, "--annotate"), (*analyze, "clip")):
        code = shown(*command)
        if code:
            sys.exit(code)
    print(f"""
the bundle            {BUNDLE}/            (manifest.json, report.md)
the tables            {RESULTS}/portrait.csv, clip.csv (and .jsonl)
the annotated picture {RESULTS}/portrait.annotated.jpg""")


if __name__ == "__main__":
    main()
