from __future__ import annotations

import cv2
import numpy as np
import pytest


def make_picture(path, size=8, value=90):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((size, size, 3), value, np.uint8))


@pytest.fixture
def picture():
    """Writes a small picture, and the folders above it."""
    return make_picture


@pytest.fixture
def touch():
    """Makes empty files that only have to be there."""

    def make(*paths):
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()

    return make


@pytest.fixture
def write():
    """Writes a text file from its lines, and the folders above it."""

    def make(path, *lines):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines))

    return make
