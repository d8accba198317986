"""Malformed files made from good ones: bytes, structures of JSON and TOML, members of zip files, fields of chunked formats."""

from __future__ import annotations

import io
import json
import random
import re
import struct
import zipfile
import zlib
from typing import Any

__all__ = ["mutated", "mutated_json", "mutated_text", "mutated_zip"]

_NUMBERS = (
    0,
    1,
    -1,
    2,
    127,
    128,
    255,
    256,
    32767,
    32768,
    65535,
    65536,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**53,
    2**63,
    10**30,
)
_ODD: tuple[Any, ...] = (
    None, True, False, "", "a", "\0", "é", "../../etc/passwd", "/", "x" * 5000, [], {}, [[]], {"": 0}, 1e308, -1e308, 1e-320,
    float("nan"), float("inf"), 10**400, "NaN", "1", "\ud800", *_NUMBERS,
)  # fmt: skip


def mutated(content: bytes, dice: random.Random) -> bytes:
    """A few changes of bytes: flips, cuts, copies, insertions, numbers at the edges of their types in either byte order."""
    data = bytearray(content)
    for _ in range(dice.choice((1, 1, 2, 4, 16))):
        place = dice.randrange(len(data) + 1)
        match dice.randrange(8):
            case 0 if data:
                data[place % len(data)] ^= 1 << dice.randrange(8)
            case 1:
                del data[place : place + dice.choice((1, 4, 64, 4096))]
            case 2:
                data[place:place] = dice.randbytes(dice.choice((1, 4, 64)))
            case 3:
                start = dice.randrange(len(data) + 1)
                data[place:place] = data[start : start + dice.choice((4, 64, 1024))]
            case 4:
                del data[place:]
            case 5 | 6:
                code = dice.choice("<>") + dice.choice("HIQ")
                number = dice.choice(_NUMBERS) & (2 ** (8 * struct.calcsize(code)) - 1)
                data[place : place + struct.calcsize(code)] = struct.pack(code, number)
            case _:
                data[place : place + 16] = dice.choice((b"\0", b"\xff", b"A")) * 16
    return bytes(data)


def mutated_json(document: Any, dice: random.Random) -> bytes:
    """A JSON document with changed, missing, doubled or deeply nested values, or changed bytes."""
    if dice.random() < 0.15:
        return mutated(json.dumps(document).encode(), dice)
    try:
        return _mutated_values(document, dice)
    except (ArithmeticError, ValueError):  # numbers that Python itself cannot write
        return mutated(json.dumps(document).encode(), dice)


def _mutated_values(document: Any, dice: random.Random) -> bytes:
    copy = json.loads(json.dumps(document))
    for _ in range(dice.choice((1, 1, 2, 5))):
        copy = _changed(copy, dice)
    text = json.dumps(copy)
    if dice.random() < 0.02:
        text = "[" * 100_000 + text
    return text.encode("utf-8", "surrogatepass")


def _changed(value: Any, dice: random.Random) -> Any:
    """One change, somewhere below a value."""
    if isinstance(value, dict) and value and dice.random() < 0.9:
        key = dice.choice(list(value))
        match dice.randrange(8):
            case 0:
                del value[key]
            case 1:
                value[dice.choice(("", "x", key + "_", "file"))] = value[key]
            case 2:
                value[key] = dice.choice(_ODD)
            case _:
                value[key] = _changed(value[key], dice)
        return value
    if isinstance(value, list) and value and dice.random() < 0.9:
        place = dice.randrange(len(value))
        match dice.randrange(6):
            case 0:
                del value[place]
            case 1:
                value.insert(place, value[place])
            case 2 if len(value) < 1000:  # grows with every change of the same list
                value *= dice.choice((2, 50))
            case _:
                value[place] = _changed(value[place], dice)
        return value
    if isinstance(value, str) and value and dice.random() < 0.4:
        return mutated(value.encode("utf-8", "surrogatepass"), dice).decode("utf-8", "replace")
    if isinstance(value, int | float) and dice.random() < 0.4:
        return dice.choice((-value, value * 2**31, value + 0.5, str(value), [value]))
    return dice.choice(_ODD)


_TOKEN = re.compile(r"[\w.+-]+|\"[^\"]*\"|[^\w\s]")


def mutated_text(text: str, dice: random.Random) -> bytes:
    """Lines and words of a text file (TOML, CSV) doubled, missing or exchanged, numbers at their edges, or changed bytes."""
    if dice.random() < 0.2:
        return mutated(text.encode(), dice)
    lines = text.splitlines()
    for _ in range(dice.choice((1, 1, 2, 5))):
        place = dice.randrange(len(lines)) if lines else 0
        match dice.randrange(6):
            case 0 if lines:
                del lines[place]
            case 1 if lines:
                lines.insert(dice.randrange(len(lines) + 1), lines[place])
            case 2:
                lines.insert(
                    place, dice.choice(("[", "a = 1", '"', "[[x]]", ",,,,", "\0", "x" * 70000, "=", "#"))
                )
            case _ if lines:
                words = list(_TOKEN.finditer(lines[place]))
                if words:
                    word = dice.choice(words)
                    with_ = str(dice.choice(_ODD)) if dice.random() < 0.7 else dice.choice(words)[0]
                    lines[place] = lines[place][: word.start()] + with_ + lines[place][word.end() :]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def mutated_zip(content: bytes, dice: random.Random) -> bytes:
    """A zip file (``.npz``) whose members were changed and whose checksums are right, or changed bytes of the whole."""
    if dice.random() < 0.4:
        return mutated(content, dice)
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as given,
        zipfile.ZipFile(out, "w", dice.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as made,
    ):
        names = given.namelist()
        chosen = dice.choice(names)
        for name in names:
            data = given.read(name)
            if name == chosen:
                match dice.randrange(7):
                    case 0:
                        continue
                    case 1:
                        data = data[: dice.randrange(len(data) + 1)]
                    case 2:
                        header = data[:128].replace(
                            b"(", dice.choice((b"(-1, ", b"(99999999999, ", b"((", b"")), 1
                        )
                        data = header + data[128:]
                    case 3:
                        kind = dice.choice(
                            (b"'|O'", b"'<f8'", b"'<i8'", b"'|S9'", b"'<U9'", b"'<c8'", b"'|b1'", b"'<M8'")
                        )
                        data = re.sub(rb"'[<|>][a-zA-Z]\d+'", kind, data[:128], count=1) + data[128:]
                    case 4:
                        number = dice.choice((float("nan"), float("inf"), 1e38, -1e38, 0.0))
                        data = data[:128] + struct.pack("<f", number) * (max(len(data) - 128, 0) // 4)
                    case _:
                        data = data[:10] + mutated(data[10:], dice)
            made.writestr(
                dice.choice((name, name, name, "x.npy", name + "x")) if name == chosen else name, data
            )
    return out.getvalue()


def with_checksums(png: bytes) -> bytes:
    """A PNG whose chunks say their right checksums, as far as it is made of chunks."""
    data, place = bytearray(png), 8
    while place + 12 <= len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        if place + 12 + size > len(data):
            break
        data[place + 8 + size : place + 12 + size] = zlib.crc32(data[place + 4 : place + 8 + size]).to_bytes(
            4, "big"
        )
        place += 12 + size
    return bytes(data)
