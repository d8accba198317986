"""The errors of edgeau.

EdgeauError
├── UserError                 what the user can fix: one line, exit code 2, no trace
│   ├── UsageError            an argument or option that does not fit
│   ├── InputError            a picture, video, frame or data file that cannot be used
│   ├── RecordError           values in a file that do not fit their record; readers add the advice of their kind of file
│   ├── NpzError              an .npz file that cannot be read; readers add the advice of their kind of file
│   ├── CheckpointError       a checkpoint that is missing, damaged or of another network
│   ├── BundleError           a bundle that is missing, damaged, or newer than this library
│   ├── TargetError           a target that is not known, or whose file does not fit
│   ├── EngineError           an inference engine that is missing, refuses, or answers wrongly
│   ├── DependencyError       a package that is not installed
│   ├── ConversionError       a graph that an engine's format cannot hold
│   ├── CalibrationError      a calibration set that is missing or would calibrate wrongly, a recipe that does not fit
│   └── OutputError           a place that cannot be written to
└── GateRefusedError          a measured gate (parity, F1 budget) was not met: exit code 3

Everything else that reaches a command line is a bug of edgeau: it keeps its trace, and the exit code is 70.

A message says what was asked, what exists, and what to do next.
"""

from __future__ import annotations

__all__ = [
    "BundleError",
    "CalibrationError",
    "CheckpointError",
    "ConversionError",
    "DependencyError",
    "EdgeauError",
    "EngineError",
    "GateRefusedError",
    "InputError",
    "NpzError",
    "OutputError",
    "RecordError",
    "TargetError",
    "UsageError",
    "UserError",
]


class EdgeauError(Exception):
    """Base of all errors that edgeau raises on purpose."""

    exit_code = 2


class UserError(EdgeauError):
    """Something that the user can fix."""


class UsageError(UserError):
    """An argument or option does not fit."""


class InputError(UserError):
    """A picture, video, frame or data file cannot be used."""


class RecordError(UserError):
    """Values do not fit the record that they should fill. Readers of a kind of file raise its own error with their advice.

    Args:
        where: the place in the file, such as ``"manifest.json: artifacts[0]: bytes"``; empty for the values themselves.
        what: is wrong there.
    """

    def __init__(self, where: str, what: str) -> None:
        super().__init__(where, what)
        self.where = where
        self.what = what

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


class NpzError(UserError):
    """An ``.npz`` file is missing, damaged, too large, or lacks an array. Readers raise their own error with their advice."""


class CheckpointError(UserError):
    """A checkpoint is missing, damaged, or belongs to another network."""


class BundleError(UserError):
    """A bundle is missing, damaged, or newer than this library."""


class TargetError(UserError):
    """A target is not known, or its file does not fit."""


class EngineError(UserError):
    """An inference engine is missing, refuses the artifact, or answers wrongly."""


class DependencyError(UserError):
    """A package that the asked work needs is not installed."""


class ConversionError(UserError):
    """A graph holds something that an engine's file format cannot express; the message names the node."""


class CalibrationError(UserError):
    """A calibration set is missing or would calibrate wrongly, or a quantization recipe does not fit."""


class OutputError(UserError):
    """An output place cannot be written to."""


class GateRefusedError(EdgeauError):
    """A measured gate was not met, so nothing was written."""

    exit_code = 3
