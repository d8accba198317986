"""The first artifact of a bundle that this machine runs rightly."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from edgeau.backends import open_session
from edgeau.bundle.bundle import Bundle
from edgeau.bundle.golden import check_golden, read_golden
from edgeau.bundle.manifest import Artifact
from edgeau.bundle.remembered import is_remembered, remember
from edgeau.errors import DependencyError, EngineError, UserError
from edgeau.session import Session

__all__ = ["Engine", "open_engine"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Engine:
    """A session that gave the golden answers, and the artifact that it runs."""

    session: Session
    artifact: Artifact


def open_engine(
    bundle: Bundle, engine: str | None = None, *, threads: int | None = None, provider: str | None = None
) -> Engine:
    """Try a bundle's artifacts in their order; each one that does not work is named in a warning of ``logging``.

    An engine must give the golden answers when it first meets an artifact on a machine; that it did is remembered in
    the user's cache.

    Args:
        bundle: verified.
        engine: which artifacts may be tried, see :meth:`edgeau.bundle.Bundle.artifacts`; None for all.
        threads: that one inference may use; None takes the backend's default.
        provider: the engine's device or kernel library; None takes the backend's default.

    Raises:
        EngineError: no artifact works; the message says why for each.
        DependencyError: the only artifact that may be tried needs a package that is not installed.
    """
    faults: list[UserError] = []
    candidates = bundle.artifacts(engine)
    for number, artifact in enumerate(candidates, 1):
        tried = _try(bundle, artifact, threads, provider)
        if isinstance(tried, Engine):
            return tried
        faults.append(tried)
        if number < len(candidates):
            _log.warning("%s is not used: %s; trying %s", artifact.file, tried, candidates[number].file)
    if len(faults) == 1:
        raise faults[0]
    reasons = "; ".join(f"{a.file}: {fault}" for a, fault in zip(candidates, faults, strict=True))
    raise EngineError(f"no artifact of bundle {bundle.directory} runs on this machine: {reasons}")


def _try(
    bundle: Bundle, artifact: Artifact, threads: int | None, provider: str | None
) -> Engine | EngineError | DependencyError:
    try:
        return Engine(_open_right(bundle, artifact, threads, provider), artifact)
    except (EngineError, DependencyError) as error:
        return error


def _open_right(bundle: Bundle, artifact: Artifact, threads: int | None, provider: str | None) -> Session:
    file = bundle.path(artifact.file)
    session = open_session(artifact.runtime, file, threads=threads, provider=provider)
    try:
        _judge(bundle, artifact, session)
    except BaseException:
        session.close()
        raise
    return session


def _judge(bundle: Bundle, artifact: Artifact, session: Session) -> None:
    info = session.describe()
    if is_remembered(bundle, artifact, info):
        return
    manifest = bundle.manifest
    golden = read_golden(Path(bundle.path(manifest.golden)))
    check_golden(golden, artifact, session, manifest.input, manifest.labels)
    remember(bundle, artifact, info)
