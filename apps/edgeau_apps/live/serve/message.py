"""A view as the page gets it: numbers only, in one JSON message."""

from __future__ import annotations

import json
from typing import Any

from edgeau.action_units.names import DEFAULT, MOVES, au_number_or_none, facs_name
from edgeau.annotation import palette
from edgeau.live import View
from edgeau.results import REASONS, ActionUnit, Face
from edgeau_apps.live.session import WebcamSession

__all__ = ["about", "numbers"]


def about(session: WebcamSession, *, video: bool, share: bool = False) -> dict[str, Any]:
    """Collect what the page must know once."""
    network = session.bundle.manifest.network
    return {
        "labels": list(session.labels),
        "names": {label: facs_name(label) for label in session.labels},
        "moves": {label: MOVES.get(au_number_or_none(label) or 0, "") for label in session.labels},
        "plate": [label for label in session.labels if label in DEFAULT],
        "share": share,
        "experimental": [label for label in session.bundle.manifest.experimental if label in session.labels],
        "reasons": REASONS,
        "bands": {label: [round(end, 4) for end in band] for label, band in session.bands.items()},
        "smallest_face": session.smallest_face,
        "colours": [f"#{red:02x}{green:02x}{blue:02x}" for blue, green, red in palette.FACES],
        "thresholds": {label: round(value, 4) for label, value in session.thresholds.items()},
        "network": network.title,
        "trained": network.trained,
        "engine": session.engine(),
        "precision": session.precision(),
        "video": video,
        "smoothed_s": session.smoothed_s,
        "also": list(session.optional_outputs),
        "neutral": session.bundle.manifest.landmark_model is not None,
    }


def numbers(session: WebcamSession, view: View) -> str:
    """One result, and the state of the program."""
    result, counters, calibration = view.result, session.counters(), session.calibration
    height, width = view.frame.image.shape[:2]
    message = {
        "index": result.index,
        "time": round(result.time_s, 3),
        "age_ms": round(1e3 * result.age_s, 1),
        "fps": 0.0 if counters is None else round(counters.fps, 1),
        "every": result.every,
        "dropped": 0 if counters is None else sum(counters.dropped.values()),
        "frame": [width, height],
        "faces": [_face(face) for face in result.faces],
        "events": [
            {
                "kind": one.kind,
                "label": one.label,
                "face": one.track_id,
                "time": round(one.time_s, 2),
                "side": one.side,
            }
            for one in list(session.happened)[-8:]
        ],
        "recording": session.is_recording,
        "recorded": 0 if session.recording is None else session.recording.rows,
        "calibrating": None if calibration is None else round(calibration.progress, 2),
        "said": session.said,
        "engine": session.engine(),
        "precision": session.precision(),
        "artifact": session.artifact,
    }
    return json.dumps(message, allow_nan=False)


def _face(face: Face) -> dict[str, Any]:
    """Eyes and blendshapes only where they were asked for."""
    box = face.box
    message: dict[str, Any] = {
        "id": face.track_id,
        "box": [round(value, 1) for value in (box.left, box.top, box.width, box.height)],
        "pose": None
        if face.pose is None
        else [round(value, 1) for value in (face.pose.pitch, face.pose.yaw, face.pose.roll)],
        "aus": {name: None if unit.probability is None else _unit(unit) for name, unit in face.aus.items()},
        "reasons": {name: unit.reason for name, unit in face.aus.items() if unit.reason is not None},
    }
    if face.eyes is not None:
        message["eyes"] = [round(face.eyes.pitch), round(face.eyes.yaw)]
    if face.blendshapes is not None:
        message["blendshapes"] = {name: round(weight, 2) for name, weight in face.blendshapes.items()}
    return message


def _unit(unit: ActionUnit) -> list[float | bool]:
    """Probability and decision; then the person's own left and right side, where they are told apart."""
    sides = [unit.left, unit.right]
    return [
        round(unit.probability or 0.0, 3),
        bool(unit.active),
        *(round(side, 3) for side in sides if side is not None),
    ]
