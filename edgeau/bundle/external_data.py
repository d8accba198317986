"""Files that an ONNX file reads its weights from (onnx.proto, TensorProto.external_data)."""

from __future__ import annotations

import mmap
import re
from pathlib import Path

__all__ = ["external_files"]

# A StringStringEntryProto in which field 1 is "location"; a length may be written with more bytes than it needs. Field 2, the path,
# follows in what every protobuf library writes.
_KEY = b"location"
_BEFORE = re.compile(rb"\n(\x08|\x88\x80*\x00)\Z")
_VALUE = re.compile(rb"\x12([\x80-\xff]*[\x00-\x7f])")


def external_files(model: Path) -> list[str]:
    """The files that an ONNX file names, as it names them; "" for one whose name stands in an unusual place.

    Looked for by the bytes of the field's key, which costs a few milliseconds: a device has no parser of ONNX.

    Args:
        model: the ``.onnx`` file.
    """
    if model.stat().st_size == 0:
        return []
    with model.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return list(dict.fromkeys(_named(content)))


def _named(content: mmap.mmap) -> list[str]:
    found = []
    place = content.find(_KEY)
    while place >= 0:
        end = place + len(_KEY)
        if _BEFORE.search(content[max(0, place - 8) : place]):
            found.append(_value(content, end))
        place = content.find(_KEY, end)
    return found


def _value(content: mmap.mmap, place: int) -> str:
    head = _VALUE.match(content[place : place + 8])
    if head is None:
        return ""
    size = sum((byte & 0x7F) << (7 * number) for number, byte in enumerate(head[1]))
    start = place + head.end()
    return content[start : start + min(size, 4096)].decode("utf-8", "replace")
