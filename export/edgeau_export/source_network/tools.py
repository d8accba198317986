"""Versions of what makes a bundle."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import edgeau

__all__ = ["tool_versions"]

_PACKAGES = ("numpy", "onnx", "onnxruntime")
_CHECKPOINT_PACKAGES = ("onnxslim", "timm", "torch")


def tool_versions(*, from_checkpoint: bool) -> dict[str, str]:
    """Name to version, for the manifest.

    Args:
        from_checkpoint: torch took part.
    """
    packages = _PACKAGES + (_CHECKPOINT_PACKAGES if from_checkpoint else ())
    found = {"edgeau": edgeau.__version__, "python": platform.python_version(), "machine": platform.machine()}
    return found | {package: _version(package) for package in packages}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        # onnxruntime has sister packages (onnxruntime-gpu) that bring the same module under another name.
        return "unknown"
