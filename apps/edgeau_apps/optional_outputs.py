"""``--also``, the option of programs that give more about each face than action units."""

from __future__ import annotations

import argparse

from edgeau.faces.optional_outputs import OPTIONAL_OUTPUTS

__all__ = ["add_optional_outputs"]


def add_optional_outputs(parser: argparse.ArgumentParser) -> None:
    """The ``--also`` option: names of :data:`~edgeau.faces.optional_outputs.OPTIONAL_OUTPUTS`, none by default."""
    parser.add_argument(
        "--also",
        action="append",
        choices=OPTIONAL_OUTPUTS,
        default=[],
        help="also output blendshapes (MediaPipe's, from a face_landmarker.task) or the direction of the eyes (uncalibrated); may be repeated",
    )
