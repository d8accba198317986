"""A data set in edgeau-synth's format, made in a moment: grey pictures in which each AU lights up a square of its own."""

import json

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.training.trees import lines, make_trees

AUS = ("AU1", "AU4", "AU12")
SQUARES = ((90, 60), (150, 60), (120, 160))  # left, top of each AU's square, inside the central 160 pixels


@pytest.fixture(scope="session")
def write_tiny_faces():
    """The function that writes such a data set: ``(folder, counts=(("train", 64), ("val", 32)))`` -> folder."""
    return _write


def _write(folder, counts=(("train", 64), ("val", 32)), shard=32, seed=0):
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dataset.json").write_text(json.dumps({"version": 1, "aus": list(AUS), "seed": seed}))
    for split, count in counts:
        (folder / split).mkdir(exist_ok=True)
        for number, start in enumerate(range(0, count, shard)):
            rows = [_row(rng, start + place) for place in range(min(shard, count - start))]
            pq.write_table(pa.Table.from_pylist(rows), folder / split / f"shard-{number:05d}.parquet")
    return folder


def _row(rng, index):
    active = rng.random(len(AUS)) < 0.4
    intensity = np.where(active, rng.uniform(0.4, 1.0, len(AUS)), 0.0)
    image = rng.integers(90, 120, (256, 256, 3)).astype(np.uint8)
    for (left, top), on in zip(SQUARES, active, strict=True):
        if on:
            image[top : top + 36, left : left + 36] = 240
    crop = cv2.imencode(".jpg", image)[1].tobytes()
    return {
        "index": index,
        "identity": index % 8,
        "texture": 0,
        "seed": index,
        "image": crop,
        "crop": crop if index % 16 != 15 else None,
        "detected": index % 16 != 15,
        "landmarks": _landmarks(rng).ravel().tolist(),
        "aus": intensity.astype(np.float32).tolist(),
        "pose": [0.0, 0.0, 0.0],
    }


def _landmarks(rng):
    """478 points on a grid with a plausible face box: the five points of the alignment are set, the rest is filler."""
    points = np.zeros((478, 3), np.float32)
    points[:, 0] = np.tile(np.linspace(80, 176, 30), 16)[:478]
    points[:, 1] = np.repeat(np.linspace(70, 200, 16), 30)[:478]
    points[[33, 160, 158, 133, 153, 144], :2] = (100, 110)
    points[[362, 385, 387, 263, 373, 380], :2] = (156, 110)
    points[1, :2] = (128, 140)
    points[61, :2], points[291, :2] = (108, 170), (148, 170)
    return points + rng.normal(0, 0.5, points.shape).astype(np.float32)


@pytest.fixture(scope="session")
def face(astronaut):
    """A real face: uint8 (280, 280, 3) BGR."""
    return np.ascontiguousarray(astronaut[:280, 100:380])


@pytest.fixture(scope="session")
def trees(tmp_path_factory, face):
    """Name of a data set -> its folder, in its own layout; see tests/training/trees.py."""
    return make_trees(tmp_path_factory.mktemp("trees"), face)


@pytest.fixture(scope="session")
def write_lines():
    """Writes a text file from its lines."""
    return lines
