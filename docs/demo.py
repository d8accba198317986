"""The demo of ``make demo``: export the default model for this machine, analyze a sample, say where everything is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import skimage.data

OUT = Path("demo")
BUNDLE = OUT / "bundle"
RESULTS = OUT / "results"
PICTURE = OUT / "astronaut.png"


def edgeau(name: str, *arguments: str | Path) -> None:
    """Show a command and run it; its failure is ours."""
    program = Path(sys.executable).with_name(f"edgeau-{name}")
    words = [str(argument) for argument in arguments]
    print("$ " + " ".join([program.name, *words]), flush=True)
    code = subprocess.run([program, *words], check=False).returncode
    if code:
        sys.exit(code)


OUT.mkdir(exist_ok=True)
# A portrait by NASA (public domain) that scikit-image carries.
cv2.imwrite(str(PICTURE), skimage.data.astronaut()[:, :, ::-1])
edgeau("export", "--target", "cpu", "--out", BUNDLE)
edgeau("analyze", PICTURE, "clip", "--bundle", BUNDLE, "--out", RESULTS, "--annotate")
print(f"""
the bundle            {BUNDLE}/            (manifest.json, report.md)
the tables            {RESULTS}/astronaut.csv, clip.csv (and .jsonl)
the annotated picture {RESULTS}/astronaut.annotated.png
the annotated video   {RESULTS}/clip.annotated.mp4""")
