"""Switches of action units on a video with default settings, and how much later than unsmoothed they begin.

    python benchmarks/flicker.py VIDEO [--bundle default light] [--artifact litert/int8] [--json]

A big event is one whose unsmoothed probability stays above the threshold for half a second after half a second below it; it is
late by the time from there to the first frame that shows it as active. Sides and experimental action units are left out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau import Pipeline, open_source

_STEADY_S = 0.5


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video")
    parser.add_argument("--bundle", nargs="+", default=["default", "light"], metavar="NAME|DIR")
    parser.add_argument("--artifact", default="litert/int8", help="of each bundle (default %(default)s)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = {name: _measured(options.video, name, options.artifact) for name in options.bundle}
    if options.json:
        print(json.dumps(found, indent=2))
        return
    for name, rows in found.items():
        print(
            f"{name}, {options.artifact}: switches a minute smoothed (unsmoothed), lateness of big events in s"
        )
        for label, row in rows.items():
            late = ", ".join(f"{value:.2f}" for value in row["late_s"])
            print(f"  {label:<5} {row['shown']:5.1f} ({row['raw']:5.1f})  {late}")


def _measured(video: str, bundle: str, artifact: str) -> dict[str, Any]:
    times: list[float] = []
    shown: dict[str, list[bool]] = {}
    raw: dict[str, list[bool]] = {}
    with (
        Pipeline.load(bundle, artifact=artifact, threads=1, max_faces=1) as pipeline,
        open_source(video) as source,
    ):
        thresholds = pipeline.thresholds
        for result in pipeline.stream(source):
            if not result.faces:
                continue
            units = result.faces[0].aus
            if any(unit.probability is None for unit in units.values()):
                continue
            times.append(result.time_s)
            for label, unit in units.items():
                assert unit.raw_probability is not None
                shown.setdefault(label, []).append(bool(unit.active))
                raw.setdefault(label, []).append(unit.raw_probability >= thresholds[label])
    seconds = np.array(times)
    return {label: _row(seconds, np.array(shown[label]), np.array(raw[label])) for label in shown}


def _row(times: NDArray[np.float64], shown: NDArray[np.bool_], raw: NDArray[np.bool_]) -> Mapping[str, Any]:
    minutes = (times[-1] - times[0]) / 60
    return {
        "shown": float((shown[1:] != shown[:-1]).sum() / minutes),
        "raw": float((raw[1:] != raw[:-1]).sum() / minutes),
        "late_s": [_late(times, shown, start) for start in _big(times, raw)],
    }


def _big(times: NDArray[np.float64], raw: NDArray[np.bool_]) -> list[int]:
    """Frames at which big events begin."""
    starts = []
    for start in np.flatnonzero(raw[1:] & ~raw[:-1]) + 1:
        before = (times >= times[start] - _STEADY_S) & (times < times[start])
        after = (times >= times[start]) & (times <= times[start] + _STEADY_S)
        if not raw[before].any() and raw[after].all():
            starts.append(int(start))
    return starts


def _late(times: NDArray[np.float64], shown: NDArray[np.bool_], start: int) -> float:
    active = np.flatnonzero(shown[start:])
    return float(times[start + active[0]] - times[start]) if len(active) else float("inf")


if __name__ == "__main__":
    main()
