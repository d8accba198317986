"""The calibration linter: what would calibrate wrongly is refused, with the reason and what to do."""

from edgeau_calibration.linter.finding import LintFinding
from edgeau_calibration.linter.lint import OPINIONS, RULES, lint, refuse

__all__ = ["OPINIONS", "RULES", "LintFinding", "lint", "refuse"]
