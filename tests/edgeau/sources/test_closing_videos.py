"""A video may be closed in one thread while another decodes it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

# Closed at other moments each time; a crash ends the process.
_CODE = """
import threading, time
import sys
from pathlib import Path
from edgeau.sources.{module} import {name}
for trial in range(25):
    source = {name}(Path(sys.argv[1]))
    taken = []
    def read():
        try:
            for frame in source:
                taken.append(frame.index)
        except BaseException as error:
            taken.append(error)
    reader = threading.Thread(target=read)
    reader.start()
    while not taken:
        time.sleep(0.001)
    time.sleep(trial * 0.0007)
    source.close()
    reader.join()
    assert taken == list(range(len(taken))), taken[-1]
    assert len(taken) < 400
print("closed")
"""


@pytest.mark.parametrize(("module", "name"), [("av_video", "AvVideo"), ("opencv_video", "OpenCvVideo")])
def test_a_video_is_closed_while_it_is_decoded(tmp_path: Path, module: str, name: str) -> None:
    if module == "av_video":
        pytest.importorskip("av")
    video = cv2.VideoWriter(str(tmp_path / "film.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 25, (640, 480))
    for level in range(400):
        video.write(np.full((480, 640, 3), level % 256, np.uint8))
    video.release()
    code = _CODE.format(module=module, name=name)
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "film.avi")],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "closed"
