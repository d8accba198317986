"""Temperature of the processor."""

from __future__ import annotations

from pathlib import Path

__all__ = ["Thermometer"]

_ZONES = Path("/sys/class/thermal")
# Zones of other parts (battery, radio, charger) get warm for reasons of their own.
_PROCESSOR = ("cpu", "soc", "x86_pkg", "coretemp", "acpitz", "gpu", "tj", "package")
_FRESH_S = 2.0
_MILLI = 1000.0


class Thermometer:
    """The warmest processor zone of the kernel, read every two seconds at most.

    Args:
        zones: folder of the kernel's thermal zones.
    """

    def __init__(self, zones: Path = _ZONES) -> None:
        self._zones = zones
        self._files: list[Path] | None = None
        self._read_s = 0.0
        self.celsius: float | None = None

    def read(self, now_s: float) -> float | None:
        """Degrees Celsius; None where the kernel shows no zone of a processor.

        Args:
            now_s: on the steady clock.
        """
        if self._files is None:
            self._files = _processor_zones(self._zones)
        elif now_s - self._read_s < _FRESH_S:
            return self.celsius
        self._read_s = now_s
        found = [value for value in map(_celsius, self._files) if value is not None]
        self.celsius = max(found, default=None)
        return self.celsius


def _processor_zones(zones: Path) -> list[Path]:
    return [
        zone / "temp"
        for zone in sorted(zones.glob("thermal_zone*"))
        if any(name in _text(zone / "type").lower() for name in _PROCESSOR)
    ]


def _celsius(file: Path) -> float | None:
    try:
        return int(_text(file)) / _MILLI
    except ValueError:
        return None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii", errors="replace").strip()
    except OSError:  # a zone may refuse while its part sleeps
        return ""
