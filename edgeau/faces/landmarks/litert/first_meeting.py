"""The first meeting of LiteRT with landmark networks happens in a child process: files that crash it end nothing else."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edgeau import errors
from edgeau._system.cache import KeyedCache
from edgeau._system.child import ChildReport, run_in_child
from edgeau._system.processor import processor_identity
from edgeau.errors import EngineError, UserError
from edgeau.faces.landmarks.litert.landmarker import LiteRtLandmarker
from edgeau.faces.landmarks.mediapipe_models import ADVICE, LandmarkModels, read_models
from edgeau.runtimes.table import runtimes
from edgeau.sources.opening import open_source

__all__ = ["check_first_meeting", "networks_in_child", "note_first_meeting"]

_log = logging.getLogger(__name__)

_MET = KeyedCache("met")
# By the facts of a meeting, for as long as this process lives: what is wrong with the networks.
_outcomes: dict[str, UserError | None] = {}


def check_first_meeting(models: Path | None) -> None:
    """Try networks that this machine has not met in a child process, with limits of memory and time.

    Args:
        models: where they are, see :func:`edgeau.faces.landmarks.mediapipe_models.read_models`.

    Raises:
        DependencyError: no models are there.
        EngineError: they ended the child, or LiteRT refused them there.
        InputError: ``models`` has none of them, or they are other networks.
    """
    files = read_models(models)
    facts = _meeting_facts(files)
    key = repr(facts)
    if key not in _outcomes and _MET.get(facts) is None:
        report = run_in_child(
            "edgeau.faces.landmarks.litert.first_meeting:networks_in_child",
            None if models is None else str(models),
        )
        if report is None:
            _log.info("%s: no child process could try the landmark networks", files.place)
        _outcomes[key] = None if report is None else _fault(report, files.place)
        if report is not None and _outcomes[key] is None:
            _MET.put(facts, {})
    fault = _outcomes.get(key)
    if fault is not None:
        raise type(fault)(str(fault))  # a new one: each has a trace of its own


def note_first_meeting(models: Path | None) -> None:
    """Remember that networks found a face in a process of their own, so that they need not be tried in another one.

    Args:
        models: as for :func:`check_first_meeting`.
    """
    _MET.put(_meeting_facts(read_models(models)), {})


def _meeting_facts(files: LandmarkModels) -> dict[str, Any]:
    """Everything that could turn a good meeting into a bad one."""
    return {
        "landmark_networks": [
            hashlib.sha256(one.content).hexdigest() for one in (files.detector, files.mesh)
        ],
        "engine": runtimes()["litert"].installed(),
        "processor": processor_identity(),
    }


def _fault(report: ChildReport, place: Path) -> UserError | None:
    """The fault of networks that a child tried; None where there is none."""
    if report.ended_by is not None:
        return EngineError(
            f"LiteRT crashed the process that tested the face landmark networks of {place} ({report.ended_by}): they are "
            f"damaged, or LiteRT has a fault; {ADVICE}, or install another version of LiteRT"
        )
    # What LiteRT refuses in one process may crash it in another, so the child's word is taken.
    (refusal,) = report.said
    return None if refusal is None else getattr(errors, refusal[0])(refusal[1])


def networks_in_child(models: str | None) -> Iterator[tuple[str, str] | None]:
    """Look for the face of the packaged clip: what the child process does; the class and the message of a refusal, else None."""
    place = None if models is None else Path(models)
    try:
        with (
            LiteRtLandmarker(static=True, max_faces=1, models=place) as landmarker,
            open_source("clip") as source,
        ):
            landmarker.find(next(iter(source)).image)
    except UserError as error:
        yield type(error).__name__, str(error)
    else:
        yield None
