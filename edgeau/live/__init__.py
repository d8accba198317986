"""Running on a live source: newest frame first, the asked rate kept, every frame accounted for."""

from edgeau.live.counters import DROP_REASONS, LiveCounters
from edgeau.live.options import LiveOptions
from edgeau.live.pipeline import LivePipeline
from edgeau.live.run import View

__all__ = ["DROP_REASONS", "LiveCounters", "LiveOptions", "LivePipeline", "View"]
