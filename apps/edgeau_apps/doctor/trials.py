"""Trials of the doctor, which believes nothing untried: landmarkers, every artifact of a bundle, and whole frames."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from edgeau._system.child import SAME_PATH
from edgeau._system.json_text import parse_json
from edgeau._system.tool_environment import TOOLS
from edgeau.errors import EdgeauError
from edgeau.faces.landmarks.mediapipe_models import installed_models, models_place
from edgeau.runtimes.table import runtimes
from edgeau_apps.doctor.finding import LONGER, Finding
from edgeau_apps.doctor.machine import MachineDescription

__all__ = ["TIME_LIMIT", "try_machine"]

TIME_LIMIT = 60.0
"""Seconds that one trial may take."""

# Two at a time: each keeps one core busy.
_AT_ONCE = 2
_REPORT = "edgeau-doctor --json > machine.json, and report it"
# The message of an error of edgeau says what to do.
_AS_SAID = "what the line says, then run edgeau-doctor again"


@dataclass(frozen=True)
class _Trial:
    """A trial and its outcome: one of ``says``, ``fault`` and ``unfinished``.

    Attributes:
        kind: landmarker, artifact or frame.
        name: what was tried.
        says: what works.
        milliseconds: time of one run of it.
        fault: what went wrong.
        advises: whether ``fault`` says what to do.
        unfinished: that it did not end in time.
    """

    kind: str
    name: str
    says: str = ""
    milliseconds: float = 0.0
    fault: str = ""
    advises: bool = False
    unfinished: str = ""

    @property
    def fix(self) -> str:
        """Advise what to do about ``fault``."""
        return _AS_SAID if self.advises else _REPORT


def try_machine(
    machine: MachineDescription, bundle: str | None, *, time_limit: float = TIME_LIMIT
) -> Iterator[Finding]:
    """Findings of every trial that this machine can be put to.

    Args:
        machine: this one.
        bundle: whose artifacts are tried; None takes the packaged default.
        time_limit: time limit of each trial, seconds. A trial that it ends is a warning: nothing is known of what it tried.
    """
    if machine.version("numpy") is None or not _has_opencv(machine):
        return  # named already, and nothing can run without them
    try:
        artifacts, brings_networks = _of_bundle(bundle)
    except (EdgeauError, OSError, ValueError, KeyError, TypeError) as error:
        where = bundle or "the packaged default"
        yield Finding(
            "problem",
            "bundle",
            f"{where} cannot be read ({error})",
            "copy or export it again, or install edgeau again",
        )
        return
    wanted = [("landmarker", kind) for kind in _landmarkers(machine, brings_networks=brings_networks)]
    wanted += [("artifact", name) for name in _artifacts(machine, artifacts)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        done = list(pool.map(lambda item: _tried(item[0], item[1], bundle, time_limit), wanted))
    faults = {trial.fault for trial in done}
    if len(done) > 1 and len(faults) == 1 and "" not in faults:  # of the bundle, then
        yield Finding("problem", "bundle", done[0].fault, done[0].fix)
        return
    yield from _findings(done, "landmarker")
    yield from _findings(done, "artifact")
    tried = [trial for trial in done if trial.kind == "artifact"]
    if tried:
        # By itself: its time would be that of the others.
        fastest = min(tried, key=lambda trial: (not trial.says, trial.milliseconds))
        yield from _findings([_tried("frame", fastest.name, bundle, time_limit)], "frame")


def _findings(trials: Sequence[_Trial], kind: str) -> Iterator[Finding]:
    """Turn trials into findings: what works is good; what does not is a problem where nothing else of its kind does."""
    mine = [trial for trial in trials if trial.kind == kind]
    works = any(trial.says for trial in mine)
    for trial in mine:
        if trial.says:
            yield Finding("good", f"{kind} tried", trial.says)
        elif trial.unfinished:
            yield Finding("warning", f"{kind} tried", f"{trial.name}: {trial.unfinished}", LONGER)
        else:
            level = "warning" if works else "problem"
            yield Finding(level, f"{kind} tried", f"{trial.name}: {trial.fault}", trial.fix)


def _tried(kind: str, name: str, bundle: str | None, time_limit: float) -> _Trial:
    environment = {**os.environ, "ORT_DISABLE_TELEMETRY": "1", "OMP_NUM_THREADS": "1"}
    code = f"{SAME_PATH}from edgeau_apps.doctor.trial import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, repr(sys.path), kind, name, bundle or ""]
    try:
        done = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",  # native code need not write in this machine's encoding
            timeout=time_limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _Trial(
            kind,
            name,
            unfinished=f"not finished after {time_limit:g} seconds, so it is not known whether it works",
        )
    except OSError as error:
        return _Trial(kind, name, fault=f"could not be tried ({error})")
    said = done.stdout.strip().splitlines()
    try:
        return _Trial(kind, name, **parse_json(said[-1]))
    except (IndexError, ValueError, TypeError):
        lines = done.stderr.strip().splitlines()
        why = lines[-1] if lines else f"it ended with code {done.returncode}"
        return _Trial(
            kind, name, fault=why if done.returncode >= 0 else f"it crashed (signal {-done.returncode})"
        )


def _artifacts(machine: MachineDescription, of_bundle: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    """List what can be opened here, as :meth:`edgeau.bundle.Bundle.artifacts` lists it and names it."""
    for file, runtime, _ in of_bundle:
        if _has_engine(machine, runtime):
            yield file
    own = {runtime for _, runtime, _ in of_bundle}
    for row in runtimes().values():
        if row.name not in own and _has_engine(machine, row.name):
            fitting = [item for item in of_bundle if item[1] in row.opens_those_of]
            names = (f"{row.name}/{item[2]}" for item in fitting if item[2] in row.precisions)
            yield from dict.fromkeys(names)


def _of_bundle(bundle: str | None) -> tuple[list[tuple[str, str, str]], bool]:
    """File, runtime, precision of each artifact, and whether landmark networks are there; from its manifest alone."""
    from edgeau.bundle import bundle_folder

    folder = bundle_folder(bundle)
    manifest = parse_json((folder / "manifest.json").read_text("utf-8"))
    artifacts = [(item["file"], item["runtime"], item["precision"]) for item in manifest["artifacts"]]
    return artifacts, manifest.get("landmarks") is not None


def _landmarkers(machine: MachineDescription, *, brings_networks: bool) -> Iterator[str]:
    litert = machine.version("ai-edge-litert") or machine.version("tflite-runtime")
    if litert and (brings_networks or models_place() is not None):
        yield "litert"
    if installed_models() is not None:
        yield "solutions"


def _has_engine(machine: MachineDescription, runtime: str) -> bool:
    """Tell whether an artifact can be opened as it is; engines that a board builds first (edgeau finish) cannot."""
    row = runtimes().get(runtime)
    if row is None or row.measured_by or row.simulator:
        return False
    if row.tool:
        return TOOLS[row.tool].distribution in machine.tools
    return any(name in machine.packages for name in row.distributions)


def _has_opencv(machine: MachineDescription) -> bool:
    return any(name.startswith("opencv") and name not in machine.broken for name in machine.packages)
