"""Pictures and films from outside are decoded in one place each, so that limits, turning and colours hold for all of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

# Who may call a decoder, and why.
DOORS = {
    "cv2.imread": {},
    "cv2.imreadmulti": {},
    "cv2.imdecode": {
        "edgeau/sources/picture_file.py": "the door for pictures",
        "apps/edgeau_apps/live/tip.py": "the package's own plates",
        "training/edgeau_training/augmentation.py": "JPEG that it packed itself",
        "training/edgeau_training/synth/camera.py": "JPEG that it packed itself",
        "training/edgeau_training/synth/rows.py": "crops of a data set that edgeau-synth wrote",
        "training/edgeau_training/datasets/synthetic_crops.py": "crops of a data set that edgeau-synth wrote",
    },
    "cv2.VideoCapture": {
        "edgeau/sources/opencv_video.py": "the door for films without PyAV",
        "edgeau/sources/camera.py": "a camera",
        "edgeau/sources/jetson_camera.py": "a camera",
        "edgeau/sources/network_stream.py": "a stream",
    },
    "av.open": {
        "edgeau/sources/av_video.py": "the door for films",
        "apps/edgeau_apps/analyze/annotated.py": "writes a film, reads it back, and copies its sound",
    },
    "Image.open": {"edgeau/sources/pillow_picture.py": "the door for HEIC and AVIF"},
}


def calls(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
        ):
            yield f"{node.func.value.id}.{node.func.attr}"


@pytest.mark.parametrize("function", DOORS)
def test_decoders_are_called_where_they_may(root: Path, function: str) -> None:
    packages = ("edgeau", "apps", "calibration", "export", "training")
    files = [path for package in packages for path in (root / package).rglob("*.py")]
    assert len(files) > 300
    found = {str(path.relative_to(root)) for path in files if function in set(calls(path))}
    assert found == set(DOORS[function])
