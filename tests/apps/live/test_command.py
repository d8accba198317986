"""The command's errors, and the window's drawing without a screen."""

import cv2
import numpy as np
import pytest

from edgeau import Pipeline, open_source
from edgeau.action_units.names import MOVES
from edgeau.errors import InputError, UsageError
from edgeau_apps.live import overlay as module
from edgeau_apps.live.command import main
from edgeau_apps.live.overlay import _BAND, Overlay
from edgeau_apps.live.serve.listening import parse_address
from edgeau_apps.live.serve.viewer_camera import ViewerCamera, decoded
from edgeau_apps.live.session import SECONDS, History, WebcamSession
from edgeau_apps.live.tip import draw_tip, tip_words
from edgeau_apps.live.window import KEYS, _act, pointed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--source", "missing.mp4"], "missing.mp4"),
        (["--source", "clip", "--serve", "nonsense"], "HOST:PORT"),
        (["--source", "clip", "--bundle", "missing/", "--serve"], "missing"),
        (["--sauce", "clip"], "--help"),
    ],
)
def test_bad_input_is_one_line_and_code_2(arguments, words, capsys):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error


def test_addresses():
    assert parse_address("127.0.0.1:80") == ("127.0.0.1", 80)
    assert parse_address(":8765") == ("127.0.0.1", 8765)
    assert parse_address("[::1]:8765") == ("::1", 8765)
    for text in ("", "host", "host:0", "host:99999", "host:x", "host:\u00b2"):
        with pytest.raises(UsageError):
            parse_address(text)


def test_pictures_of_a_viewer_are_measured_before_they_are_unpacked():
    image = np.zeros((48, 64, 3), np.uint8)
    content = cv2.imencode(".jpg", image)[1].tobytes()
    assert decoded(content).shape == image.shape
    for bad in (b"", b"\xff\xd8", content[:100], b"GIF89a" + b"\x00" * 50):
        with pytest.raises(InputError):
            decoded(bad)


@pytest.mark.parametrize(
    "before", [b"", b"\xff\x01", b"\xff\xc0\x00\x11\x08\x00\x10\x00\x10\x03" + bytes(9), b"\xff\x00 any"]
)
def test_a_viewers_picture_that_unpacks_to_gigabytes_is_refused(before: bytes):
    content = bytearray(cv2.imencode(".jpg", np.zeros((64, 64, 3), np.uint8))[1].tobytes())
    place = content.index(b"\xff\xc0")
    content[place + 5 : place + 9] = (30_000).to_bytes(2, "big") * 2
    with pytest.raises(InputError, match="30000 x 30000 pixels is too large"):
        decoded(bytes(content[:2]) + before + bytes(content[2:]))


def test_the_newest_picture_of_a_viewer_wins_and_time_begins_with_it():
    camera = ViewerCamera()
    for value in (1, 2, 3):
        camera.give(np.full((4, 4, 3), value, np.uint8))
    source = camera.open()
    frames = iter(source)
    first = next(frames)
    assert (first.image[0, 0, 0], first.time_s) == (3, 0.0), "it was taken before the stream began"
    source.stop()
    assert next(frames, None) is None


def test_a_viewers_camera_outlives_a_stream_and_ends_with_the_viewer():
    camera = ViewerCamera()
    for value in (1, 2):
        with camera.open() as source:
            camera.give(np.full((4, 4, 3), value, np.uint8))
            assert next(iter(source)).image[0, 0, 0] == value
    camera.end()
    assert list(camera.open()) == []


def test_history_keeps_the_last_seconds():
    from edgeau.results import ActionUnit, Box, Face, FrameResult

    history = History()
    for step in range(200):
        unit = ActionUnit("AU12", step / 200, False)
        face = Face(Box(0, 0, 1, 1), np.zeros((468, 3), np.float32), 7, None, {"AU12": unit})
        history.add(FrameResult(step, step / 10, 0.0, 0, (face,)))
    points = history.of(7, "AU12")
    assert points[-1] == (0, 199 / 200, False)
    assert points[0][0] >= -SECONDS
    assert history.of(8, "AU12") == []


@pytest.fixture(scope="module")
def shown():
    """A session that has read half a second of the packaged clip, and its newest view."""
    session = WebcamSession(
        lambda artifact: Pipeline.load(artifact=artifact, threads=1, experimental=True),
        lambda: open_source("clip", real_time=True, repeat=True),
    )
    session.start()
    view = None
    while view is None or not view.result.faces or view.result.time_s < 0.5:
        _, view = session.wait(session.newest()[0], 30)
        assert session.alive, session.failure
    yield session, view
    session.close()


