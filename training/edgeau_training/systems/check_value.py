"""One number that a specification gives and that can be computed."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CheckValue"]


@dataclass(frozen=True)
class CheckValue:
    """A number beside its twin.

    Attributes:
        what: for people.
        specified: what the specification says; None where it says nothing.
        computed: what comes out here.
        tolerance: largest difference that is rounding, 0 for counts.
    """

    what: str
    specified: float | None
    computed: float
    tolerance: float = 0.0

    @property
    def verdict(self) -> str:
        """``equal``, ``differs``, or ``not specified``."""
        if self.specified is None:
            return "not specified"
        return "equal" if abs(self.computed - self.specified) <= self.tolerance else "differs"
