"""Colours of a PNG that its chunks describe: coded primaries, a profile, or a gamma and chromaticities."""

from __future__ import annotations

import struct

import numpy as np

from edgeau.sources.display_colours import (
    BT709,
    HLG,
    PQ,
    PRIMARIES,
    STEPS,
    ColourProfile,
    profile_of_primaries,
    srgb_curve,
)
from edgeau.sources.icc import embedded_profile, read_profile
from edgeau.sources.picture_parts import PNG, png_chunks

__all__ = ["is_high_dynamic_range", "profile_of_picture"]

# Of gAMA, in hundred-thousandths: what sRGB's curve is written as. Nearer than a twentieth nobody sees a difference.
_SRGB_GAMMA, _SAME = 45_455, 0.05
# Of chromaticities. Ours.
_SAME_POINT = 0.005


def is_high_dynamic_range(data: bytes) -> bool:
    """Tell whether a file is a PNG that says so (PNG, third edition, section 11.3.2.6, cICP)."""
    said = _said(data).get(b"cICP", b"")
    return len(said) == 4 and said[1] in (PQ, HLG)


def profile_of_picture(data: bytes) -> ColourProfile | None:
    """Profile of a picture's colours; None where they are sRGB's, or it says nothing that is read here.

    A PNG says it by cICP, else iCCP, else sRGB, else gAMA and cHRM (third edition, section 4.3, table 8); other kinds by a profile.

    Args:
        data: the whole file.
    """
    said = _said(data)
    coded = said.get(b"cICP", b"")
    if len(coded) == 4:
        primaries = PRIMARIES.get(coded[0])
        return (
            None if primaries is None or coded[0] == BT709 else profile_of_primaries(primaries, srgb_curve())
        )
    if not said or b"iCCP" in said:
        return read_profile(embedded_profile(data))
    return None if b"sRGB" in said else _of_gamma(said)


def _of_gamma(said: dict[bytes, bytes]) -> ColourProfile | None:
    try:
        (gamma,) = struct.unpack(">I", said.get(b"gAMA", b"")) if b"gAMA" in said else (_SRGB_GAMMA,)
        points = _points(said[b"cHRM"]) if b"cHRM" in said else PRIMARIES[BT709]
        usual_gamma = gamma == 0 or abs(gamma / _SRGB_GAMMA - 1) < _SAME
        usual_points = np.abs(np.subtract(points, PRIMARIES[BT709])).max() < _SAME_POINT
        if usual_gamma and usual_points:
            return None
        curve = srgb_curve() if usual_gamma else np.linspace(0, 1, STEPS) ** (100_000 / gamma)
        profile = profile_of_primaries(points, curve)
    except (struct.error, ArithmeticError, np.linalg.LinAlgError):
        return None
    return profile if np.isfinite(profile.matrix).all() else None


def _points(content: bytes) -> tuple[tuple[float, float], ...]:
    """Red, green, blue and white of cHRM, which has white first."""
    numbers = [number / 100_000 for number in struct.unpack(">8I", content)]
    white, red, green, blue = zip(numbers[::2], numbers[1::2], strict=True)
    if not all(0 < y < 1 for _, y in (white, red, green, blue)):
        raise ArithmeticError
    return red, green, blue, white


def _said(data: bytes) -> dict[bytes, bytes]:
    """The chunks of a PNG before its pixels; nothing of any other file."""
    chunks: dict[bytes, bytes] = {}
    if data[:8] == PNG:
        for name, start, end in png_chunks(data):
            if name == b"IDAT":
                break
            chunks.setdefault(name, data[start:end])
    return chunks
