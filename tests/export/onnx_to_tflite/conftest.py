from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(scope="session")
def pictures() -> np.ndarray:
    """Three pictures, float32 (3, 6, 14, 12)."""
    return np.random.default_rng(0).normal(0, 1, (3, 6, 14, 12)).astype(np.float32)
