"""The page in a real Chromium, on the packaged clip."""

import csv
import json
import math
import re
import time
from pathlib import Path

import cv2
import pytest

VALUE = "(au) => { const v = document.querySelector(`[data-au=${au}] .value`); return v ? parseFloat(v.textContent) : NaN; }"


def wait_until(page, expression, seconds=20):
    """Until an expression is true; Playwright's own way evaluates text inside the page, which its policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(100)


@pytest.fixture
def page(browser, server):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    one = context.new_page()
    one.errors = []
    one.on("pageerror", lambda error: one.errors.append(str(error)))
    one.on("console", lambda m: one.errors.append(m.text) if m.type == "error" else None)
    one.goto(server.url)
    one.wait_for_selector(".au", timeout=60_000)
    yield one
    context.close()


def test_bars_move_with_the_clip_and_a_smile_is_a_high_bar(page):
    seen = []
    end = time.monotonic() + 20  # the clip smiles once in ten seconds
    while time.monotonic() < end and not (seen and max(seen) > 0.7 and min(seen) < 0.2):
        value = page.evaluate(VALUE, "AU12")
        if not math.isnan(value):
            seen.append(value)
        page.wait_for_timeout(100)
    assert min(seen) < 0.2
    assert max(seen) > 0.7
    assert page.evaluate("document.getElementById('video').naturalWidth") > 100
    assert not page.errors


SIDES = """(au) => { const t = document.querySelector(`[data-au=${au}] .track`), m = t.getBoundingClientRect();
  const arm = (name) => t.querySelector(name).getBoundingClientRect();
  return { sided: t.classList.contains('sided'), middle: m.left + m.width / 2, half: m.width / 2,
    left: [arm('.left').left, arm('.left').width], right: [arm('.right').right, arm('.right').width], fill: arm('.fill').width,
    ticks: [...t.querySelectorAll('.tick')].filter((one) => one.getClientRects().length).map((one) => one.getBoundingClientRect().left),
    said: t.getAttribute('aria-valuetext') }; }"""


def active_bar(page, au):
    """The bar of an AU, measured in the same moment in which its value is above .3: the clip goes on."""
    measured = f"(au) => parseFloat(document.querySelector(`[data-au=${{au}}] .value`).textContent) > 0.3 ? ({SIDES})(au) : null"
    end = time.monotonic() + 60
    while (bar := page.evaluate(measured, au)) is None:
        assert time.monotonic() < end, f"{au} stayed low"
        page.wait_for_timeout(30)
    return bar


def test_an_au_with_sides_has_two_arms_and_one_without_has_a_bar(page):
    bar = active_bar(page, "AU12")
    assert bar["sided"]
    assert bar["fill"] == 0
    # The person's left side grows to the right of the middle, the right side to its left, as the person is seen.
    assert bar["left"][0] == pytest.approx(bar["middle"], abs=1)
    assert bar["right"][0] == pytest.approx(bar["middle"], abs=1)
    left, right = (float(bar["said"].partition(f"{side} ")[2].split(",")[0]) for side in ("left", "right"))
    assert bar["left"][1] == pytest.approx(left * bar["half"], abs=1.5)
    assert bar["right"][1] == pytest.approx(right * bar["half"], abs=1.5)
    assert max(left, right) > 0.3
    assert sum(bar["ticks"]) / 2 == pytest.approx(bar["middle"], abs=2)
    whole = page.evaluate(SIDES, "AU25")
    assert not whole["sided"]
    assert (whole["left"][1], whole["right"][1], len(whole["ticks"])) == (0, 0, 1)
    assert not page.errors


def test_the_page_says_what_its_bars_show(page):
    said = page.evaluate("document.getElementById('meaning').textContent")
    assert "smoothed: at most 0." in said
    assert "own right side on the" in said
    assert "comes on above the upper edge of its band" in said


def test_action_units_have_their_names(page):
    names = page.eval_on_selector_all(".au .name small", "cells => cells.map(cell => cell.textContent)")
    assert "Lip corner puller" in names
    assert len(names) == page.evaluate("document.querySelectorAll('.au').length")
    assert page.evaluate("document.querySelectorAll('.mark').length") == 0, (
        "none is experimental unless asked for"
    )


def amended(browser, server, change):
    """The page with the server's own messages, each changed before it comes."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))

    def pass_on(socket):
        real = socket.connect_to_server()
        real.on_message(lambda text: socket.send(json.dumps(change(json.loads(text)))))

    page.route_web_socket("**/numbers", pass_on)
    page.goto(server.url)
    page.wait_for_selector(".au", timeout=60_000)
    return page


