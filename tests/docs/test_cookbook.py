"""The programs of the cookbook and of the pages beside it are run, with the packaged clip in the place of a camera."""

from __future__ import annotations

import csv
import json
import math
import os
import re
import runpy
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from edgeau.results import ActionUnit, Box, Face

ROOT = Path(__file__).resolve().parents[2]


def python_of(page: str, heading: str | None = None) -> str:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    if heading is not None:
        text = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    (block,) = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return block


def run(folder: Path, code: str, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, **variables},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_led_follows_the_smile(tmp_path):
    pytest.importorskip("gpiozero")
    code = python_of("cookbook.md", "An LED on a smile").replace(
        'open_source("picamera2")', 'open_source("clip")'
    )
    # What a program sees of a mock pin: every state that it had.
    code += "\nprint([bool(state.state) for state in led.pin.states])\n"
    states = eval(run(tmp_path, code, GPIOZERO_PIN_FACTORY="mock"))
    assert states[0] is False
    assert True in states
    assert states[-1] is False, "the clip ends at rest"
    assert len(states) <= 5, "it does not flicker"


@pytest.mark.slow
def test_a_study_with_lsl(tmp_path):
    pylsl = pytest.importorskip("pylsl")
    code = python_of("cookbook.md", "A study with Lab Streaming Layer")
    # The camera is the clip, as fast as a camera; names of this test alone, and a moment for recorders at both ends.
    mine = f"t{os.getpid()}"
    code = (
        code.replace("open_source(0)", 'open_source("clip", real_time=True)')
        .replace("=face&", f"={mine}face&")
        .replace('"trials"', f'"{mine}trials"')
    )
    code = (
        code.replace("    for result", "    __import__('time').sleep(2)\n    for result")
        + "\n    __import__('time').sleep(1)\n"
    )
    # "got" holds values and times of each stream.
    got = {name: ([], []) for name in ("face", "face-events", "trials")}
    with subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path) as program:
        inlets = {
            name: pylsl.StreamInlet(pylsl.resolve_byprop("name", mine + name, timeout=120)[0], recover=False)
            for name in got
        }
        while program.poll() is None:
            for name, inlet in inlets.items():
                with suppress(pylsl.util.LostError):
                    values, stamps = inlet.pull_chunk(timeout=0.05)
                    got[name][0].extend(values)
                    got[name][1].extend(stamps)
        assert program.returncode == 0
    samples, times = got["face"]
    assert len(samples) > 50
    assert all(a < b for a, b in pairwise(times))
    assert [text for (text,) in got["trials"][0]][:2] == ["trial 0", "trial 1"]
    assert any(text.startswith("AU12 onset") for (text,) in got["face-events"][0])


def test_home_assistants_example_names_an_entity_that_is_announced():
    yaml = pytest.importorskip("yaml")
    from edgeau.sinks import Description
    from edgeau.sinks.home_assistant import HomeAssistant

    text = (ROOT / "docs" / "cookbook.md").read_text(encoding="utf-8")
    automation = yaml.safe_load(re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[0])
    announced = dict(
        HomeAssistant("edgeau/desk", "homeassistant", Description(("AU12",)), 1.0).configurations()
    )
    documents = [(topic.split("/")[1], json.loads(payload)) for topic, payload in announced.items()]
    # Home Assistant names an entity after its device and itself, in small letters and underscores.
    entities = {
        f"{kind}.{re.sub('[^a-z0-9]+', '_', (one['device']['name'] + ' ' + one['name']).lower())}"
        for kind, one in documents
    }
    assert automation["triggers"][0]["entity_id"] in entities


def test_a_ros_message_is_filled():
    """Fields of hri_msgs/FacialActionUnits: header, float32[] intensity, float32[] confidence, one place for each FACS number."""
    fill = runpy.run_path(str(ROOT / "examples" / "ros2" / "facial_action_units.py"))["fill"]
    units = (
        ActionUnit("AU12", 0.75, active=True, intensity=0.5),
        ActionUnit("AU4", None, None, reason="pose"),
        ActionUnit("AU6L", 0.3, active=False),
        ActionUnit("AU6R", 0.6, active=True),
        ActionUnit("smile", 0.9, active=True),
        ActionUnit("AU101", 0.9, active=True),  # the message has no place for it
    )
    face = Face(Box(0, 0, 1, 1), np.zeros((478, 3), np.float32), 3, None, {unit.name: unit for unit in units})
    message = fill(SimpleNamespace(), face)
    assert (len(message.intensity), len(message.confidence)) == (99, 99)
    assert {n: v for n, v in enumerate(message.confidence) if v} == {12: 0.75, 6: 0.6}
    assert {n: v for n, v in enumerate(message.intensity) if v} == {12: 0.5, 6: 0.6}


