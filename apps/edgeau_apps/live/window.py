"""The window and its keys."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2

from edgeau._system.atomic_file import write_whole
from edgeau.errors import UserError
from edgeau.live import View
from edgeau_apps.live.overlay import Overlay
from edgeau_apps.live.recording import Kind
from edgeau_apps.live.session import WebcamSession

__all__ = ["KEYS", "can_open", "pointed", "show"]

KEYS = {
    "r": "start a recording, or stop it and write it",
    "n": "neutral calibration: keep a resting face for one second",
    "m": "mirror",
    "l": "landmarks",
    "s": "sparklines",
    "t": "large timelines, with thresholds, hysteresis bands and active spans",
    "a": "explain the next action unit; so does the mouse over its row or line",
    "h": "show these keys",
    "f": "full screen",
    "space": "pause",
    "q or Esc": "quit",
}
_TITLE = "edgeau"
_ESCAPE = 27
_HINT = ("h: keys",)
_FILES: dict[Kind, str] = {"csv": ".csv", "jsonl": ".jsonl", "events": ".events.csv"}


def can_open() -> str:
    """Nothing when a window can be opened here; otherwise why not. OpenCV itself would end the program."""
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return "there is no display"
    try:
        cv2.namedWindow(_TITLE, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
    except cv2.error:
        return "this OpenCV was built without windows"
    return ""


def show(session: WebcamSession, overlay: Overlay, out: Path) -> None:
    """Show views until the window is closed or the source ends.

    Args:
        session: started.
        overlay: draws.
        out: folder for recordings.
    """
    seen, paused, sized = 0, False, False
    shown: View | None = None
    overlay.help = _HINT
    cv2.setMouseCallback(_TITLE, pointed(overlay))
    while session.alive:
        seen, view = session.wait(seen, 0.1)
        shown = shown if paused else view
        if shown is not None:  # drawn again while paused: the mouse may point elsewhere
            picture = overlay.draw(shown)
            if not sized:
                cv2.resizeWindow(_TITLE, picture.shape[1], picture.shape[0])
                sized = True
            cv2.imshow(_TITLE, picture)
        key = cv2.waitKey(1) & 0xFF
        if key in (ord("q"), _ESCAPE) or _closed():
            break
        paused = not paused if key == ord(" ") else paused
        if key == ord("a") and shown is not None:
            overlay.tell_next(shown)
        _act(key, session, overlay, out)
    cv2.destroyAllWindows()


def pointed(overlay: Overlay) -> Callable[[int, int, int, int, object], None]:
    """OpenCV's mouse callback that tells the overlay where the mouse is, in pixels of the picture."""

    def moved(event: int, x: int, y: int, _flags: int, _parameter: object) -> None:
        if event == cv2.EVENT_MOUSEMOVE:
            overlay.pointer = (x, y)

    return moved


def _closed() -> bool:
    return cv2.getWindowProperty(_TITLE, cv2.WND_PROP_VISIBLE) < 1


def _act(key: int, session: WebcamSession, overlay: Overlay, out: Path) -> None:
    if key == ord("m"):
        overlay.mirror = not overlay.mirror
    elif key == ord("l"):
        overlay.landmarks = not overlay.landmarks
    elif key == ord("s"):
        overlay.sparklines = not overlay.sparklines
    elif key == ord("t"):
        overlay.timelines = not overlay.timelines
    elif key == ord("h"):
        overlay.help = _HINT if overlay.help != _HINT else [f"{one}: {what}" for one, what in KEYS.items()]
    elif key == ord("f"):
        full = cv2.getWindowProperty(_TITLE, cv2.WND_PROP_FULLSCREEN) == cv2.WINDOW_FULLSCREEN
        cv2.setWindowProperty(
            _TITLE, cv2.WND_PROP_FULLSCREEN, cv2.WINDOW_NORMAL if full else cv2.WINDOW_FULLSCREEN
        )
    elif key in (ord("r"), ord("n")):
        try:
            if key == ord("r"):
                _toggle_recording(session, out)
            else:
                session.calibrate()
        except UserError as error:  # said in the window, which goes on
            session.said = str(error)


def _toggle_recording(session: WebcamSession, out: Path) -> None:
    if not session.is_recording:
        session.record(on=True)
        return
    session.record(on=False)
    name = time.strftime("edgeau-%Y%m%d-%H%M%S")
    for kind, end in _FILES.items():
        content = session.fetch_recording(kind)
        if content is not None:
            write_whole(out / f"{name}{end}", content)
    session.said = f"wrote {out / name}{', '.join(_FILES.values())}"
