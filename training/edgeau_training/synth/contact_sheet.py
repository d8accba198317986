"""A picture of many samples of a data set with their labels, to look at before training on it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau._system.atomic_file import write_whole
from edgeau.errors import InputError
from edgeau_training.synth import shards
from edgeau_training.synth.action_units import ACTIVE
from edgeau_training.synth.rows import decode

__all__ = ["write_contact_sheet"]

COLUMNS, ROWS = 8, 6
_CAPTION = 44  # pixels below each face


def write_contact_sheet(root: Path, path: Path) -> None:
    """Write a PNG of the first faces of a data set: the aligned crop, or the whole picture where none was found.

    Raises:
        InputError: no shard is finished yet.
        OutputError: the picture cannot be written.
    """
    split = next((name for name in ("test", "val", "train") if shards.shard_paths(root, name)), None)
    if split is None:
        raise InputError(f"{root}: no finished shard to show. Render first.")
    faces = shards.read_split(root, split, ["image", "crop", "aus", "index"], limit=COLUMNS * ROWS)
    names = shards.dataset_info(root)["aus"]
    tiles = [
        _tile(crop or image, int(index), {name: float(value) for name, value in zip(names, aus, strict=True)})
        for image, crop, aus, index in zip(
            faces["image"], faces["crop"], faces["aus"], faces["index"], strict=True
        )
    ]
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % COLUMNS)
    lines = [np.hstack(tiles[start : start + COLUMNS]) for start in range(0, len(tiles), COLUMNS)]
    _, encoded = cv2.imencode(".png", np.vstack(lines))
    write_whole(path, encoded.tobytes())


def _tile(picture: bytes, index: int, aus: dict[str, float]) -> NDArray[np.uint8]:
    face = cv2.resize(decode(picture), (256, 256))
    caption = np.full((_CAPTION, 256, 3), 255, np.uint8)
    shown = [f"{name[2:]}:{value:.1f}" for name, value in aus.items() if value >= ACTIVE]
    for line, words in enumerate((f"#{index}  {' '.join(shown[:3])}", " ".join(shown[3:]))):
        place = (4, 17 + 18 * line)
        cv2.putText(caption, words, place, cv2.FONT_HERSHEY_SIMPLEX, 0.42, (20, 20, 20), 1, cv2.LINE_AA)
    return np.vstack([face, caption]).astype(np.uint8)
