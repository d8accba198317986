"""The first meeting of LiteRT with landmark networks happens in a child process: files that crash it end nothing else."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path

from edgeau._system.cache import KeyedCache
from edgeau._system.child import run_in_child
from edgeau._system.processor import processor_identity
from edgeau.errors import EngineError
from edgeau.faces.landmarks.litert.landmarker import LiteRtLandmarker
from edgeau.faces.landmarks.mediapipe_models import ADVICE, read_models
from edgeau.runtimes.table import runtimes
from edgeau.sources.opening import open_source

__all__ = ["check_first_meeting", "networks_in_child"]

_log = logging.getLogger(__name__)

_MET = KeyedCache("met")
_ATTEMPTS = 8  # what a damaged network reads beside its memory does not end a process every time
# By the facts of a meeting, for as long as this process lives.
_outcomes: dict[str, str | None] = {}


def check_first_meeting(models: Path | None) -> None:
    """Try networks that this machine has not met in a child process, with limits of memory and time.

    Args:
        models: where they are, see :func:`edgeau.faces.landmarks.mediapipe_models.read_models`.

    Raises:
        DependencyError: no models are there.
        EngineError: they ended the child.
        InputError: ``models`` has none of them.
    """
    files = read_models(models)
    facts = {
        "landmark_networks": [
            hashlib.sha256(one.content).hexdigest() for one in (files.detector, files.mesh)
        ],
        "engine": runtimes()["litert"].installed(),
        "processor": processor_identity(),
    }
    key = repr(facts)
    if key not in _outcomes and _MET.get(facts) is None:
        report = run_in_child(
            "edgeau.faces.landmarks.litert.first_meeting:networks_in_child",
            None if models is None else str(models),
        )
        _outcomes[key] = None if report is None else report.ended_by
        if report is None:
            # It refuses them in words, which will be heard here too, or no child could be started.
            _log.info("%s: no child process could try the landmark networks", files.place)
        elif report.ended_by is None:
            _MET.put(facts, {})
    ended_by = _outcomes.get(key)
    if ended_by is not None:
        raise EngineError(
            f"LiteRT crashed the process that tested the face landmark networks of {files.place} ({ended_by}): they are "
            f"damaged, or LiteRT has a fault; {ADVICE}, or install another version of LiteRT"
        )


def networks_in_child(models: str | None) -> Iterator[None]:
    """Look for the face of the packaged clip: what the child process does."""
    place = None if models is None else Path(models)
    with open_source("clip") as source:
        image = next(iter(source)).image
    for _ in range(_ATTEMPTS):
        with LiteRtLandmarker(static=True, max_faces=1, models=place) as landmarker:
            landmarker.find(image)
    yield None
