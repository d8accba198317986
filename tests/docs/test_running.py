"""The commands of the pages are run, with small files in the place of the reader's own (commands.toml says which are not).

Each page has a folder of its own, in which its commands run in their order. A command that another page has too is run once.
"""

import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path

import cv2
import numpy as np
import pytest
import tomllib

from edgeau import open_source
from edgeau.bundle import packaged_bundle_path
from edgeau.faces.alignment import Alignment
from edgeau_calibration.data.load import load_calibration_set
from tests.docs.test_commands import _FENCE, COMMANDS, PAGES

DATA = tomllib.loads(Path(__file__).with_name("commands.toml").read_text(encoding="utf-8"))
INSTEAD = {entry["command"]: entry["runs"] for entry in DATA["instead"]}
SLOW = [entry["command"] for entry in DATA["slow"]]
LEFT = [entry["start"] for entry in DATA["left"]]
ELSEWHERE = [entry["name"] for entry in DATA["page"]]
# The doctor's code is a finding about this machine; 1 of edgeau-bench names an engine that is not installed here.
CODES = {"edgeau-doctor": (0, 1, 2), "edgeau-bench": (0, 1)}


def lines_of(page):
    for block in _FENCE.findall(page.read_text(encoding="utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            command = re.sub(r"(?<!\S)#.*", "", line).strip()
            if command:
                yield re.sub(r"\s+", " ", command)


def commands_by_page():
    """Every line of the pages, where it stands for the first time."""
    seen, found = set(), {}
    for page in (page for page in PAGES if page.name not in ELSEWHERE):
        found[page] = []
        for line in lines_of(page):
            runs = INSTEAD.get(line, line)
            found[page] += [] if runs in seen else [line]
            seen.update((line, runs))
    return found


BY_PAGE = commands_by_page()
ALL = [line for page in PAGES for line in lines_of(page)]


def is_left(line):
    return any(line.startswith(start) for start in LEFT)


@pytest.fixture(scope="module")
def readers_files(tmp_path_factory, astronaut):
    """What a reader would have: pictures, a video, faces with labels, a checkpoint, results of a benchmark."""
    home = tmp_path_factory.mktemp("reader")
    cv2.imwrite(str(home / "portrait.jpg"), astronaut)
    for folder in ("photos", "faces/anna", "corpus"):
        (home / folder).mkdir(parents=True)
        cv2.imwrite(str(home / folder / "one.png"), astronaut)
    with open_source("clip") as source:
        frames = [frame.image for frame in source]
    video = cv2.VideoWriter(str(home / "talk.mp4"), cv2.VideoWriter_fourcc(*"mp4v"), 25, (640, 480))
    for image in frames[:10]:
        video.write(image)
    video.release()
    label(home / "my-faces", frames[10::20])
    shutil.copytree(packaged_bundle_path(), home / "bundle", copy_function=link)
    checkpoint(home / "my.safetensors")
    link(home / "my.safetensors", home / "mrpnet.safetensors")
    np.savez(home / "faces.npz", crops=load_calibration_set(None, Alignment(), 160).crops[::8])
    return home


def link(source, target):
    """No copy of 50 MB for each page; the commands replace files and never write into one."""
    os.link(source, target)


def label(folder, frames):
    folder.mkdir()
    rows = ["picture,AU12,AU4"]
    for number, image in enumerate(frames):
        cv2.imwrite(str(folder / f"{number}.png"), image)
        rows.append(f"{number}.png,{number % 2},{number // 2 % 2}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")


def checkpoint(file):
    """MRP-Net on a stem of timm's own tests, 1 % of EfficientNet-B1's size."""
    import torch

    from edgeau.action_units.names import BP4D
    from edgeau_training.checkpoint import CheckpointInfo, save_checkpoint
    from edgeau_training.networks import build_network

    torch.manual_seed(0)
    options = {"stem": "test_efficientnet"}
    network = build_network("mrpnet", BP4D, **options)
    with torch.no_grad():
        for _ in range(3):  # batch norm that has seen something lets the logits live
            network.train()(torch.randn(8, 3, 224, 224))
        network.eval().classifier.weight.mul_(4 / network(torch.randn(8, 3, 224, 224)).abs().max())
    save_checkpoint(file, network, CheckpointInfo("mrpnet", BP4D, options, training="untrained"))


@pytest.fixture
def folder(readers_files, tmp_path):
    return shutil.copytree(readers_files, tmp_path / "here", copy_function=link)


def run(line):
    """The exit code and the standard output of one line, run here."""
    words = shlex.split(line)
    if words[:2] == ["python", "-m"]:
        words = words[2:]
    target = None
    if ">" in words:
        words, target = words[: words.index(">")], words[words.index(">") + 1]
    if words[0] not in COMMANDS:
        if words[0] == "python":
            words[0] = sys.executable
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)
        return done.returncode, done.stdout + done.stderr
    command, *arguments = words
    with redirect_stdout(io.StringIO()) as out:
        code = import_module(COMMANDS[command]).main(arguments)
    if target:
        Path(target).write_text(out.getvalue())
    return code, out.getvalue()


def check(lines, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    for line in lines:
        code, out = run(INSTEAD.get(line, line))
        said = (
            f"{INSTEAD.get(line, line)}: exit code {code}\n{out[-2000:]}\n{capsys.readouterr().err[-2000:]}"
        )
        assert code in CODES.get(line.split()[0], (0,)), said


def prepare(page, folder):
    """What a page says in other fences than commands, and results that it takes for granted."""
    text = page.read_text(encoding="utf-8")
    for block in re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        name = re.search(r'^name = "(.*)"', block, re.MULTILINE)
        if name is not None:  # a target; the page's example of a network has a title
            (folder / f"{name[1]}.toml").write_text(block)
    if page.name == "report-and-bench.md":
        os.chdir(folder)
        assert run("edgeau-bench bundle/ --seconds 0.1 --threads 1 --no-start --out bench.json")[0] == 0
        for name in ("before", "after"):
            shutil.copy("bench.json", f"{name}.json")


def quick(page):
    return [line for line in BY_PAGE.get(page, ()) if not is_left(line) and line not in SLOW]


@pytest.mark.parametrize("page", [page for page in PAGES if quick(page)], ids=lambda page: page.name)
def test_the_commands_of_the_page_run(page, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    prepare(page, folder)
    check(quick(page), folder, monkeypatch, capsys)


@pytest.mark.slow
@pytest.mark.parametrize("line", SLOW)
def test_the_slow_commands_run(line, folder, monkeypatch, capsys):
    check([line], folder, monkeypatch, capsys)


@pytest.mark.parametrize("entry", DATA["instead"], ids=lambda entry: entry["command"])
def test_a_stand_in_keeps_every_option(entry):
    def options(line):
        return {word for word in line.split() if word.startswith("-")}

    assert options(entry["command"]) <= options(entry["runs"])
    assert entry["reason"]


def test_every_entry_is_of_a_command_in_the_pages():
    assert [line for line in (*INSTEAD, *SLOW) if line not in ALL] == []
    assert [start for start in LEFT if not any(line.startswith(start) for line in ALL)] == []
    assert all((PAGES[1].parent / name).is_file() for name in ELSEWHERE)
    assert all(entry["reason"] for entry in (*DATA["left"], *DATA["slow"], *DATA["page"]))
