"""Bill of materials in CycloneDX 1.6 (ECMA-424): what is installed on this machine, and what a bundle is made of, as an ML-BOM.

https://cyclonedx.org/docs/1.6/json/
"""

from __future__ import annotations

import hashlib
import platform
import re
import uuid
from collections.abc import Iterator
from datetime import datetime, timezone
from importlib import metadata
from typing import Any

from edgeau import __version__
from edgeau._system.file_digest import file_digest
from edgeau.bundle import Bundle
from edgeau.bundle.files import MANIFEST
from edgeau.bundle.manifest import Artifact, Manifest

__all__ = ["bill_of_materials"]

_NAMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_NOT_FOR = (
    "Action units are movements of a face, not emotions; nothing here was made for decisions about people."
)


def bill_of_materials(bundle: Bundle | None) -> dict[str, Any]:
    """The document, plain JSON values; the same machine and bundle give the same but for the time.

    Args:
        bundle: verified, to be listed with its files; None lists the environment alone.
    """
    packages = sorted(_packages(), key=lambda one: str(one["bom-ref"]))
    components = [*_systems(), *packages]
    depends = _dependencies({str(one["bom-ref"]) for one in packages})
    if bundle is not None:
        components.append(_model(bundle))
        depends.append({"ref": _model_ref(bundle), "dependsOn": [_ref("edgeau")]})
    content = repr([(one.get("bom-ref"), one.get("version"), one.get("hashes")) for one in components])
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, content)}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "lifecycles": [{"phase": "operations"}],
            "tools": {
                "components": [{"type": "application", "name": "edgeau-doctor", "version": __version__}]
            },
            "component": {"type": "device", "name": platform.machine() or "unknown", "bom-ref": "device"},
        },
        "components": components,
        "dependencies": [
            {"ref": "device", "dependsOn": [str(one["bom-ref"]) for one in components]},
            *depends,
        ],
    }


def _systems() -> Iterator[dict[str, Any]]:
    """The operating system and the interpreter."""
    try:
        about = platform.freedesktop_os_release()
    except OSError:
        about = {}
    yield {
        "type": "operating-system",
        "bom-ref": "operating-system",
        "name": about.get("NAME", platform.system()),
        "version": about.get("VERSION_ID", platform.release()),
        "properties": [{"name": "kernel", "value": platform.release()}],
    }
    yield {
        "type": "platform",
        "bom-ref": "python",
        "name": platform.python_implementation(),
        "version": platform.python_version(),
    }


def _ref(name: str) -> str:
    return f"python:{re.sub(r'[-_.]+', '-', name).lower()}"


def _packages() -> Iterator[dict[str, Any]]:
    """Every installed distribution, once."""
    seen = set()
    for one in metadata.distributions():
        name, version = one.metadata["Name"], one.version
        if not name or _ref(name) in seen:
            continue
        seen.add(_ref(name))
        component: dict[str, Any] = {
            "type": "library",
            "bom-ref": _ref(name),
            "name": name,
            "version": version,
            "purl": f"pkg:pypi/{_ref(name).removeprefix('python:')}@{version}",
        }
        if licences := _licences(one.metadata):
            component["licenses"] = licences
        # What pip wrote down of every installed file, with its digest: one changed file after the installation is seen by comparing.
        if record := one.read_text("RECORD"):
            component["properties"] = [
                {"name": "edgeau:record-sha256", "value": hashlib.sha256(record.encode()).hexdigest()}
            ]
        yield component


def _licences(about: Any) -> list[dict[str, Any]]:
    expression = about.get("License-Expression")
    if expression:
        return [{"expression": expression}]
    classifiers = about.get_all("Classifier") or []
    names = [one.rpartition(" :: ")[2] for one in classifiers if one.startswith("License :: ")]
    if not names and (text := (about.get("License") or "").strip()):
        names = [text.splitlines()[0][:100]]
    return [{"license": {"name": name}} for name in dict.fromkeys(names)]


def _dependencies(known: set[str]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for one in metadata.distributions():
        name = one.metadata["Name"]
        if name and _ref(name) in known and _ref(name) not in found:
            wanted = {_ref(match[0]) for text in one.requires or () if (match := _NAMED.match(text))}
            found[_ref(name)] = {"ref": _ref(name), "dependsOn": sorted(wanted & known - {_ref(name)})}
    return [found[ref] for ref in sorted(found)]


def _model_ref(bundle: Bundle) -> str:
    return f"bundle:{bundle.digest}"


def _model(bundle: Bundle) -> dict[str, Any]:
    manifest = bundle.manifest
    files = [
        {
            "type": "file",
            "bom-ref": f"{_model_ref(bundle)}/{record.file}",
            "name": record.file,
            "hashes": [{"alg": "SHA-256", "content": record.sha256}],
        }
        for record in manifest.files
    ]
    return {
        "type": "machine-learning-model",
        "bom-ref": _model_ref(bundle),
        "name": manifest.network.title,
        "version": bundle.digest[:16],
        "description": f"Bundle for {manifest.target}, made by edgeau {manifest.edgeau_version}",
        "hashes": [{"alg": "SHA-256", "content": file_digest(bundle.path(MANIFEST))}],
        "licenses": [{"license": {"name": " ".join(text.split())[:500]}} for text in manifest.licences],
        "modelCard": _model_card(manifest),
        "components": files,
    }


def _model_card(manifest: Manifest) -> dict[str, Any]:
    height, width = manifest.input.size
    channels = "grey" if manifest.input.grey else manifest.input.color
    return {
        "modelParameters": {
            "task": "facial action unit detection",
            "architectureFamily": manifest.network.name,
            "modelArchitecture": manifest.network.title,
            "datasets": [
                {"type": "dataset", "name": "training data", "description": manifest.network.training}
            ],
            "inputs": [{"format": f"picture of an aligned face, {width} x {height} pixels, {channels}"}],
            "outputs": [{"format": f"occurrence of {', '.join(manifest.labels)}"}],
        },
        "quantitativeAnalysis": {
            "performanceMetrics": [metric for artifact in manifest.artifacts for metric in _metrics(artifact)]
        },
        "considerations": {
            "users": ["developers of devices and programs that measure facial movement"],
            "useCases": ["action units of faces in pictures, videos and camera streams, on small computers"],
            "technicalLimitations": [
                *([] if manifest.network.trained else ["the weights are random: answers mean nothing"]),
                *(f"{label} has no evidence on real faces" for label in manifest.experimental),
            ],
            "ethicalConsiderations": [{"name": _NOT_FOR, "mitigationStrategy": "docs/privacy-and-law.md"}],
        },
    }


def _metrics(artifact: Artifact) -> Iterator[dict[str, Any]]:
    if artifact.accuracy is None:
        return
    data = artifact.accuracy.data
    where = f"{artifact.file}, {artifact.runtime}/{artifact.precision}; {data}"
    yield {"type": "F1, mean over action units", "value": f"{artifact.accuracy.f1_mean:.4f}", "slice": where}
    for label, value in artifact.accuracy.f1.items():
        if value is not None:
            yield {"type": f"F1 of {label}", "value": f"{value:.4f}", "slice": where}
