"""The manifest of a bundle that is being made: what its network, artifacts and makers say, put together."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import edgeau
from edgeau.bundle.files import GOLDEN
from edgeau.bundle.manifest import Artifact, LandmarkNetworks, Manifest, Pending
from edgeau.runtimes.table import runtime_named
from edgeau_export.packaging.landmark_networks import LICENCE_LINE
from edgeau_export.source_network.network import NetworkDescription

__all__ = ["bundle_manifest"]

_PACKAGES = ("numpy", "onnx", "onnxruntime", "matplotlib")  # the last draws the report
_CHECKPOINT_PACKAGES = ("onnxslim", "timm", "torch")


def bundle_manifest(
    target: str,
    description: NetworkDescription,
    artifacts: tuple[Artifact, ...],
    *,
    landmarks: LandmarkNetworks | None = None,
    pending: tuple[Pending, ...] = (),
    left_out: dict[str, str] | None = None,
    with_torch: bool,
) -> Manifest:
    """A manifest that is complete but for its list of files.

    Args:
        target: name of the board.
        description: description of the network.
        artifacts: in the order in which a device should try them.
        landmarks: face networks that travel in the bundle, or None.
        pending: stages that wait for the board.
        left_out: why artifacts of the target could not be made, by file.
        with_torch: torch took part, so that its version is noted too.
    """
    model = description.landmark_model
    return Manifest(
        edgeau_version=edgeau.__version__,
        target=target,
        network=description.network,
        labels=description.labels,
        input=description.input,
        alignment=description.alignment,
        artifacts=artifacts,
        golden=GOLDEN,
        files=(),
        experimental=description.experimental,
        landmark_model=None if model is None else model.name,
        fusion=description.fusion,
        landmarks=landmarks,
        pending=pending,
        left_out=left_out or {},
        licences=description.licences if landmarks is None else (*description.licences, LICENCE_LINE),
        tools=_tool_versions(artifacts, with_torch=with_torch),
    )


def _tool_versions(artifacts: tuple[Artifact, ...], *, with_torch: bool) -> dict[str, str]:
    """Name to version; the engines that the artifacts are for included, where they are installed."""
    packages = _PACKAGES + (_CHECKPOINT_PACKAGES if with_torch else ())
    found = {"edgeau": edgeau.__version__, "python": platform.python_version(), "machine": platform.machine()}
    for artifact in artifacts:
        found |= runtime_named(artifact.runtime).installed()
    return found | {package: _version(package) for package in packages}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        # onnxruntime has sister packages (onnxruntime-gpu) that bring the same module under another name.
        return "unknown"
