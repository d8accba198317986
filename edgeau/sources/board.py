"""Which board this is, for cameras that only one kind of board has."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

__all__ = ["board"]

_MODEL = Path("/proc/device-tree/model")


def board(model: Path = _MODEL) -> Literal["raspberrypi", "jetson"] | None:
    """The board's maker, from the device tree that its firmware gives to Linux; None for any other machine."""
    try:
        text = model.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    if "Raspberry Pi" in text:
        return "raspberrypi"
    return "jetson" if "Jetson" in text or "NVIDIA" in text else None
