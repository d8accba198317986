"""Files that the weights of a network lie in: one, the shards that an index names, or an ONNX file and its external data."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from edgeau._system.file_digest import file_digest
from edgeau._system.json_text import parse_json
from edgeau.bundle.external_data import external_files
from edgeau.errors import CheckpointError

__all__ = ["INDEX", "shard_places", "weight_files", "weights_bytes", "weights_digest"]

INDEX = ".index.json"
"""End of the name of an index of shards (Hugging Face's ``model.safetensors.index.json``)."""


def shard_places(index: Path) -> dict[str, str]:
    """The shard of every tensor that an index names, by the tensor's name.

    Raises:
        CheckpointError: it is not an index, or a shard is not beside it.
    """
    try:
        places: dict[str, str] = parse_json(index.read_text(encoding="utf-8"))["weight_map"]
        names = sorted(set(places.values()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{index} is not an index of shards: it has no weight_map ({error})") from error
    for name in names:
        if Path(name).name != name or not (index.parent / name).is_file():
            raise CheckpointError(f"{index} names the shard {name}, which is not beside it")
    return places


def weight_files(path: Path) -> tuple[Path, ...]:
    """The file itself, and behind it every other one that holds some of its weights, in alphabetical order.

    Args:
        path: a file of weights or of a whole network, or the index of several.

    Raises:
        CheckpointError: it is an index that cannot be read, or an ONNX file that does not say where its weights lie.
    """
    others: set[str] = set()
    if path.name.endswith(INDEX):
        others = set(shard_places(path).values())
    elif path.suffix == ".onnx":
        others = set(external_files(path))
        if "" in others:
            raise CheckpointError(
                f"{path} does not say in which file its weights lie; copy or export it again"
            )
    # A name may be left over in a tensor whose values are inside: such a file need not be there.
    found = (path.parent / name for name in sorted(others))
    return (path, *(file for file in found if file.is_file()))


def weights_digest(path: Path) -> str:
    """SHA-256, hex, of a single file; of several (:func:`weight_files`) that of the names and digests of all.

    Raises:
        CheckpointError: see :func:`weight_files`.
    """
    files = weight_files(path)
    if len(files) == 1:
        return file_digest(path)
    state = hashlib.sha256()
    for file in files:
        state.update(os.fsencode(file.relative_to(path.parent)) + b"\0" + file_digest(file).encode() + b"\n")
    return state.hexdigest()


def weights_bytes(path: Path) -> int:
    """Bytes of all files of :func:`weight_files` together.

    Raises:
        CheckpointError: see :func:`weight_files`.
    """
    return sum(file.stat().st_size for file in weight_files(path))
