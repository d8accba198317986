"""Sessions that gave the golden answers."""

from __future__ import annotations

from edgeau.bundle.golden import check_golden, read_golden
from edgeau.bundle.load import Bundle
from edgeau.bundle.manifest import Artifact
from edgeau.bundle.remembered import is_remembered, remember
from edgeau.runtimes import open_session
from edgeau.runtimes.session import Session

__all__ = ["open_judged"]


def open_judged(
    bundle: Bundle, artifact: Artifact, *, threads: int | None = None, provider: str | None = None
) -> Session:
    """Open an artifact; when this engine first meets it on this machine, it must give the golden answers.

    Args:
        bundle: verified.
        artifact: of the bundle.
        threads: that one inference may use; None takes the backend's default.
        provider: the engine's device or kernel library; None takes the backend's default.

    Raises:
        EngineError: the engine refuses the artifact, or answers wrongly.
        DependencyError: the engine's package is not installed.
    """
    session = open_session(artifact.runtime, bundle.path(artifact.file), threads=threads, provider=provider)
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
    golden = read_golden(bundle.path(manifest.golden))
    check_golden(golden, artifact, session, manifest.input, manifest.labels)
    remember(bundle, artifact, info)