def test_large_timelines_have_a_row_for_every_two_aus_and_show_the_band(shown):
    session, view = shown
    overlay = Overlay(session, None)
    small = overlay.draw(view)
    overlay.timelines = True
    large = overlay.draw(view)
    assert large.shape[0] - small.shape[0] > 0.4 * view.frame.image.shape[0]
    strip = large[view.frame.image.shape[0] :]
    assert (strip == _BAND).all(axis=2).mean() > 0.1


def test_the_window_says_its_keys(shown, tmp_path):
    session, view = shown
    overlay = Overlay(session, None)
    quiet = overlay.draw(view)
    _act(ord("h"), session, overlay, tmp_path)
    assert overlay.help == ("h: keys",)
    _act(ord("h"), session, overlay, tmp_path)
    assert len(overlay.help) == len(KEYS)
    said = overlay.draw(view)
    frame = view.frame.image.shape
    assert (said != quiet)[: frame[0], : frame[1]].mean() > 0.05
    assert np.array_equal(said[: frame[0], frame[1] :], quiet[: frame[0], frame[1] :]), (
        "nothing covers the numbers"
    )


def places_of(overlay, view):
    """A grid of points of the drawn picture, and the label at each that has one."""
    height, width = overlay.draw(view).shape[:2]
    grid = [(x, y) for y in range(2, height, 4) for x in range(2, width, 8)]
    return {at: label for at in grid if (label := overlay.label_at(view, at)) is not None}


@pytest.mark.parametrize("timelines", [False, True])
def test_the_mouse_over_a_row_or_a_line_tells_what_the_action_unit_is(shown, timelines, monkeypatch):
    session, view = shown
    overlay = Overlay(session, None)
    overlay.timelines = timelines
    frame = view.frame.image.shape
    places = places_of(overlay, view)
    labels = list(view.result.faces[0].aus)
    beside = {label for (x, y), label in places.items() if x > frame[1] and y < frame[0]}
    below = {label for (_, y), label in places.items() if y >= frame[0]}
    assert beside == below == set(labels)
    assert not any(x < frame[1] and y < frame[0] for x, y in places), "the face is no row"
    told = []
    monkeypatch.setattr(module, "draw_tip", lambda _picture, label, at, _size: told.append((label, at)))
    moved = pointed(overlay)
    at = next(at for at, label in places.items() if label == "AU12")
    moved(cv2.EVENT_MOUSEMOVE, *at, 0, None)
    overlay.draw(view)
    moved(cv2.EVENT_LBUTTONDOWN, 1, 1, 0, None)
    overlay.draw(view)
    moved(cv2.EVENT_MOUSEMOVE, 1, 1, 0, None)
    overlay.draw(view)
    assert told == [("AU12", at)] * 2


def test_a_key_tells_one_action_unit_after_the_other(shown, monkeypatch):
    session, view = shown
    overlay = Overlay(session, None)
    told = []
    monkeypatch.setattr(module, "draw_tip", lambda _picture, label, _at, _size: told.append(label))
    overlay.draw(view)
    for _ in range(len(view.result.faces[0].aus) + 1):
        overlay.tell_next(view)
        overlay.draw(view)
    assert told == list(view.result.faces[0].aus), "and after the last one none"


def test_a_tip_says_the_plate_s_words_and_shows_its_pictures():
    assert tip_words("AU12")[0] == "AU12: Lip corner puller"
    assert " ".join(tip_words("AU12")[1:]) == MOVES[12]
    assert tip_words("AU28") == ["AU28: Lip suck"]
    for label, places in (("AU12", [(0, 0), (639, 0), (639, 479), (0, 479), (320, 240)]), ("AU28", [(5, 5)])):
        for at in places:
            picture = np.zeros((480, 640, 3), np.uint8)
            draw_tip(picture, label, at, 12)
            rows, columns = np.nonzero(picture.any(axis=2))
            whole = (rows.max() - rows.min() > 30) and (columns.max() - columns.min() > 60)
            assert whole
            if label == "AU12":
                assert picture.std() > 20, "the rendered faces are on it"
            assert not picture[at[1], at[0]].any(), "the point itself stays free"


def test_a_recording_of_the_window_is_a_table_json_lines_and_events(shown, tmp_path):
    session, _ = shown
    overlay = Overlay(session, None)
    _act(ord("r"), session, overlay, tmp_path)
    while session.recording.rows < 3:
        session.wait(session.newest()[0], 5)
    _act(ord("r"), session, overlay, tmp_path)
    assert {path.name[len("edgeau-20261129-051200") :] for path in tmp_path.iterdir()} == {
        ".csv",
        ".jsonl",
        ".events.csv",
    }
    assert session.said.startswith("wrote ")
