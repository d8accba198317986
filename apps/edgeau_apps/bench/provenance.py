"""Where a benchmark ran."""

from __future__ import annotations

import datetime as dt
import os
import shlex
from collections.abc import Sequence

from edgeau import __version__
from edgeau.bundle import Bundle
from edgeau.live.temperature import Thermometer
from edgeau.runtimes.table import engine_versions
from edgeau_apps.bench.result import Provenance
from edgeau_apps.bench.throttling import throttle_count, throttling
from edgeau_apps.doctor.machine import MachineDescription
from edgeau_apps.doctor.probe import this_machine

__all__ = ["Began", "provenance"]


class Began:
    """The state of the machine when a benchmark begins."""

    def __init__(self) -> None:
        self.date = dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds")
        self.load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
        self.temperature = Thermometer().read(0.0)
        self.throttles = throttle_count()


def provenance(bundle: Bundle, argv: Sequence[str], began: Began) -> Provenance:
    """Everything about a benchmark but its figures; call it when it has ended.

    Args:
        bundle: that was measured.
        argv: the command's arguments.
        began: from before.
    """
    machine: MachineDescription = this_machine(imports=False)
    return Provenance(
        command=shlex.join(["edgeau-bench", *argv]),
        date=began.date,
        edgeau=__version__,
        bundle=bundle.digest,
        network=bundle.manifest.network.title,
        board=machine.board,
        processor=machine.cpu,
        cores=machine.cores,
        os=machine.os,
        python=machine.python,
        engines=engine_versions(),
        load=began.load,
        temperature_c=(began.temperature, Thermometer().read(0.0)),
        throttled=throttling(began.throttles),
    )
