from __future__ import annotations

import platform

import pytest

from edgeau._system import processor
from tests.arm.boards import BOARDS


def core(part: str, implementer: str = "0x41") -> str:
    return f"processor\t: 0\nCPU implementer\t: {implementer}\nCPU architecture: 8\nCPU part\t: {part}\n\n"


@pytest.mark.parametrize(
    ("cpuinfo", "name"),
    [
        (BOARDS["raspberrypi4"].cpuinfo(), "Cortex-A72"),
        (BOARDS["raspberrypi5"].cpuinfo(), "Cortex-A76"),
        (4 * core("0xd05") + 4 * core("0xd0b"), "Cortex-A55 + Cortex-A76"),
        (core("0x004", "0x4e"), "NVIDIA Carmel"),
        (core("0xfff"), "0x41 0xfff"),
        ("processor\t: 0\nmodel name\t: A CPU @ 2.0 GHz: fast\n" * 2, "A CPU @ 2.0 GHz: fast"),
        ("", platform.processor() or platform.machine()),
    ],
)
def test_its_name(monkeypatch: pytest.MonkeyPatch, cpuinfo: str, name: str) -> None:
    monkeypatch.setattr(processor, "_cpuinfo", lambda: cpuinfo)
    assert processor.processor_name() == name


def test_the_identity_tells_kernels_apart_and_not_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    for board, cores in (("raspberrypi4", 4), ("raspberrypi5", 4), ("raspberrypi5", 2)):
        monkeypatch.setattr(processor, "_cpuinfo", lambda b=board, n=cores: BOARDS[b].cpuinfo(n))
        told.append(processor.processor_identity())
    assert told[0] != told[1]
    assert told[1] == told[2]
