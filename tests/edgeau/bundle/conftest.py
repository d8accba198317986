from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest

from edgeau.bundle import load
from edgeau.runtimes.table import runtimes


@pytest.fixture(autouse=True)
def _own_runtimes_only(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each artifact in the runtime that the manifest names, whatever else is installed; test_other_runtimes.py has the rest."""
    if request.module.__name__.endswith("test_other_runtimes"):
        return
    rows = {name: replace(row, opens_those_of=()) for name, row in runtimes().items()}
    monkeypatch.setattr(load, "runtimes", lambda: MappingProxyType(rows))
