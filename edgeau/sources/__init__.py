"""Sources of frames: :func:`open_source` opens them all."""

from edgeau.sources.frame import Frame
from edgeau.sources.opening import open_source
from edgeau.sources.reconnecting import Gap, ReconnectingSource
from edgeau.sources.source import Source

__all__ = ["Frame", "Gap", "ReconnectingSource", "Source", "open_source"]
