"""Versions of the engines' packages, asked of their metadata: nothing is imported."""

from __future__ import annotations

from importlib import metadata

__all__ = ["engine_versions"]

# Distributions that bring an engine, under the names that their makers give them.
_DISTRIBUTIONS = (
    "ai-edge-litert",
    "onnxruntime",
    "onnxruntime-gpu",
    "onnxruntime-openvino",
    "onnxruntime-qnn",
    "tensorrt",
    "tflite-runtime",
)


def engine_versions() -> dict[str, str]:
    """Version of every installed engine by the name of its distribution."""
    versions = ((name, _version(name)) for name in _DISTRIBUTIONS)
    return {name: version for name, version in versions if version is not None}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
