"""Energy meters that boards have: RAPL of x86 processors, INA3221 of Jetsons, the PMIC of a Raspberry Pi 5.

Only RAPL's counter could be read where this was written; the others follow their documentation and are tried on described
files, not yet on hardware.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

__all__ = ["EnergyMeter", "PowerIntegral", "RaplMeter", "energy_meter", "ina3221_watts", "pmic_watts"]

_RAPL = Path("/sys/class/powercap/intel-rapl:0")
_HWMON = Path("/sys/class/hwmon")
_SAMPLE_S = 0.05


class EnergyMeter(Protocol):
    """Joules since some moment; use it in ``with``."""

    name: str

    def joules(self) -> float:
        """Energy so far."""
        ...

    def __enter__(self) -> EnergyMeter: ...  # noqa: PYI034 - Self is in typing from Python 3.11 on

    def __exit__(self, *error: object) -> None: ...


def energy_meter() -> EnergyMeter | None:
    """The meter that this board has, or None."""
    rapl = RaplMeter(_RAPL)
    if rapl.readable():
        return rapl
    if ina3221_watts(_HWMON) is not None:
        return PowerIntegral("INA3221", lambda: ina3221_watts(_HWMON) or 0.0)
    if shutil.which("vcgencmd") and pmic_watts(_pmic_text()) is not None:
        return PowerIntegral("Raspberry Pi PMIC", lambda: pmic_watts(_pmic_text()) or 0.0)
    return None


class RaplMeter:
    """The package counter of x86 processors, microjoules; it wraps around."""

    name = "RAPL package"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._last = 0
        self._total = 0

    def readable(self) -> bool:
        """Tell whether the counter is there and may be read."""
        try:
            self._read("energy_uj")
        except (OSError, ValueError):
            return False
        return True

    def joules(self) -> float:
        """Energy since the meter was entered."""
        now = self._read("energy_uj")
        step = now - self._last
        self._total += step if step >= 0 else step + self._read("max_energy_range_uj")
        self._last = now
        return self._total / 1e6

    def __enter__(self) -> RaplMeter:  # noqa: PYI034 - Self is in typing from Python 3.11 on
        self._last, self._total = self._read("energy_uj"), 0
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def _read(self, name: str) -> int:
        return int((self._folder / name).read_text())


class PowerIntegral:
    """A power that is read twenty times a second by a thread of its own, summed over time.

    Args:
        name: name of the sensor.
        watts: reads it.
    """

    def __init__(self, name: str, watts: Callable[[], float]) -> None:
        self.name = name
        self._watts = watts
        self._joules = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sum, name="energy", daemon=True)

    def joules(self) -> float:
        """Energy since the meter was entered."""
        return self._joules

    def __enter__(self) -> PowerIntegral:  # noqa: PYI034 - Self is in typing from Python 3.11 on
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _sum(self) -> None:
        last = time.monotonic()
        while not self._stop.wait(_SAMPLE_S):
            now = time.monotonic()
            self._joules += self._watts() * (now - last)
            last = now


def ina3221_watts(hwmon: Path) -> float | None:
    """Power of a Jetson's whole module: the rail that NVIDIA names ``VDD_IN``, in millivolts times milliamperes.

    Args:
        hwmon: folder of the kernel's hardware monitors.
    """
    for label in sorted(hwmon.glob("hwmon*/in*_label")):
        number = label.name.removeprefix("in").removesuffix("_label")
        try:
            if label.read_text().strip() != "VDD_IN":
                continue
            millivolts = float((label.parent / f"in{number}_input").read_text())
            milliamperes = float((label.parent / f"curr{number}_input").read_text())
        except (OSError, ValueError):
            return None
        return millivolts * milliamperes / 1e6
    return None


def pmic_watts(text: str) -> float | None:
    """Power of a Raspberry Pi 5 from ``vcgencmd pmic_read_adc``: the sum over its rails of current times voltage.

    Losses of the regulators and what hangs on USB are not in it.
    """
    found = re.findall(r"(\w+?)_([AV]) (?:current|volt)\(\d+\)=([\d.]+)[AV]", text)
    current = {rail: float(value) for rail, kind, value in found if kind == "A"}
    voltage = {rail: float(value) for rail, kind, value in found if kind == "V"}
    rails = current.keys() & voltage.keys()
    return sum(current[rail] * voltage[rail] for rail in sorted(rails)) if rails else None


def _pmic_text() -> str:
    done = subprocess.run(["vcgencmd", "pmic_read_adc"], capture_output=True, text=True, check=False)
    return done.stdout
