"""Error of the head pose against the pose that faces were rendered with.

    python benchmarks/head_pose.py --data DIR [--json]

Landmarks are MediaPipe's, as stored in the test split of a synthetic data set. The renderer's pitch and roll count the other
way round (its y axis points up); they are turned here. Exit code 3 when a mean error exceeds --max-error.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgeau._system.command import DONE, CommandParser, print_json, run
from edgeau.faces.head_pose import head_pose

GATE = 3
AXES = ("pitch", "yaw", "roll")
TO_OURS = np.array((-1, 1, -1))
_TURNS = ((0, 15), (15, 30), (30, 45), (45, 90))


def poses(data: Path) -> tuple[np.ndarray, np.ndarray]:
    """Estimated and true pose of every face that was detected, degrees, (N, 3) each."""
    from edgeau_training.synth.shards import read_split

    columns = read_split(data, "test", ["landmarks", "pose", "detected"])
    detected = np.asarray(columns["detected"], bool)
    found = [head_pose(points) for points in np.asarray(columns["landmarks"])[detected]]
    estimated = np.array([(one.pitch, one.yaw, one.roll) for one in found])
    return estimated, np.asarray(columns["pose"], np.float64)[detected] * TO_OURS


def summary(errors: np.ndarray) -> dict[str, Any]:
    """Figures of each axis, degrees."""
    size = np.abs(errors)
    return {
        axis: {
            "mean": round(float(size[:, place].mean()), 2),
            "p95": round(float(np.percentile(size[:, place], 95)), 2),
            "bias": round(float(errors[:, place].mean()), 2),
        }
        for place, axis in enumerate(AXES)
    }


def main(argv: Sequence[str] | None = None) -> int:
    parser = CommandParser(
        "head_pose",
        "Error of the head pose against rendered truth.",
        "python benchmarks/head_pose.py --data synth",
    )
    parser.add_argument("--data", type=Path, required=True, help="a synthetic data set with a test split")
    parser.add_argument(
        "--max-error", type=float, default=4.0, help="mean of each axis, degrees (%(default)s)"
    )
    parser.add_json()
    arguments = parser.parse_args(argv)
    estimated, true = poses(arguments.data)
    turned = np.abs(true[:, 1])
    result = {"faces": len(true), "all": summary(estimated - true)}
    for low, high in _TURNS:
        chosen = (turned >= low) & (turned < high)
        if chosen.any():
            result[f"yaw {low}-{high}"] = summary((estimated - true)[chosen])
    if arguments.json:
        print_json(result)
    else:
        print(f"{result.pop('faces')} rendered faces; degrees")
        for name, axes in result.items():
            parts = (
                f"{axis} mean {row['mean']:.2f} p95 {row['p95']:.1f} bias {row['bias']:+.2f}"
                for axis, row in axes.items()
            )
            print(f"{name:<12}{'   '.join(parts)}")
    whole = summary(estimated - true)
    return DONE if max(row["mean"] for row in whole.values()) <= arguments.max_error else GATE


if __name__ == "__main__":
    sys.exit(run("head_pose", main))
