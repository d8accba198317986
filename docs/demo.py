"""The demo of ``make demo``: export the default model for this machine, analyze a sample, say where everything is.

Needs the extra ``export`` and face landmark networks. Where this machine has none they are downloaded, shown as the commands that do
it: Google's file, or else, where Google cannot be reached, the wheel of mediapipe that holds the older ones, which is not
installed.
"""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

OUT = Path("demo")
BUNDLE = OUT / "bundle"
RESULTS = OUT / "results"
# NASA's portrait of Eileen Collins, public domain.
PICTURE = Path("docs") / "portrait.jpg"
# The last mediapipe with networks in it, for any Python that runs this.
OLDER = ("mediapipe==0.10.18" if platform.machine() == "aarch64" else "mediapipe==0.10.21", "3.12")


def shown(*words: str | Path) -> int:
    """Show a command, run it, return its exit code."""
    texts = [str(word) for word in words]
    print("$ " + " ".join([Path(texts[0]).name, *texts[1:]]), flush=True)
    return subprocess.run(texts, check=False).returncode


def edgeau(name: str) -> Path:
    """A program of this environment."""
    return Path(sys.executable).with_name(f"edgeau-{name}")


def landmarks() -> tuple[str | Path, ...]:
    """Options of the export that name landmark networks; none where the machine has its own by now."""
    if shown(edgeau("landmarks")) == 0 or shown(edgeau("landmarks"), "--fetch") == 0:
        return ()
    requirement, version = OLDER
    into = ("--no-deps", "--only-binary=:all:", "--python-version", version, "--dest", OUT)
    if shown(sys.executable, "-m", "pip", "download", "--quiet", *into, requirement):
        sys.exit("no landmark networks can be had: see the messages above")
    return ("--landmarks", next(OUT.glob("mediapipe-*.whl")))


def main() -> None:
    """Three commands, and where to look then."""
    OUT.mkdir(exist_ok=True)
    export = (edgeau("export"), "--target", "cpu", *landmarks(), "--out", BUNDLE)
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
