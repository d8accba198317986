"""Reading one safetensors file: what can be wrong with it, said in one line."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import safetensors

from edgeau.errors import CheckpointError

__all__ = ["read_header"]


def read_header(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file, after checking that the file is whole.

    Raises:
        CheckpointError: missing, a folder, a pickle, truncated, or otherwise not safetensors.
    """
    if not path.is_file():
        raise CheckpointError(
            f"checkpoint {path} {'is a folder' if path.is_dir() else 'does not exist'}; name a .safetensors file"
        )
    if _is_pickle(path):
        raise CheckpointError(
            f"{path} is a pickle (a torch .pt/.pth file), which can run code when opened, so it is not; "
            "save its weights with edgeau_training.checkpoint.save_checkpoint first"
        )
    try:
        with safetensors.safe_open(os.fspath(path), framework="numpy") as file:
            return dict(file.metadata() or {})
    except safetensors.SafetensorError as error:
        raise CheckpointError(
            f"{path} is not a whole safetensors file ({error}); it is truncated, damaged or of another kind: copy it again"
        ) from error


def _is_pickle(path: Path) -> bool:
    """torch.save writes a zip, older versions and plain pickle start with the protocol opcode."""
    with path.open("rb") as file:
        start = file.read(2)
    return zipfile.is_zipfile(path) or (len(start) == 2 and start[0] == 0x80 and start[1] <= 5)
