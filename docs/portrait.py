"""Make docs/astronaut.png, the annotated portrait of the README, and print what its terminal shows.

python docs/portrait.py

The portrait is the public-domain NASA picture that scikit-image carries (an extra of the tests).
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import cv2
from skimage import data

from edgeau_apps.analyze.command import main as analyze

PICTURE = Path(__file__).resolve().with_name("astronaut.png")


def write_portrait(folder: Path) -> Path:
    """The portrait as ``portrait.jpg`` in a folder."""
    path = folder / "portrait.jpg"
    cv2.imwrite(str(path), data.astronaut()[:, :, ::-1])
    return path


def main() -> int:
    """Print the faces of the portrait, and write its annotated picture."""
    with tempfile.TemporaryDirectory() as name:
        os.chdir(write_portrait(Path(name)).parent)
        code = analyze(["portrait.jpg"]) or analyze(["portrait.jpg", "--out", "results", "--annotate"])
        if code == 0:
            cv2.imwrite(str(PICTURE), cv2.imread("results/portrait.annotated.jpg"))
    return code


if __name__ == "__main__":
    sys.exit(main())
