"""The one version number: below everything, so that commands can say it without importing edgeau's public names."""

from __future__ import annotations

__all__ = ["VERSION"]

VERSION = "0.1.0"
