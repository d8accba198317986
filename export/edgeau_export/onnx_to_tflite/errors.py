"""The error of a graph that cannot become a TFLite file."""

from __future__ import annotations

from edgeau.errors import UserError

__all__ = ["ConversionError"]


class ConversionError(UserError):
    """The graph holds something that cannot be written as TFLite; the message names the node."""
