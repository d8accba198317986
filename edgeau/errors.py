"""The errors of edgeau.

EdgeauError
├── UserError                 what the user can mend: one line, exit code 2, no trace
│   ├── UsageError            an argument or option that does not fit
│   ├── InputError            a picture, video, frame or data file that cannot be used
│   ├── CheckpointError       a checkpoint that is missing, damaged or of another network
│   ├── BundleError           a bundle that is missing, damaged, or newer than this library
│   ├── TargetError           a target board that is not known
│   ├── EngineError           an inference engine that refuses, or answers wrongly
│   ├── DependencyError       a package that is not installed
│   ├── CalibrationError      a calibration set that would calibrate wrongly
│   └── OutputError           a place that cannot be written to
└── GateRefusedError          a measured gate (parity, F1 budget) was not met: exit code 3

Everything else that reaches a command line is our bug and keeps its trace.

A message says what was asked, what exists, and what to do next.
"""

from __future__ import annotations

__all__ = [
    "BundleError",
    "CalibrationError",
    "CheckpointError",
    "DependencyError",
    "EdgeauError",
    "EngineError",
    "GateRefusedError",
    "InputError",
    "OutputError",
    "TargetError",
    "UsageError",
    "UserError",
]


class EdgeauError(Exception):
    """Base of all errors that edgeau raises on purpose."""

    exit_code = 2


class UserError(EdgeauError):
    """Something that the user can mend."""


class UsageError(UserError):
    """An argument or option does not fit."""


class InputError(UserError):
    """A picture, video, frame or data file cannot be used."""


class CheckpointError(UserError):
    """A checkpoint is missing, damaged, or belongs to another network."""


class BundleError(UserError):
    """A bundle is missing, damaged, or newer than this library."""


class TargetError(UserError):
    """The named target board is not known."""


class EngineError(UserError):
    """An inference engine is missing, refuses the artifact, or answers wrongly."""


class DependencyError(UserError):
    """A package that the asked work needs is not installed."""


class CalibrationError(UserError):
    """A calibration set is missing or would calibrate wrongly."""


class OutputError(UserError):
    """An output place cannot be written to."""


class GateRefusedError(EdgeauError):
    """A measured gate was not met, so nothing was written."""

    exit_code = 3