def test_the_page_for_obs_shows_a_smile(make_smile, tmp_path):
    sync_api = pytest.importorskip("playwright.sync_api")
    from edgeau.sinks import Description
    from edgeau.sinks.address import Address
    from edgeau.sinks.websocket import WebSocketSink
    from tests.chromium import CHROMIUM, FLAGS

    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    page_file = ROOT / "examples" / "obs" / "smile.html"
    with (
        WebSocketSink(Address.parse("ws://:0?origin=null"), Description(("AU12",))) as sink,
        sync_api.sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.goto(f"{page_file.as_uri()}?ws://127.0.0.1:{sink.port}")
        for _ in range(100):
            sink.write(make_smile())
            page.wait_for_timeout(50)
            if page.inner_text("#shown") == "1 smiling":
                break
        assert page.inner_text("#shown") == "1 smiling"
        # A face of a network that does not know AU12 is not an error.
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        smile = make_smile()
        sink.write(replace(smile, faces=(replace(smile.faces[0], aus={}),)))
        page.wait_for_selector("#shown:text-is('')", state="attached", timeout=5000)
        sink.write(smile)
        page.wait_for_selector("#shown:text-is('1 smiling')", timeout=5000)
        # Of a program that ended nothing is known any more.
        sink.close()
        page.wait_for_selector("#shown:text-is('')", state="attached", timeout=5000)
        assert not errors
        browser.close()


@pytest.fixture
def make_smile():
    from edgeau.results import FrameResult

    unit = ActionUnit("AU12", 0.9, active=True)
    face = Face(Box(0, 0, 1, 1), np.zeros((478, 3), np.float32), 0, None, {"AU12": unit})
    return lambda: FrameResult(0, 0.0, 0.0, 0, (face,))


@pytest.fixture(scope="module")
def analyzed(tmp_path_factory):
    """A folder with results/clip.csv and .jsonl."""
    from edgeau_apps.analyze.command import main

    folder = tmp_path_factory.mktemp("study")
    assert main(["clip", "--out", str(folder / "results"), "--pose", "--landmarks", "68", "-q"]) == 0
    return folder


def test_the_table_of_coming_from_is_read_as_shown(analyzed):
    pytest.importorskip("pandas")
    said = run(analyzed, python_of("coming-from.md"))
    assert float(re.search(r"highest probability of the smile: ([\d.]+)", said)[1]) > 0.9
    assert "share of frames in which AU12 was refused: 0.0" in said


def test_columns_signs_and_scales_are_what_coming_from_says(analyzed):
    rows = list(csv.DictReader((analyzed / "results" / "clip.csv").read_text(encoding="utf-8").splitlines()))
    frames = [
        json.loads(line)
        for line in (analyzed / "results" / "clip.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    for row, frame in list(zip(rows, frames, strict=True))[::20]:
        (face,) = frame["faces"]
        assert int(row["frame"]) == frame["index"] + 1
        pose = face["pose"]
        for column, angle in (
            ("pose_Rx", -pose["pitch"]),
            ("pose_Ry", -pose["yaw"]),
            ("pose_Rz", pose["roll"]),
        ):
            assert float(row[column]) == pytest.approx(math.radians(angle), abs=2e-3)
        assert row["pose_Tx"] == ""
        smile = face["aus"]["AU12"]
        assert float(row["AU12_p"]) == pytest.approx(smile["raw"], abs=1e-3)
        assert int(row["AU12_c"]) == smile["active"]
        if smile["intensity"] is not None:
            assert float(row["AU12_r"]) == pytest.approx(5 * smile["intensity"], abs=0.01)
        assert (row["AU45_c"], row["AU28_c"]) == (row["AU43_c"], "")
    assert {"x_0", "y_67", "AU12_p_left", "AU12_p_right"} <= rows[0].keys()
    assert not any(name.startswith("gaze") for name in rows[0])


@pytest.mark.slow
def test_a_rule_of_ones_own(tmp_path):
    said = run(tmp_path, python_of("no-emotions.md"))
    assert int(said.rpartition(": ")[2]) > 5
