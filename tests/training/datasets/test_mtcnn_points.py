"""MTCNN's own five points, from its own networks, beside those of MediaPipe's landmarks.

pip install --no-deps facenet-pytorch
python -m pytest -m slow -n 0 tests/training/datasets/test_mtcnn_points.py
"""

from __future__ import annotations

import json
import sys

import cv2
import numpy as np
import pytest

from edgeau.faces.alignment import five_points
from edgeau.faces.landmarks import open_landmarker
from edgeau.sources import open_source
from edgeau_training.datasets import mtcnn_points
from edgeau_training.datasets.point_table import read_points


def test_without_the_package_one_line_says_what_to_install(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "facenet_pytorch", None)
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((64, 64, 3), np.uint8))
    assert mtcnn_points.main([str(tmp_path), "--out", str(tmp_path / "points.csv")]) == 2
    assert "install facenet-pytorch with pip's --no-deps" in capsys.readouterr().err
    assert not (tmp_path / "points.csv").exists()


def test_a_folder_without_pictures_is_refused(tmp_path, capsys):
    assert mtcnn_points.main([str(tmp_path), "--out", str(tmp_path / "points.csv")]) == 2
    assert "holds no pictures" in capsys.readouterr().err


@pytest.mark.slow
def test_the_points_are_where_mediapipe_has_them(tmp_path, astronaut, capsys):
    pytest.importorskip("facenet_pytorch", reason="facenet-pytorch is not installed")
    folder = tmp_path / "data"
    (folder / "clip").mkdir(parents=True)
    cv2.imwrite(str(folder / "astronaut.png"), astronaut)
    cv2.imwrite(str(folder / "wall.png"), np.full((200, 200, 3), 128, np.uint8))
    (folder / "torn.png").write_bytes(b"\x89PNG")
    with open_source("clip") as source:
        for frame in source:
            if frame.index % 40 == 0:
                cv2.imwrite(str(folder / "clip" / f"{frame.index:03d}.png"), frame.image)
    out = tmp_path / "mtcnn.csv"
    assert mtcnn_points.main([str(folder), "--out", str(out), "--json"]) == 1  # torn.png is left out
    said = json.loads(capsys.readouterr().out)
    assert said["without_a_face"] == 1
    assert len(said["unreadable"]) == 1
    table = read_points(out).points
    assert len(table) == said["found"] > 3
    with open_landmarker(static=True, max_faces=1) as landmarker:
        for name, points in table.items():
            (landmarks,) = landmarker.detect(cv2.imread(str(folder / name)))
            ours = five_points(landmarks)
            between_eyes = np.linalg.norm(ours[1] - ours[0])
            assert np.linalg.norm(points - ours, axis=1).max() < 0.2 * between_eyes, name
