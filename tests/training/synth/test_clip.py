"""The sample clip shows what its labels say, and a face in every frame."""

from __future__ import annotations

import csv

import cv2
import numpy as np
import pytest

import edgeau
from edgeau.faces.landmarks import open_landmarker
from edgeau_training.synth import clip
from edgeau_training.synth.action_units import AU_NAMES, AUS


@pytest.fixture(scope="module")
def assets():
    return clip.Path(edgeau.__file__).parent / "assets"


def frames_of(path) -> list[np.ndarray]:
    film, frames = cv2.VideoCapture(str(path)), []
    while True:
        there, frame = film.read()
        if not there:
            return frames
        frames.append(frame)


def test_the_first_second_is_neutral():
    assert not clip.intensities_at(0.5).any()
    assert not clip.intensities_at(1.0).any()
    assert not clip.intensities_at(6.8).any()


@pytest.mark.parametrize(
    ("time_s", "aus"),
    [(1.5, {6, 12, 25}), (2.6, {1, 2}), (3.6, {4}), (4.6, {15, 17}), (5.4, {25, 26}), (6.2, {43})],
)
def test_the_schedule(time_s, aus):
    active = {number for number, value in zip(AUS, clip.intensities_at(time_s), strict=True) if value > 0.5}
    assert active == aus


def test_onsets_are_smooth():
    times = np.arange(0, clip.SECONDS, 1 / clip.FPS)
    steps = np.abs(np.diff([clip.intensities_at(time) for time in times], axis=0))
    assert steps.max() < 0.3


def test_the_shipped_labels_are_the_schedule(assets):
    with (assets / "clip.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == round(clip.SECONDS * clip.FPS)
    for row in rows:
        labelled = [float(row[name]) for name in AU_NAMES]
        np.testing.assert_allclose(labelled, clip.intensities_at(float(row["time_s"])), atol=6e-4)


def test_the_shipped_film_shows_a_face_in_every_frame(assets):
    frames = frames_of(assets / "clip.mp4")
    assert len(frames) == round(clip.SECONDS * clip.FPS)
    assert frames[0].shape == (480, 640, 3)
    with open_landmarker() as landmarker:
        assert all(len(landmarker.detect(frame)) == 1 for frame in frames)


def test_a_film_of_another_rig(tiny_rig, rig_cache, tmp_path, monkeypatch):
    monkeypatch.setattr(clip, "SECONDS", 0.2)
    done = clip.write_clip(tiny_rig, tmp_path / "film" / "clip.mp4", 1, rig_cache)
    assert done["frames"] == 5
    assert len(frames_of(done["film"])) == 5
    assert sorted(path.name for path in (tmp_path / "film").iterdir()) == ["clip.csv", "clip.mp4"]
