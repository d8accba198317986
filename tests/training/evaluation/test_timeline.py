import json

import cv2
import numpy as np
import pytest

from edgeau.errors import InputError
from edgeau_training.evaluation.timeline import Timeline, main


@pytest.fixture
def video(astronaut, tmp_path):
    """Six frames of a face, then four of nothing."""
    pytest.importorskip("mediapipe")
    file = tmp_path / "talk.avi"
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter_fourcc(*"MJPG"), 10, (512, 512))
    for number in range(10):
        writer.write(astronaut if number < 6 else np.full_like(astronaut, 128))
    writer.release()
    return file


def test_a_plot_and_the_leading_aus_of_a_span(video, landmark_file, tmp_path, capsys):
    out = tmp_path / "plots" / "talk.png"
    assert main([str(landmark_file), str(video), "--out", str(out), "--spans", "0-4", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    means = list(document["spans"][0]["mean_probability"].values())
    assert len(means) == 3
    assert means == sorted(means, reverse=True)
    assert out.read_bytes().startswith(b"\x89PNG")


def test_frames_without_a_face_count_for_nothing():
    timeline = Timeline(("AU1", "AU4"), np.float32([[0.2, 0.9], [np.nan, np.nan], [0.4, 0.7]]))
    assert timeline.leading((0, 2)) == [("AU4", pytest.approx(0.8)), ("AU1", pytest.approx(0.3))]
    with pytest.raises(InputError, match="frames 1 to 1"):
        timeline.leading((1, 1))


@pytest.mark.parametrize("spans", ["3", "a-b", "1-2-3"])
def test_spans_that_are_none_are_refused(video, landmark_file, tmp_path, capsys, spans):
    assert main([str(landmark_file), str(video), "--out", str(tmp_path / "x.png"), "--spans", spans]) == 2
    assert "is not like 0-130" in capsys.readouterr().err
