"""A data set of landmarks that are a real face's, moved by three known action units, by identities, poses and noise."""

import json

import numpy as np
import pytest

from edgeau.action_units.names import DEFAULT
from edgeau.faces.landmarks import open_landmarker
from edgeau_training.synth.shards import shard_path, write_shard

# What each AU moves, eye distances in pixels of a 100 pixel wide face: points, and the way they go at full intensity.
MOVES = {
    "AU4": ([105, 66, 107, 334, 296, 336], (0, 7, 0)),
    "AU12": ([61, 291, 185, 409], (0, -8, 2)),
    "AU43": ([159, 386, 158, 385, 160, 387], (0, 5, 0)),
}


@pytest.fixture(scope="session")
def face(astronaut):
    """float32 (478, 3), pixels, outer eye corners 100 pixels apart."""
    pytest.importorskip("mediapipe")
    with open_landmarker(static=True) as landmarker:
        (landmarks,) = landmarker.detect(astronaut)
    return landmarks * np.float32(100 / np.linalg.norm(landmarks[33] - landmarks[263]))


@pytest.fixture(scope="session")
def make_faces(face):
    """``make(count, seed)``: landmarks (N, 478, 3), intensities (N, 18), identities (N,)."""
    return lambda count, seed=0, **options: faces_of(face, count, seed, **options)


@pytest.fixture(scope="session")
def landmark_data(tmp_path_factory, make_faces):
    """A synthetic data set's folder whose pictures are empty: fitting reads landmarks only."""
    folder = tmp_path_factory.mktemp("faces") / "synth"
    folder.mkdir()
    info = {"version": 1, "generator_version": 1, "rig_digest": "none", "seed": 0, "aus": [*DEFAULT, "AU28"]}
    (folder / "dataset.json").write_text(json.dumps(info))
    for seed, (split, count) in enumerate((("train", 1000), ("val", 400))):
        landmarks, intensities, identities = make_faces(count, seed)
        rows = [
            row(number, *parts)
            for number, parts in enumerate(zip(landmarks, intensities, identities, strict=True))
        ]
        for shard in range(0, count, 500):
            write_shard(shard_path(folder, split, shard // 500), rows[shard : shard + 500])
    return folder


def faces_of(face, count, seed, people=1.0):
    random = np.random.default_rng(seed)
    intensities = np.zeros((count, len(DEFAULT)), np.float32)
    points = np.repeat(face[None].astype(np.float64), count, axis=0)
    identities = random.integers(0, 60, count) + 1000 * seed
    points += people * np.stack([_identity(face, identity) for identity in identities])
    for label in DEFAULT:
        present = random.random(count) < 0.3
        strength = np.where(present, random.uniform(0.35, 1, count), 0)
        intensities[:, DEFAULT.index(label)] = strength
        if label in MOVES:
            moved, way = MOVES[label]
            points[:, moved] += strength[:, None, None] * np.array(way)
    points += random.normal(0, 0.3, points.shape)
    turned = np.stack([_turned(one, random) for one in points])
    return turned.astype(np.float32), intensities, identities


def _identity(face, identity):
    """A smooth change of the whole face, and brows that sit higher or lower than others'."""
    random = np.random.default_rng(identity)
    centred = face - face.mean(axis=0)
    shape = centred @ random.normal(0, 0.03, (3, 3))
    # Real faces are about symmetric; so are these people.
    shape[:, 0] = centred[:, 0] * random.normal(0, 0.03)
    shape[MOVES["AU4"][0]] += (0, random.normal(0, 2), 0)
    return shape


def _turned(points, random):
    x, y, z = np.deg2rad(random.normal(0, (8, 12, 6)))
    about_x = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_z = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    return points @ (about_z @ about_x @ about_y).T * random.uniform(0.5, 2) + random.normal(0, 50, 3)


def row(number, landmarks, intensities, identity):
    found = number % 50 != 49
    return {
        "index": number,
        "identity": int(identity),
        "texture": 0,
        "seed": number,
        "image": b"",
        "crop": None,
        "detected": found,
        "landmarks": landmarks.ravel() if found else None,
        "aus": np.append(intensities, np.float32(0)),
        "pose": np.zeros(3, np.float32),
    }
