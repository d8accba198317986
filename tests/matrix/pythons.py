"""The Pythons that edgeau promises, and where this machine has them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

__all__ = ["PROMISED", "interpreter"]

PROMISED = ("3.10", "3.11", "3.12", "3.13")


def interpreter(version: str) -> str | None:
    """The path of a Python of this machine by its version, such as 3.10, or None where there is none."""
    found = shutil.which(f"python{version}")
    if found and "shims" not in Path(found).parts:
        probe = subprocess.run([found, "-c", "import venv"], capture_output=True, check=False)
        if probe.returncode == 0:
            return found
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates = sorted((root / "versions").glob(f"{version}.*/bin/python"))
    return str(candidates[-1]) if candidates else None
