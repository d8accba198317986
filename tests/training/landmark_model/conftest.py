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
def make_sided_faces(face):
    """The same with what each side shows, (N, 2, 18), as a fourth."""
    return lambda count, seed=0: sided_faces_of(face, count, seed)


@pytest.fixture(scope="session")
def landmark_data(tmp_path_factory, face):
    """A synthetic data set's folder whose pictures are empty: fitting reads landmarks only."""
    folder = tmp_path_factory.mktemp("faces") / "synth"
    folder.mkdir()
    info = {
        "version": 2, "generator_version": 2, "rig_digest": "none", "seed": 0, "aus": [*DEFAULT, "AU28"],
        "sided": ["AU4", "AU12", "AU43"],
    }  # fmt: skip
    (folder / "dataset.json").write_text(json.dumps(info))
    for seed, (split, count) in enumerate((("train", 1000), ("val", 400))):
        made = sided_faces_of(face, count, seed)
        rows = [row(number, *parts) for number, parts in enumerate(zip(*made, strict=True))]
        for shard in range(0, count, 500):
            write_shard(shard_path(folder, split, shard // 500), rows[shard : shard + 500])
    return folder


def faces_of(face, count, seed, people=1.0):
    return sided_faces_of(face, count, seed, people, one_sided=0.0)[:3]


def sided_faces_of(face, count, seed, people=1.0, one_sided=0.3):
    """Also what each side shows, (N, 2, 18), the person's own left first; some AUs show on one side alone."""
    random = np.random.default_rng(seed)
    intensities = np.zeros((count, len(DEFAULT)), np.float32)
    shares = np.ones((count, 2, len(DEFAULT)), np.float32)
    for number in np.flatnonzero(np.random.default_rng((seed, 1)).random(count) < one_sided):
        shares[number, number % 2] = 0
    points = np.repeat(face[None].astype(np.float64), count, axis=0)
    identities = random.integers(0, 60, count) + 1000 * seed
    points += people * np.stack([_identity(face, identity) for identity in identities])
    for label in DEFAULT:
        present = random.random(count) < 0.3
        strength = np.where(present, random.uniform(0.35, 1, count), 0)
        intensities[:, DEFAULT.index(label)] = strength
        if label in MOVES:
            moved, way = np.array(MOVES[label][0]), np.array(MOVES[label][1])
            left = face[moved, 0] > face[4, 0]  # of the picture's right: the person's own left
            share = np.where(left, shares[:, :1, 0], shares[:, 1:, 0])
            points[:, moved] += (strength[:, None] * share)[..., None] * way
    points += random.normal(0, 0.3, points.shape)
    turned = np.stack([_turned(one, random) for one in points])
    return turned.astype(np.float32), intensities, identities, shares * intensities[:, None]


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


def row(number, landmarks, intensities, identity, sides):
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
        "sides": np.pad(sides, ((0, 0), (0, 1))).ravel(),
        "pose": np.zeros(3, np.float32),
    }
