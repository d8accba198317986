"""Sessions that gave the golden answers on this machine, first in a child process: what crashes, hangs or eats memory ends nothing else."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from edgeau._system.cache import KeyedCache
from edgeau._system.child import MEMORY, run_in_child
from edgeau._system.processor import processor_identity
from edgeau.bundle.golden import check_golden, read_golden
from edgeau.bundle.load import Bundle, load_bundle
from edgeau.bundle.manifest import Artifact
from edgeau.bundle.signature.policy import SignaturePolicy
from edgeau.errors import BundleError, DependencyError, EngineError
from edgeau.runtimes import open_session
from edgeau.runtimes.precision import PRECISIONS
from edgeau.runtimes.session import EngineInfo, Session
from edgeau.runtimes.table import runtime_named, runtimes

__all__ = ["artifacts_in_child", "faults_of_first_meeting", "note_first_meeting", "open_verified"]

_log = logging.getLogger(__name__)

_MET = KeyedCache("met")
# By the facts of a meeting, for as long as this process lives: what crashed is not tried again for every number of threads, and a
# cache that cannot be written costs one child process a program.
_outcomes: dict[str, str | None] = {}
_VERIFIED = KeyedCache("golden")


def open_verified(
    bundle: Bundle, artifact: Artifact, *, threads: int | None = None, provider: str | None = None
) -> Session:
    """Open an artifact; when this engine first meets it on this machine, it must give the golden answers, first in a child process.

    Args:
        bundle: verified.
        artifact: artifact of the bundle.
        threads: that one inference may use; None takes the runtime's default.
        provider: the engine's device or kernel library; None takes the runtime's default.

    Raises:
        EngineError: the engine refuses the artifact, answers wrongly or crashes, or runtime or precision are not known.
        DependencyError: the engine's package is not installed.
    """
    if artifact.precision not in PRECISIONS:
        raise EngineError(
            f"{artifact.file} has the precision {artifact.precision!r}; this edgeau knows {', '.join(PRECISIONS)}: "
            "upgrade edgeau on this machine"
        )
    (fault,) = faults_of_first_meeting(bundle, (artifact,), provider=provider)
    if fault is not None:
        raise EngineError(fault)
    session = open_session(
        artifact.runtime,
        bundle.path(artifact.file),
        threads=threads,
        provider=provider,
        probabilities=artifact.answers == "probabilities",
    )
    try:
        _verify(bundle, artifact, session)
    except BaseException:
        session.close()
        raise
    return session


def _verify(bundle: Bundle, artifact: Artifact, session: Session) -> None:
    facts = _facts(bundle, artifact, session.describe())
    if _VERIFIED.get(facts) is not None:
        return
    manifest = bundle.manifest
    golden = read_golden(bundle.path(manifest.golden))
    check_golden(golden, artifact, session, manifest.input, manifest.labels)
    _VERIFIED.put(facts, {})


def _facts(bundle: Bundle, artifact: Artifact, info: EngineInfo) -> dict[str, Any]:
    """Everything that could change an answer."""
    return {
        "bundle": bundle.digest,
        "artifact": artifact.file,
        "engine": asdict(info),
        "processor": processor_identity(),
    }


def faults_of_first_meeting(
    bundle: Bundle, artifacts: Sequence[Artifact], *, provider: str | None = None
) -> list[str | None]:
    """Try in a child process what this machine has not met; what it has met costs a look into the cache.

    A meeting is one of a bundle's artifact, the engine's version and this processor. The number of threads is left out: it
    would make four meetings of one. TensorRT's are left out too: it builds an engine for minutes when it opens an artifact, on the
    board, with a GPU's memory.

    Args:
        bundle: verified.
        artifacts: of the bundle; one child process tries all that are new.
        provider: the engine's device or kernel library; None takes the runtime's default, and a limit of memory.

    Returns:
        For each artifact the fault, with its advice; None where it was met without one, or cannot be tried.
    """
    meetings = [_Meeting(one, _meeting_facts(bundle, one, provider)) for one in artifacts]
    new = [meeting for meeting in meetings if not meeting.is_known() and _is_tried(meeting.artifact)]
    while new:
        names = [[meeting.artifact.file, meeting.artifact.runtime] for meeting in new]
        memory = MEMORY if provider is None else None
        report = run_in_child(
            "edgeau.bundle.verification:artifacts_in_child",
            str(bundle.directory),
            names,
            provider,
            memory=memory,
        )
        if report is None:
            _log.info("%s: no child process can be started to test this machine's engines", bundle.directory)
            _outcomes.update((meeting.key, None) for meeting in new)
            break
        for meeting, fault in zip(new, report.said, strict=False):
            meeting.note(fault)
        new = new[len(report.said) :]
        if report.ended_by is None:
            break
        if new:
            blamed = new.pop(0)
            blamed.note(_ended(blamed.artifact, report.ended_by))
    return [_outcomes.get(meeting.key) for meeting in meetings]


def note_first_meeting(bundle: Bundle, artifact: Artifact, session: Session) -> None:
    """Remember that an artifact gave its golden answers in a process of its own, so that it need not be tried in another one.

    Args:
        bundle: verified.
        artifact: of the bundle.
        session: gave the answers, on the engine's default device.
    """
    _Meeting(artifact, _meeting_facts(bundle, artifact, None)).note(None)
    _VERIFIED.put(_facts(bundle, artifact, session.describe()), {})


def artifacts_in_child(directory: str, names: list[list[str]], provider: str | None) -> Iterator[str | None]:
    """Open artifacts and run their golden answers: what the child process does.

    Args:
        directory: of the bundle.
        names: file and runtime of each artifact.
        provider: see :func:`faults_of_first_meeting`.

    Yields:
        The fault of each; None where there is none, or one that needs no engine to be found.
    """
    # The parent applied its policy: what the environment says may be another, and the folder is what that gave.
    bundle = load_bundle(directory, signatures=SignaturePolicy("off"))
    manifest = bundle.manifest
    golden = read_golden(bundle.path(manifest.golden))
    artifacts = {(one.file, one.runtime): one for one in bundle.artifacts()}
    for file, runtime in names:
        artifact = artifacts[file, runtime]
        answers = artifact.answers == "probabilities"
        fault: str | None = None
        try:
            with open_session(
                runtime, bundle.path(file), threads=1, provider=provider, probabilities=answers
            ) as session:
                check_golden(golden, artifact, session, manifest.input, manifest.labels)
        except EngineError as error:
            fault = str(error)
        except (DependencyError, BundleError):
            pass
        except MemoryError:
            fault = f"{file} needs more than {MEMORY >> 30} GiB of memory; export the bundle again"
        yield fault


def _is_tried(artifact: Artifact) -> bool:
    if artifact.precision not in PRECISIONS or artifact.runtime not in runtimes():
        return False  # refused without an engine
    row = runtime_named(artifact.runtime)
    return not (row.measured_by or row.simulator) and bool(row.installed())


class _Meeting:
    """An artifact and everything that could turn a good meeting into a bad one."""

    def __init__(self, artifact: Artifact, facts: dict[str, Any]) -> None:
        self.artifact = artifact
        self._facts = facts
        self.key = repr(facts)

    def is_known(self) -> bool:
        if self.key not in _outcomes and _MET.get(self._facts) is not None:
            _outcomes[self.key] = None
        return self.key in _outcomes

    def note(self, fault: str | None) -> None:
        _outcomes[self.key] = fault
        if fault is None:
            _MET.put(self._facts, {})


def _ended(artifact: Artifact, by: str) -> str:
    return (
        f"{runtime_named(artifact.runtime).title} crashed the process that tested {artifact.file} ({by}): the file is "
        "damaged, or the engine has a fault; export the bundle again, or install another version of the engine"
    )


def _meeting_facts(bundle: Bundle, artifact: Artifact, provider: str | None) -> dict[str, Any]:
    return {
        "bundle": bundle.digest,
        "artifact": artifact.file,
        "runtime": artifact.runtime,
        "engine": runtime_named(artifact.runtime).installed() if artifact.runtime in runtimes() else {},
        "provider": provider,
        "processor": processor_identity(),
    }
