"""A rule's finding in a calibration set."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LintFinding"]


@dataclass(frozen=True)
class LintFinding:
    """One thing that is wrong, or worth knowing.

    Attributes:
        rule: name of the rule, such as ``"channel-order"``.
        reason: what was seen, with figures.
        remedy: what to do about it.
        refuses: the set must not be calibrated with; False where it is only said.
    """

    rule: str
    reason: str
    remedy: str
    refuses: bool = True

    def __str__(self) -> str:
        return f"{self.rule}: {self.reason}; {self.remedy}"
