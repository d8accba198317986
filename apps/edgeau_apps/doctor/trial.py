"""One trial in a process of its own: a landmarker, an artifact of a bundle, or whole frames; its outcome is JSON on stdout.

``python -m edgeau_apps.doctor.trial landmarker litert BUNDLE``, ``... artifact NAME BUNDLE``, ``... frame NAME BUNDLE``. An engine that
crashes ends this process and not the doctor's.
"""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from itertools import islice

from edgeau._system.child import CPU_SECONDS, MEMORY
from edgeau._system.timing import RunTimes
from edgeau.bundle import Bundle, bundle_folder, load_bundle
from edgeau.errors import EdgeauError, InputError

__all__ = ["main"]

_FRAMES = 8


def main(argv: list[str]) -> int:
    """Run one trial; returns its exit code."""
    kind, name, path = argv
    try:
        bundle = load_bundle(bundle_folder(path or None))
        says, milliseconds = _TRIALS[kind](name, bundle)
    except EdgeauError as error:
        print(json.dumps({"fault": " ".join(str(error).split()), "advises": True}))
        return 1
    print(json.dumps({"says": says, "milliseconds": milliseconds}))
    return 0


def _landmarker(kind: str, bundle: Bundle) -> tuple[str, float]:
    from edgeau import open_source
    from edgeau.faces.landmarks import open_landmarker
    from edgeau.faces.landmarks.litert.first_meeting import note_first_meeting
    from edgeau.faces.landmarks.litert.landmarker import LiteRtLandmarker
    from edgeau.faces.landmarks.mediapipe_models import ENVIRONMENT

    # This process is the doctor's child, so that LiteRT need not meet the networks in a further one.
    networks = None if os.environ.get(ENVIRONMENT) else bundle.landmark_networks
    in_litert = kind == "litert"
    opened = (
        LiteRtLandmarker(static=False, max_faces=1, models=networks)
        if in_litert
        else open_landmarker(kind=kind)
    )
    with opened as landmarker, open_source("clip") as source:
        times = RunTimes()
        for frame in islice(source, _FRAMES):
            if not times.run(partial(landmarker.detect, frame.image)):
                raise InputError(f"{landmarker.describe()} found no face in a packaged frame; report it")
        if in_litert and _is_within_limits():
            note_first_meeting(networks)
        says = f"{landmarker.describe()}: finds the face of the packaged clip, {times.best_ms:.1f} ms a frame"
        return says, times.best_ms


def _artifact(name: str, bundle: Bundle) -> tuple[str, float]:
    from edgeau.bundle.golden import check_golden, read_golden
    from edgeau.bundle.preprocessing import input_of
    from edgeau.bundle.verification import note_first_meeting
    from edgeau.runtimes import open_session

    artifact = bundle.artifacts(name)[0]
    manifest = bundle.manifest
    golden = read_golden(bundle.path(manifest.golden))
    answers = artifact.answers == "probabilities"
    file = bundle.path(artifact.file)
    with open_session(artifact.runtime, file, threads=1, probabilities=answers) as session:
        check_golden(golden, artifact, session, manifest.input, manifest.labels)
        if _is_within_limits():  # this process is the doctor's child
            note_first_meeting(bundle, artifact, session)
        face = input_of(session, manifest.input, golden.crops[:1])
        times = RunTimes()
        for _ in range(3):
            times.run(partial(session.run, face))
        says = f"{name} gives its golden answers in {session.describe()}, {times.best_ms:.1f} ms a face, one thread"
        return says, times.best_ms


def _frame(name: str, bundle: Bundle) -> tuple[str, float]:
    from edgeau import Pipeline, open_source

    # One artifact with one thread: nothing is left to choose, so that no engine is timed once more.
    loaded = Pipeline.load(bundle.directory, artifact=name, threads=1, max_faces=1)
    with loaded as pipeline, open_source("clip") as source:
        times = RunTimes()
        for frame in islice(source, _FRAMES):
            result = times.run(partial(pipeline.process, frame.image))
            if not result.faces:
                raise InputError("no face was found in a packaged frame; report it")
        (median,) = times.percentiles_ms(50)
        says = (
            f"{median:.0f} ms from picture to action units, {pipeline.artifact.file} in {pipeline.describe()}"
        )
        return says, median


def _is_within_limits() -> bool:
    """Tell whether this process took no more memory and time than a first meeting is given."""
    try:
        import resource
    except ImportError:  # not a Unix
        return False
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_maxrss << 10 < MEMORY and used.ru_utime + used.ru_stime < CPU_SECONDS


_TRIALS = {"landmarker": _landmarker, "artifact": _artifact, "frame": _frame}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
