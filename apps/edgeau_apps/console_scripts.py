"""Where the programs start. ``edgeau-doctor`` is not among them: it must start where anything is missing."""

from __future__ import annotations

from edgeau._system.command import entry

__all__ = ["analyze", "bench", "live", "report"]

analyze = entry("edgeau-analyze", "edgeau_apps.analyze.command", "onnxruntime")
bench = entry("edgeau-bench", "edgeau_apps.bench.command", "onnxruntime")
report = entry("edgeau-report", "edgeau_apps.report.command", "export")
live = entry("edgeau-live", "edgeau_apps.live.command", "onnxruntime")
