"""Sessions that gave the golden answers on this machine."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from edgeau._system.cache import KeyedCache
from edgeau._system.processor import processor_identity
from edgeau.bundle.golden import check_golden, read_golden
from edgeau.bundle.load import Bundle
from edgeau.bundle.manifest import Artifact
from edgeau.bundle.trial import faults_of_first_meeting
from edgeau.errors import EngineError
from edgeau.runtimes import open_session
from edgeau.runtimes.precision import PRECISIONS
from edgeau.runtimes.session import EngineInfo, Session

__all__ = ["open_verified"]

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
