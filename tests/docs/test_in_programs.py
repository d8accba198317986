"""What docs/in-programs.md shows is run: real servers of Flask and FastAPI, processes, an event loop, a Jupyter kernel."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
_START_S = 120  # on a machine that has more to do than processors
_REQUESTS = 24


def blocks(page: str, heading: str) -> list[str]:
    """The Python of a section."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    (section,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


@pytest.fixture
def pictures(astronaut: np.ndarray) -> list[tuple[bytes, int]]:
    """PNG files of different sizes, and how many faces each shows, so that a swapped answer is seen."""
    one = astronaut[0:300, 60:460]
    given = [(np.full((200, 300, 3), 90, np.uint8), 0), (one, 1), (np.hstack((one, one)), 2)]
    return [(cv2.imencode(".png", picture)[1].tobytes(), faces) for picture, faces in given]


@pytest.fixture
def folder(tmp_path: Path, astronaut: np.ndarray) -> Path:
    """Where a reader works, with the files that the pages name."""
    for name in ("a.jpg", "b.jpg", "portrait.jpg"):
        cv2.imwrite(str(tmp_path / name), astronaut)
    return tmp_path


@contextmanager
def served(folder: Path, *command: str) -> Iterator[str]:
    """The address of a server that runs until the end of the block, and then ends by itself."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    with (folder / "said").open("w+") as said:
        process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-m", *command, "--port", str(port)],
            cwd=folder,
            stdout=said,
            stderr=said,
        )
        try:
            end = time.monotonic() + _START_S
            while not _listens(port):
                assert process.poll() is None, (folder / "said").read_text()
                assert time.monotonic() < end
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/aus"
            assert process.poll() is None, (folder / "said").read_text()
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    text = (folder / "said").read_text()
    assert "Fatal Python error" not in text
    assert "Traceback" not in text


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def ask_all(address: str, pictures: list[tuple[bytes, int]]) -> None:
    """Many at once; everybody gets the answer to their own picture."""

    def ask(number: int) -> tuple[int, int]:
        content, faces = pictures[number % len(pictures)]
        request = urllib.request.Request(address, content, {"Content-Type": "image/png"})
        with urllib.request.urlopen(request, timeout=120) as reply:
            return len(json.load(reply)["faces"]), faces

    with ThreadPoolExecutor(8) as pool:
        for found, right in pool.map(ask, range(_REQUESTS)):
            assert found == right
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(address, b"no picture", timeout=60)
    assert caught.value.code == 400
    caught.value.close()


def test_flask(folder: Path, pictures) -> None:
    pytest.importorskip("flask")
    (folder / "app.py").write_text(blocks("in-programs.md", "Flask, and other servers with threads")[0])
    with served(folder, "flask", "--app", "app", "run") as address:
        ask_all(address, pictures)


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_fastapi(folder: Path, pictures, workers: int) -> None:
    pytest.importorskip("fastapi")
    pytest.importorskip("uvicorn")
    (folder / "app.py").write_text(blocks("in-programs.md", "FastAPI")[0])
    with served(folder, "uvicorn", "app:app", "--workers", str(workers)) as address:
        ask_all(address, pictures)


def run(folder: Path, code: str) -> str:
    (folder / "program.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "program.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_pipeline_on_first_use_in_forked_workers(folder: Path) -> None:
    code = blocks("in-programs.md", "Flask, and other servers with threads")[1]
    said = run(
        folder,
        f"{code}\n\n"
        "import os\n"
        "import cv2\n\n"
        "for worker in range(2):\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        faces = pipeline().process(cv2.imread('a.jpg')).faces\n"
        "        os.write(1, b'%d\\n' % len(faces))  # in one call: the two share a pipe\n"
        "        os._exit(0)\n"
        "for worker in range(2):\n"
        "    assert os.wait()[1] == 0\n",
    )
    assert said == "1\n1\n"


def test_asyncio(folder: Path) -> None:
    (code,) = blocks("in-programs.md", "asyncio")
    times = json.loads(run(folder, code))
    assert len(times) == 3
    assert times == sorted(times)


def test_multiprocessing(folder: Path) -> None:
    (code,) = blocks("in-programs.md", "multiprocessing")
    assert run(folder, code).count("'face_id': 0") == 2


def test_one_result(folder: Path) -> None:
    (code,) = blocks("results.md", "One result")
    assert run(folder, code).startswith("(1, 4) (1, ")
    assert cv2.imread(str(folder / "drawn.png")).shape[1] > cv2.imread(str(folder / "portrait.jpg")).shape[1]


@pytest.mark.slow
def test_jupyter(folder: Path) -> None:
    """In a kernel, each cell twice: what a cell opened must not stand in its own way."""
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    import nbformat

    cells = [nbformat.v4.new_code_cell(code) for code in blocks("in-programs.md", "Jupyter")]
    cells.append(nbformat.v4.new_code_cell("result"))
    assert len(cells) == 3
    notebook = nbformat.v4.new_notebook(cells=[*cells, *[nbformat.v4.new_code_cell(c.source) for c in cells]])
    client = nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    for offset in (0, 3):
        table, drawing, shown = (cell.outputs for cell in notebook.cells[offset : offset + 3])
        assert any("image/png" in output.get("data", {}) for output in table)
        assert any("image/png" in output.get("data", {}) for output in drawing)
        assert len(shown[0]["data"]["text/plain"]) < 250
        said = "".join(o.get("text", "") for o in (*table, *drawing) if o.get("name") == "stderr")
        assert "INFO:" not in said  # an engine's greeting; that the machine is busy may be said
