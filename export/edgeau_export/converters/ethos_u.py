"""Artifacts for Arm's Ethos-U: the bundle's integer ``.tflite`` file, compiled by Vela."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
from pathlib import Path

from edgeau._system.scratch_folder import scratch_folder
from edgeau._system.tool_environment import TOOLS, tool_python, tool_versions
from edgeau.bundle.manifest import Compiled
from edgeau.errors import ConversionError
from edgeau_export.converters.conversion import ConversionRequest, ConversionResult

__all__ = ["convert", "vela"]

_OPERATORS = re.compile(r"^(CPU|NPU) operators = (\d+)", re.MULTILINE)
# As on a microcontroller: feature maps in its SRAM, weights in flash. Vela's default for U85 is a system with DRAM.
_MEMORY = "Shared_Sram"
_SYSTEM = {
    "ethos-u55": "Ethos_U55_High_End_Embedded",
    "ethos-u65": "Ethos_U65_Embedded",
    "ethos-u85": "Ethos_U85_SYS_Flash_High",
}


def convert(request: ConversionRequest) -> ConversionResult:
    """Compile the file that the artifact names as its source; what the compiler estimates is recorded.

    Raises:
        ConversionError: Vela refuses the file, or leaves all of it to the processor.
        DependencyError: Vela's environment is not there.
    """
    assert request.source is not None, "the target names no source"
    compiled = vela(request.source, request.artifact.device or "", request.file)
    if not compiled.on_accelerator:
        raise ConversionError(
            f"{request.file.name}: Vela runs none of its operators on the NPU; --verbose-cpu-operations of vela says why"
        )
    return ConversionResult(compiled=compiled)


def vela(source: Path, device: str, out: Path) -> Compiled:
    """Compile a ``.tflite`` file.

    Args:
        source: with integers inside.
        device: Vela's name of the accelerator, such as ``"ethos-u55-256"``.
        out: the file to write.

    Raises:
        ConversionError: Vela refuses it.
        DependencyError: its environment is not there.
    """
    python = tool_python("vela")
    system = _SYSTEM[device.rpartition("-")[0]]
    with scratch_folder("ethos-u") as name:
        folder = Path(name)
        done = subprocess.run(
            [str(python), "-m", "ethosu.vela", str(source), "--accelerator-config", device,
             "--config", "Arm/vela.ini", "--system-config", system, "--memory-mode", _MEMORY,
             "--output-dir", str(folder)],
            capture_output=True, text=True, check=False, cwd=folder,
        )  # fmt: skip
        made = next(folder.glob("*_vela.tflite"), None)
        table = next(folder.glob("*_summary_*.csv"), None)
        if done.returncode or made is None or table is None:
            last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
            raise ConversionError(f"{out.name}: Vela refuses {source.name} for {device}: {last}")
        figures = next(csv.DictReader(table.read_text("utf-8").splitlines()))
        shutil.copyfile(made, out)
    counts = {where: int(count) for where, count in _OPERATORS.findall(done.stdout)}
    clock = float(figures["core_clock"])
    distribution = TOOLS["vela"].distribution
    return Compiled(
        compiler=f"{distribution} {tool_versions('vela')[distribution]}",
        device=device,
        source=source.name,
        operators=sum(counts.values()),
        on_accelerator=counts.get("NPU", 0),
        sram_bytes=round(1024 * float(figures["sram_memory_used"])),
        flash_bytes=round(
            1024
            * sum(
                float(figures[f"{kind}_memory_used"]) for kind in ("on_chip_flash", "off_chip_flash", "dram")
            )
        ),
        cycles=round(float(figures["cycles_total"])),
        estimated_ms=round(1000 * float(figures["inference_time"]), 3),
        assumptions=f"{system}, {_MEMORY}, {clock / 1e6:g} MHz",
    )
