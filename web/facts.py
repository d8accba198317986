"""Writes ``web/src/facts.json``: the numbers of the Python code that the page's modules share with it, so that each stands once.

Run after one of them changed: ``python web/facts.py``; ``tests/export/web/test_facts.py`` holds the file to them.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

from edgeau.action_units.names import NAMES
from edgeau.bundle.checks import LONGEST_SIDE
from edgeau.bundle.manifest import SCHEMA_VERSION
from edgeau.faces import alignment, head_pose
from edgeau.faces.landmarks.litert import (
    checking,
    detection,
    picture_search,
    refined_points,
    tracking,
)
from edgeau.faces.landmarks.litert.mesh import PlainMesh, RefinedMesh, TaskMesh
from edgeau.faces.quality import occlusion
from edgeau.faces.quality.assessor import AU_REGIONS, REGIONS
from edgeau.faces.quality.limits import Limits
from edgeau.results import REASONS
from edgeau.runtimes.precision import PRECISIONS
from edgeau.sources import picture_file

FILE = Path(__file__).resolve().parent / "src" / "facts.json"


def facts() -> dict[str, Any]:
    """Collect them, as plain JSON values."""
    limits = Limits()
    parts = {
        "lips": refined_points.LIPS,
        "rightEye": refined_points.RIGHT_EYE,
        "leftEye": refined_points.LEFT_EYE,
    }
    return {
        "schemaVersion": SCHEMA_VERSION,
        "longestSide": LONGEST_SIDE,
        "behind": picture_file._BEHIND,
        "names": {str(number): name for number, name in NAMES.items()},
        "reasons": REASONS,
        "fivePoints": [
            list(group)
            for group in (
                alignment._EYE_LEFT,
                alignment._EYE_RIGHT,
                alignment._NOSE_TIP,
                alignment._MOUTH_LEFT,
                alignment._MOUTH_RIGHT,
            )
        ],
        "arcfacePoints": alignment._ARCFACE_POINTS.tolist(),
        "frontalFace": head_pose._FRONTAL.astype(int).tolist(),
        "meshes": {
            name: {
                "certain": mesh.certain_presence,
                "likely": mesh.likely_presence,
                "certainAtFirst": _or_null(mesh.certain_at_first),
                "trustedScore": _or_null(mesh.trusted_score),
                "trustedAtFirst": _or_null(mesh.trusted_at_first),
            }
            for name, mesh in (("refined", RefinedMesh), ("plain", PlainMesh), ("task", TaskMesh))
        },
        "search": {
            "along": checking._ALONG,
            "blocks": detection._BLOCKS,
            "changed": detection._CHANGED,
            "everyFrames": tracking._SEARCH_EVERY,
            "missed": tracking._MISSED,
            "turnEvery": tracking._TURN_EVERY,
            "turnAgain": tracking._TURN_AGAIN,
            "mostTurned": picture_search._MOST_TURNED,
            "faceScore": picture_search._FACE_SCORE,
            "tiles": list(detection._TILES),
            "shared": detection._SHARED,
            "face": detection._FACE,
        },
        "refined": {
            name: {
                "points": part.points.tolist(),
                "start": part.start,
                "end": part.end,
                "contour": part.contour,
                "iris": part.iris,
            }
            for name, part in parts.items()
        },
        "regions": {name: list(points) for name, points in REGIONS.items()},
        "auRegions": {str(number): list(regions) for number, regions in AU_REGIONS.items()},
        "patches": {name: list(points) for name, points in occlusion._PATCHES.items()},
        "limits": {
            "minSize": limits.min_size,
            "maxYaw": limits.max_yaw,
            "maxPitch": limits.max_pitch,
            "minSharpness": limits.min_sharpness,
            "minLight": limits.min_light,
            "minLightInNoise": limits.min_light_in_noise,
            "maxGrain": limits.max_grain,
            "maxClipped": limits.max_clipped,
            "minVisible": limits.min_visible,
        },
        "tolerances": {
            name: {
                "logit": _or_null(row.tolerance.logit),
                "probability": row.tolerance.probability,
            }
            for name, row in PRECISIONS.items()
        },
    }


def _or_null(limit: float) -> float | None:
    """A limit that is never reached as null: JSON has no infinity."""
    return None if math.isinf(limit) else limit


def text() -> str:
    """The content of the file."""
    return json.dumps(facts(), separators=(",", ":"), ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"{FILE.name}: {len(text())} characters\n")
