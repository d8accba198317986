"""Failures of single frames, and when they are more than that."""

from __future__ import annotations

import logging

__all__ = ["Trouble"]

_log = logging.getLogger(__name__)

# A frame may fail of itself (a decoder's garbage); so many in a row mean that the pipeline fails. Ours.
_LIMIT = 10


class Trouble:
    """Bears single failures of one stage, and raises what does not stop.

    Args:
        name: of the source, for the log.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._in_a_row = 0

    def over(self) -> None:
        """A frame went well."""
        self._in_a_row = 0

    def happened(self, error: Exception) -> None:
        """A frame failed.

        Raises:
            Exception: the error, when ten frames in a row failed.
        """
        self._in_a_row += 1
        if self._in_a_row == 1:
            _log.warning("a frame of %s failed: %s", self._name, error)
        if self._in_a_row >= _LIMIT:
            raise error
