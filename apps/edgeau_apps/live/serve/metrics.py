"""The state of the program for Prometheus: its text format, version 0.0.4."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edgeau.live import LiveCounters
from edgeau_apps.live.session import WebcamSession
from edgeau_apps.peak_memory import peak_memory_mb

__all__ = ["CONTENT_TYPE", "metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4"
_STATES = ("running", "starting", "restarting")


def metrics(session: WebcamSession, health: dict[str, Any], connections: int) -> str:
    """Every metric; nothing of the picture or the people in it.

    Args:
        session: whose counters are told; they begin anew with a new stream.
        health: of the supervisor.
        connections: that are open.
    """
    return "".join(f"{line}\n" for line in _lines(session.counters() or LiveCounters(), health, connections))


def _lines(counters: LiveCounters, health: dict[str, Any], connections: int) -> Iterator[str]:
    yield from _one(
        "edgeau_state",
        "gauge",
        "1 for what the program does",
        {f'state="{name}"': float(health["status"] == name) for name in _STATES},
    )
    yield from _one(
        "edgeau_restarts",
        "gauge",
        "new starts of the pipeline since the last minute without one",
        health["restarts"],
    )
    if health["result_age_s"] is not None:
        yield from _one(
            "edgeau_result_age_seconds", "gauge", "since the newest result", health["result_age_s"]
        )
    yield from _one(
        "edgeau_frames_captured_total", "counter", "frames that the source gave", counters.captured
    )
    yield from _one("edgeau_frames_processed_total", "counter", "results that were taken", counters.processed)
    yield from _one(
        "edgeau_frames_failed_total", "counter", "frames that could not be looked at", counters.failed
    )
    yield from _one(
        "edgeau_frames_dropped_total",
        "counter",
        "frames left out",
        {f'reason="{why}"': count for why, count in sorted(counters.dropped.items())},
    )
    yield from _one(
        "edgeau_source_gaps_total", "counter", "how often the source left and came back", counters.gaps
    )
    yield from _one("edgeau_results_per_second", "gauge", "over the last seconds", counters.fps)
    yield from _one(
        "edgeau_result_latency_seconds", "gauge", "age of the newest result when it was taken", counters.age_s
    )
    yield from _one(
        "edgeau_landmarks_seconds",
        "gauge",
        "time to find the faces of a frame, running mean",
        counters.landmarks_s,
    )
    yield from _one(
        "edgeau_network_seconds", "gauge", "time of the network for a face, median", counters.network_s
    )
    if counters.temperature_c is not None:
        yield from _one(
            "edgeau_processor_celsius", "gauge", "temperature of the processor", counters.temperature_c
        )
    yield from _one("edgeau_connections", "gauge", "connections to the page", connections)
    most_mb = peak_memory_mb()
    if most_mb is not None:
        yield from _one(
            "edgeau_resident_bytes_max", "gauge", "most memory of the process so far", most_mb * 1e6
        )


def _one(name: str, kind: str, says: str, value: float | dict[str, float]) -> Iterator[str]:
    yield f"# HELP {name} {says}"
    yield f"# TYPE {name} {kind}"
    values = (
        {f"{{{label}}}": number for label, number in value.items()}
        if isinstance(value, dict)
        else {"": value}
    )
    # Fifteen digits: a counter that is rounded stands still, and then jumps.
    yield from (f"{name}{label} {number:.15g}" for label, number in values.items())
