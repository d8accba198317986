"""Py-Feat's own reader reads our tables. It pins the world, so it has an environment of its own::

python3.11 -m venv FOLDER && FOLDER/bin/pip install py-feat
EDGEAU_PY_FEAT=FOLDER/bin/python python -m pytest -m slow tests/edgeau/sinks/tables/test_py_feat.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

pytestmark = pytest.mark.slow

_READ = """
import json, sys
import feat
from feat.utils.io import read_openface
found = []
for file in sys.argv[1:]:
    table = read_openface(file)
    found.append({
        "py_feat": feat.__version__,
        "kind": type(table).__name__,
        "rows": len(table),
        "aus": {name: [None if cell != cell else cell for cell in column.tolist()] for name, column in table.aus.items()},
        "landmarks": None if table.landmarks is None else list(table.landmarks.shape),
        "pose": list(table.poses.columns),
        "frames": table["frame"].tolist(),
        "times": table["timestamp"].tolist(),
        "source": sorted(set(map(str, table["source"]))) if "source" in table.columns else None,
        "input": sorted(set(map(str, table["input"]))),
    })
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def py_feat() -> str:
    python = os.environ.get("EDGEAU_PY_FEAT")
    if not python:
        pytest.skip("EDGEAU_PY_FEAT does not name the Python of an environment with py-feat")
    return python


def test_py_feat_reads_films_and_pictures(py_feat: str, tmp_path: Path, astronaut: np.ndarray) -> None:
    cv2.imwrite(str(tmp_path / "astronaut.png"), astronaut)
    program = "import sys; from edgeau_apps.analyze.command import main; sys.exit(main())"
    words = ["clip", tmp_path / "astronaut.png", "--out", tmp_path, "--landmarks", "68", "--pose"]
    subprocess.run([sys.executable, "-c", program, *words], check=True, stdout=subprocess.DEVNULL)
    files = [tmp_path / "clip.csv", tmp_path / "astronaut.csv"]
    read = subprocess.run([py_feat, "-c", _READ, *files], capture_output=True, text=True, check=True)
    film, picture = json.loads(read.stdout.splitlines()[-1])
    print("py-feat", film["py_feat"])
    lines = [json.loads(line) for line in (tmp_path / "clip.jsonl").read_text().splitlines()]
    faces = [(line, face) for line in lines for face in line["faces"]]
    assert film["kind"] == picture["kind"] == "Fex"
    assert film["rows"] == len(faces)
    assert picture["rows"] == 1
    assert film["frames"] == [line["index"] + 1 for line, _ in faces]
    assert film["times"] == pytest.approx([line["time_s"] for line, _ in faces], abs=1e-3)
    assert film["landmarks"] == [len(faces), 136]
    assert film["pose"], "head rotation is known under OpenFace's names"
    assert film["input"] == [str(files[0])], "Py-Feat's own column: the table"
    assert film["source"] != picture["source"], "ours: the film"
    assert len(film["aus"]) == 35, "17 intensities and 18 decisions"
    for name, column in film["aus"].items():
        plain, kind = f"AU{int(name[2:4])}", {"r": "intensity", "c": "active"}[name[-1]]
        plain = "AU43" if plain == "AU45" else plain  # eye closure
        right = [face["aus"].get(plain, {}).get(kind) for _, face in faces]
        scale = 5 if kind == "intensity" else 1
        for read_value, value in zip(column, right, strict=True):
            assert (
                read_value is None if value is None else read_value == pytest.approx(scale * value, abs=1e-2)
            )
    filled = {name for name, column in film["aus"].items() if None not in column}
    assert filled >= {"AU06_r", "AU12_r", "AU25_r", "AU45_r", "AU06_c", "AU12_c", "AU25_c", "AU45_c"}
