"""A camera in a real Chromium: the packaged clip is what its fake device shows."""

from __future__ import annotations

import cv2
import pytest

from edgeau import open_source

VALUE = "(au) => { const v = document.querySelector(`[data-au=${au}] .value`); return v ? parseFloat(v.textContent) : NaN; }"
DEVICE = ("--use-fake-device-for-media-stream",)
ALLOWED = ("--use-fake-ui-for-media-stream",)


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """The clip as JPEG pictures one after the other, which Chromium's fake camera repeats."""
    file = tmp_path_factory.mktemp("camera") / "clip.mjpeg"
    with open_source("clip") as source, file.open("wb") as out:
        for frame in source:
            out.write(cv2.imencode(".jpg", frame.image, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes())
    return file


@pytest.fixture(scope="module")
def with_camera(launch, film):
    return launch(*DEVICE, *ALLOWED, f"--use-file-for-fake-video-capture={film}")


def test_a_smile_before_the_camera_is_a_high_bar(site, serve, visit, with_camera):
    server = serve(site)
    page = visit(server.url, in_browser=with_camera)
    # The browser itself looks once, after a page has loaded, whether its service worker is still the newest.
    page.wait_for_timeout(3000)
    asked = len(server.asked)
    page.click("#camera")
    page.wait_for_selector(".au", timeout=30_000)
    assert float(page.inner_text("#first").split()[0]) < 3
    seen = []
    for _ in range(300):
        seen.append(page.evaluate(VALUE, "AU12"))
        if max(seen) > 0.7 and min(seen) < 0.2:
            break
        page.wait_for_timeout(100)
    assert max(seen) > 0.7
    assert min(seen) < 0.2
    assert page.inner_text("#state") == "running"
    assert int(page.inner_text("#fps")) >= 1
    page.click("#camera")
    assert page.get_attribute("#camera", "aria-pressed") == "false"
    assert page.evaluate("document.getElementById('film').srcObject") is None
    assert page.query_selector(".au") is None
    # Nothing was asked for: not of the server, and not of anybody else.
    assert server.asked[asked:] == []
    assert not page.errors


def test_a_lost_camera_is_said(site, serve, visit, with_camera):
    page = visit(serve(site).url, in_browser=with_camera)
    page.click("#camera")
    page.wait_for_selector(".au", timeout=30_000)
    # What a browser does when a plug is pulled: the track ends by itself.
    page.evaluate(
        "document.getElementById('film').srcObject.getVideoTracks()[0].dispatchEvent(new Event('ended'))"
    )
    page.wait_for_selector("#problem:not([hidden])")
    assert page.inner_text("#problem") == "The camera was lost. Connect it again, then press Camera."
    page.click("#camera")
    page.wait_for_selector(".au", timeout=30_000)
    assert not page.is_visible("#problem")


def test_a_camera_that_pauses_is_said(site, serve, visit, with_camera):
    page = visit(serve(site).url, in_browser=with_camera)
    page.click("#camera")
    page.wait_for_selector(".au", timeout=30_000)
    tell = "(kind) => document.getElementById('film').srcObject.getVideoTracks()[0].dispatchEvent(new Event(kind))"
    page.evaluate(tell, "mute")
    assert page.inner_text("#state") == "the camera sends no picture"
    assert not page.is_visible("#outlines")
    page.evaluate(tell, "unmute")
    assert page.inner_text("#state") == "running"


# A person takes a second to answer the browser's question.
ASKED = """{
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  window.given = [];
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const stream = await ask(wanted);
    window.given.push(stream.getVideoTracks()[0]);
    return stream;
  };
}
"""


def test_a_camera_that_is_asked_for_twice_is_used_once(site, serve, visit, with_camera):
    page = visit(serve(site).url, in_browser=with_camera, init_script=ASKED)
    page.click("#camera")
    page.click("#camera")
    page.wait_for_selector(".au", timeout=30_000)
    page.wait_for_function("() => window.given.length === 2")
    page.wait_for_timeout(500)
    assert page.evaluate("window.given.filter((track) => track.readyState === 'live').length") == 1
    assert page.inner_text("#state") == "running"
    page.click("#camera")
    assert page.evaluate("window.given.filter((track) => track.readyState === 'live').length") == 0


def test_a_camera_that_is_allowed_late_does_not_come_back(site, serve, visit, with_camera):
    page = visit(serve(site).url, in_browser=with_camera, init_script=ASKED)
    page.click("#camera")
    page.click("#clip")
    page.wait_for_selector(".au", timeout=30_000)
    page.wait_for_function("() => window.given.length === 1")
    page.wait_for_timeout(500)
    assert page.evaluate("window.given[0].readyState") == "ended"
    assert page.get_attribute("#camera", "aria-pressed") == "false"
    assert page.get_attribute("#clip", "aria-pressed") == "true"
    assert not page.is_visible("#problem"), page.inner_text("#problem")


def test_a_camera_that_is_not_allowed_is_said(site, serve, visit, launch):
    page = visit(serve(site).url, in_browser=launch(*DEVICE))  # nobody answers the question: it is refused
    page.click("#camera")
    page.wait_for_selector("#problem:not([hidden])")
    assert page.inner_text("#problem").startswith("The camera may not be used: allow it for this page")
    assert page.inner_text("#state") == "ready"


def test_no_camera_is_said_and_a_picture_still_works(site, serve, visit, launch, root):
    page = visit(serve(site).url, in_browser=launch(*ALLOWED))
    page.click("#camera")
    page.wait_for_selector("#problem:not([hidden])")
    assert page.inner_text("#problem").startswith("This device has no camera.")
    page.set_input_files("#file", root / "docs" / "portrait.jpg")
    page.wait_for_selector(".au", timeout=30_000)
    assert not page.is_visible("#problem")