def test_a_refused_au_says_why_in_words_and_a_refused_face_says_it_once(browser, server):
    def change(message):
        for face in message["faces"]:
            face["aus"]["AU12"], face["reasons"]["AU12"] = None, "occluded"
        for face in message["faces"][:1]:
            aus = dict.fromkeys(face["aus"])
            message["faces"].append(face | {"id": 91, "aus": aus, "reasons": dict.fromkeys(aus, "size")})
        return message

    page = amended(browser, server, change)
    wait_until(page, "document.querySelectorAll('.face').length === 2")
    row = page.locator(".face:not(:has(.note:not([hidden]))) [data-au=AU12]")
    assert "Not read: something lies over the part of the face" in row.inner_text()
    assert row.locator(".track").is_hidden()
    refused = page.locator(".face", has_text="Face 91")
    assert refused.inner_text().split("\n\n") == ["Face 91", "Not read: the face has too few pixels."]
    colours = page.eval_on_selector_all(
        ".dot", "all => all.map((one) => getComputedStyle(one).backgroundColor)"
    )
    assert len(set(colours)) == 2, "as the outlines in the picture"
    assert not page.errors
    page.context.close()


def test_every_face_is_ordered_by_its_own_activity(browser, server):
    def change(message):
        for face in message["faces"][:1]:
            face["aus"] = {label: [0.1, False] for label in face["aus"]}
            other = face["aus"] | {"AU26": [0.9, True]}
            face["aus"] = face["aus"] | {"AU25": [0.9, True]}
            message["faces"].append(face | {"id": 91, "aus": other})
        return message

    page = amended(browser, server, change)
    page.click("#order")
    first = "document.querySelector('.face:nth-child(%d) .au').dataset.au === '%s'"
    wait_until(page, first % (1, "AU25"))
    wait_until(page, first % (2, "AU26"))
    page.context.close()


def test_a_recording_downloads_as_csv(page):
    page.click("#record")
    wait_until(page, "document.getElementById('record').textContent.includes('(')")
    page.wait_for_timeout(1500)
    page.click("#record")
    page.wait_for_selector("#download:not([hidden])")
    with page.expect_download() as download:
        page.click("#download")
    with Path(download.value.path()).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 5
    assert {"frame", "timestamp", "AU12_c", "AU12_p", "AU12_p_left", "AU12_p_right"} <= set(rows[0])
    assert all(0 <= float(row["AU12_p"]) <= 1 for row in rows if row["AU12_p"])


def test_a_recording_has_json_lines_and_events_and_begins_at_zero(page):
    page.click("#record")
    wait_until(page, "document.getElementById('record').textContent.includes('(')")
    page.wait_for_timeout(1000)
    page.click("#record")
    page.wait_for_selector("#saves:not([hidden])")
    with page.expect_download() as download:
        page.click("text=JSON lines")
    lines = [json.loads(line) for line in Path(download.value.path()).read_text().splitlines()]
    assert (lines[0]["index"], lines[0]["time_s"]) == (0, 0)
    with page.expect_download() as download:
        page.click("#saves >> text=Events")
    assert Path(download.value.path()).read_text().startswith("au,face_id,onset,offset")


def test_a_name_shows_what_moves_by_mouse_and_by_keyboard(page):
    tip = page.locator("#tip")
    assert tip.is_hidden()
    page.hover("[data-au=AU12] .word")
    wait_until(page, "document.getElementById('strip').naturalWidth > 500")
    assert "Corners of the lips go up" in tip.inner_text()
    page.mouse.move(5, 5)
    assert tip.is_hidden()
    page.focus("[data-au=AU4] .word")
    assert "Brows go down" in tip.inner_text()
    assert page.get_attribute("[data-au=AU4] .word", "aria-describedby") == "tip"
    page.keyboard.press("Escape")
    assert tip.is_hidden()
    assert not page.errors


ORDER = "() => [...document.querySelectorAll('.face:first-child .au')].map((row) => row.dataset.au)"


def test_the_most_active_come_first_when_asked(page):
    fixed = page.evaluate(ORDER)
    page.click("#order")
    page.mouse.move(5, 5)
    wait_until(
        page, f"JSON.stringify(({ORDER})()) !== {json.dumps(json.dumps(fixed, separators=(',', ':')))}"
    )
    page.click("#order")
    assert page.evaluate(ORDER) == fixed


def test_timelines_grow_and_show_threshold_and_band(page):
    small = page.evaluate("document.querySelector('[data-au=AU12] canvas').clientHeight")
    page.click("#large")
    page.wait_for_timeout(500)
    assert page.evaluate("document.querySelector('[data-au=AU12] canvas').clientHeight") > 2 * small
    # More than the line is drawn: the band lies across the whole width.
    colours = page.evaluate(
        """() => { const c = document.querySelector('[data-au=AU12] canvas'), d = c.getContext('2d').getImageData(2, 0, 1, c.height).data;
        let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n; }"""
    )
    assert colours > 10
    assert page.locator("#legend").is_visible()
    assert "8 s ago" in page.inner_text(".face .axis")


