"""Engines that were found right on this machine, so that the golden answers run once and not at every start."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import asdict
from pathlib import Path

from edgeau._system.atomic_file import write_whole
from edgeau._system.cache import cache_directory
from edgeau._system.processor import processor_identity
from edgeau.bundle.load import Bundle
from edgeau.bundle.manifest import Artifact
from edgeau.errors import OutputError
from edgeau.runtimes.session import EngineInfo

__all__ = ["is_remembered", "remember"]

_log = logging.getLogger(__name__)


def is_remembered(bundle: Bundle, artifact: Artifact, info: EngineInfo) -> bool:
    """Whether this engine answered rightly on this artifact, bundle and processor before."""
    try:
        return _note(bundle, artifact, info).is_file()
    except (OSError, RuntimeError):
        return False


def remember(bundle: Bundle, artifact: Artifact, info: EngineInfo) -> None:
    """Note that it did. A cache that cannot be written costs a check at every start and nothing else."""
    try:
        facts = json.dumps(_facts(bundle, artifact, info), indent=2)
        write_whole(_note(bundle, artifact, info), facts.encode())
    except (OutputError, RuntimeError) as error:
        _log.info("cannot remember that %s answers rightly: %s", info, error)


def _note(bundle: Bundle, artifact: Artifact, info: EngineInfo) -> Path:
    facts = json.dumps(_facts(bundle, artifact, info), sort_keys=True)
    return cache_directory() / "golden" / f"{hashlib.sha256(facts.encode()).hexdigest()}.json"


def _facts(bundle: Bundle, artifact: Artifact, info: EngineInfo) -> dict[str, object]:
    """Everything that could change an answer."""
    return {
        "bundle": bundle.digest,
        "artifact": artifact.file,
        "engine": asdict(info),
        "processor": processor_identity(),
    }
