"""The ``with`` statement for things that hold memory, a file or a device, written once."""

from __future__ import annotations

from abc import abstractmethod
from types import TracebackType
from typing import Protocol, TypeVar

__all__ = ["Closing"]

_S = TypeVar("_S", bound="Closing")


class Closing(Protocol):
    """Something that holds memory, a file or a device until it is closed; usable in ``with``."""

    @abstractmethod
    def close(self) -> None:
        """Give back what is held; a second call does nothing."""

    def __enter__(self: _S) -> _S:  # noqa: PYI019 - Self is in typing from Python 3.11 on
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