def test_timelines_mark_where_an_au_began_and_on_which_side(browser, server):
    def change(message):
        event = {
            "kind": "onset",
            "label": "AU9",
            "face": message["faces"][0]["id"],
            "time": 0,
            "side": "left",
        }
        message["events"] = [event | {"time": message["time"] - 0.5}] if message["faces"] else []
        for face in message["faces"]:
            face["aus"]["AU9"] = [0.0, False]
        return message

    page = amended(browser, server, change)
    page.click("#large")
    # Nothing else of AU9's timeline has this colour: it is never on.
    drawn = """() => { const c = document.querySelector('[data-au=AU9] canvas'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
        let n = 0; for (let i = 0; i < d.length; i += 4) n += d[i] === 0xc2 && d[i + 1] === 0x57 && d[i + 2] === 0x1a; return n > 100; }"""
    wait_until(page, f"({drawn})()")
    assert "on the left" in page.inner_text("#events")
    page.context.close()


def test_a_snapshot_is_the_picture(page):
    wait_until(page, "document.getElementById('video').naturalWidth > 100")
    with page.expect_download() as download:
        page.click("#snapshot")
    assert download.value.suggested_filename.startswith("edgeau-")
    picture = cv2.imread(str(download.value.path()))
    assert picture.shape[:2] == (480, 640)
    assert picture.std() > 20


def test_a_phone_gets_a_code_only_where_it_can_reach_the_page(page):
    assert page.locator("#share").is_hidden(), "this page is on the loopback"
    assert page.evaluate("fetch('share.svg').then((reply) => reply.status)") == 404
    assert page.evaluate(
        "fetch('favicon.svg').then((reply) => reply.headers.get('content-type'))"
    ).startswith("image/svg+xml")


def test_the_code_holds_address_and_token():
    from edgeau_apps.live.serve.server import _code, _reachable

    pytest.importorskip("segno")
    assert _reachable("192.168.1.5") == "192.168.1.5"
    assert not _reachable("0.0.0.0").startswith("0.")
    drawn = _code("http://192.168.1.5:8765/?token=abc").decode()
    assert drawn.startswith("<svg")
    assert "http" not in drawn.partition(">")[2], "it is drawn, not written"


def test_it_fits_a_phone_and_tips_stay_on_it(browser, server):
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark")
    page = context.new_page()
    page.goto(server.url)
    page.wait_for_selector(".au", timeout=60_000)
    page.click("[data-au=AU26] .word")
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    box = page.locator("#tip").bounding_box()
    assert 0 <= box["x"] <= box["x"] + box["width"] <= 390
    context.close()


def test_calibration_says_how_it_ended(page):
    page.click("#calibrate")
    wait_until(
        page,
        "/neutral face is set|did not keep still/.test(document.getElementById('state').textContent)",
        seconds=30,
    )


def test_artifacts_are_listed_side_by_side_and_changed(page):
    page.click("#measure")
    page.wait_for_selector("#artifacts tr", timeout=240_000)  # beside the stream, on a busy machine
    files = page.eval_on_selector_all(
        "#artifacts tr td:first-child", "cells => cells.map(cell => cell.textContent)"
    )
    assert "model.fp32.onnx" in files
    assert len(set(files)) == len(files), "one row an artifact"
    assert "while the stream ran" in page.inner_text("#artifacts-box caption")
    times = page.eval_on_selector_all(
        "#artifacts td:nth-child(5)", "cells => cells.map((cell) => +cell.textContent)"
    )
    assert all(ms > 0 for ms in times), "processor time"
    page.click("[aria-label='Use model.fp32.onnx']")
    wait_until(page, "document.getElementById('engine').textContent.includes('fp32')", seconds=240)
    wait_until(
        page, "document.querySelector('[data-artifact=\"model.fp32.onnx\"] strong:not([hidden])') !== null"
    )
    assert page.locator("#artifacts strong:visible").count() == 1
    threshold = page.evaluate(
        "fetch('about').then((reply) => reply.json()).then((about) => about.thresholds.AU25)"
    )
    tick = "parseFloat(document.querySelector('[data-au=AU25] .tick').style.left)"
    wait_until(page, f"Math.abs({tick} - {100 * threshold}) < 0.005")  # each artifact has its own


def test_a_second_viewer_sees_the_same(page, browser, server):
    context = browser.new_context(viewport={"width": 390, "height": 844})
    second = context.new_page()
    second.goto(server.url)
    second.wait_for_selector(".au", timeout=60_000)
    # Nothing is wider than a phone.
    assert second.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("document.querySelectorAll('.au').length") == second.evaluate(
        "document.querySelectorAll('.au').length"
    )
    context.close()


