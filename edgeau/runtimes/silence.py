"""Packages that report usage when they are imported are told not to, before that."""

from __future__ import annotations

import os
import sys

__all__ = ["silence"]


def silence() -> None:
    """Call it before the first import of an engine; a package that is imported already is left as it is.

    - ONNX Runtime from 1.29 on reports which models are run, unless ``ORT_DISABLE_TELEMETRY`` is set.
    - OpenVINO's Python package sends an event to Google Analytics on import, through ``openvino_telemetry``, which has no switch
      but a file in the user's home directory. Where that package cannot be imported OpenVINO uses a stub, so it is made
      unimportable in this process.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