def test_it_can_be_used_with_the_keyboard_and_read_aloud(page):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "record"
    meter = page.locator("[data-au=AU12] [role=meter]")
    assert meter.get_attribute("aria-label") == "AU12, Lip corner puller"
    assert meter.get_attribute("aria-valuetext")


def test_the_viewers_camera_is_used_and_given_back(page):
    page.click("#camera")
    wait_until(page, "document.getElementById('camera').getAttribute('aria-pressed') === 'true'")
    # Chromium's fake camera shows no face.
    wait_until(page, "document.querySelectorAll('.face').length === 0", seconds=30)
    said = page.inner_text("#no-face")
    assert said == "No face in the picture. Faces from 11.5 % of the picture's long side on are found."
    page.click("#camera")
    page.wait_for_selector(".au", timeout=60_000)


def test_a_server_that_comes_back_is_found_again(browser, own_server):
    context = browser.new_context()
    page = context.new_page()
    page.goto(own_server.url)
    page.wait_for_selector(".au", timeout=60_000)
    own_server.stop()
    wait_until(page, "/does not answer|no answer/.test(document.getElementById('state').textContent)")
    own_server.start()
    wait_until(page, "document.getElementById('state').textContent === 'running'", seconds=60)
    page.wait_for_selector(".au", timeout=60_000)
    context.close()


@pytest.fixture(scope="module")
def generous(serve, shared_data):
    """A server that gives everything there is about a face."""
    task = shared_data / "face_landmarker.task"
    if not task.is_file():
        pytest.skip("needs Google's face_landmarker.task in ../shared/data")
    with serve("--also", "eyes", "--also", "blendshapes", "--landmarker-model", str(task)) as one:
        yield one


def test_eyes_are_marked_uncalibrated_and_their_dot_is_where_the_words_say(browser, serve):
    with serve("--also", "eyes") as server:
        page = browser.new_page()
        page.goto(server.url)
        page.wait_for_selector(".eyes", timeout=60_000)
        wait_until(page, "/uncalibrated: \\d/.test(document.querySelector('.eyes').textContent)")
        said, left, top = page.evaluate(
            "() => { const dot = document.querySelector('.look i'); return [document.querySelector('.eyes').textContent,"
            " parseFloat(dot.style.left), parseFloat(dot.style.top)]; }"
        )
        assert page.query_selector(".shapes") is None, "nobody asked for blendshapes"
        page.close()
    across, sideways, along, upward = re.search(r"(\d+)° (right|left), (\d+)° (up|down)", said).groups()
    assert left == pytest.approx(50 + 1.5 * int(across) * (1 if sideways == "right" else -1), abs=0.1)
    assert top == pytest.approx(50 - 1.5 * int(along) * (1 if upward == "up" else -1), abs=0.1)


def test_blendshapes_move_with_the_clip_once_they_are_opened(browser, generous):
    page = browser.new_page()
    page.goto(generous.url)
    page.wait_for_selector(".shapes", timeout=60_000)
    assert page.query_selector(".shape") is None
    page.click(".shapes summary")
    page.wait_for_selector(".shape")
    assert len(page.query_selector_all(".shape")) == 51
    seen = set()
    end = time.monotonic() + 30  # the clip smiles once in ten seconds
    while time.monotonic() < end and not (seen and max(seen) > 0.5 and min(seen) < 0.2):
        seen.add(float(page.inner_text("[data-shape=mouthSmileLeft] .value")))
        page.wait_for_timeout(100)
    assert min(seen) < 0.2
    assert max(seen) > 0.5
    page.close()


def test_what_was_not_asked_for_is_not_there(page):
    assert page.query_selector(".eyes, .shapes") is None


def axe_looks(browser, url, width, scheme, prepare):
    """Nothing that axe objects to on a page that ``prepare`` has brought into a state; gives the width that the page takes."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    ).Axe()
    # axe puts a script into the page, which the page's own policy forbids.
    context = browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme=scheme, bypass_csp=True
    )
    page = context.new_page()
    page.goto(url)
    prepare(page)
    found = axe.run(page)
    wide = page.evaluate("document.documentElement.scrollWidth")
    context.close()
    assert found.violations_count == 0, found.generate_report()
    return wide


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_no_violation_in_eyes_and_blendshapes(browser, generous, width, scheme):
    def unfolded(page):
        page.wait_for_selector(".shapes", timeout=60_000)
        page.click(".shapes summary")
        page.wait_for_selector(".shape")

    assert axe_looks(browser, generous.url, width, scheme, unfolded) == width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_no_violation(browser, server, width, scheme):
    def opened(page):
        page.wait_for_selector(".au", timeout=60_000)
        page.click("#large")
        page.click("#order")
        page.focus("[data-au=AU12] .word")
        page.evaluate(
            "document.getElementById('share-box').hidden = document.getElementById('saves').hidden = false"
        )
        page.wait_for_timeout(300)

    axe_looks(browser, server.url, width, scheme, opened)
