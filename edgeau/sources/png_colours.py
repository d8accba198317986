"""Colours of a PNG that its chunks describe: coded primaries, a profile, or a gamma and chromaticities."""

from __future__ import annotations

import struct

import numpy as np

from edgeau.sources.display_colours import (
    BT709,
    PRIMARIES,
    STEPS,
    ColourProfile,
    profile_of_primaries,
    srgb_curve,
)
from edgeau.sources.icc import read_profile
from edgeau.sources.picture_header import PictureHeader

__all__ = ["profile_of_png"]

# Of gAMA, in hundred-thousandths: what sRGB's curve is written as. Nearer than a twentieth nobody sees a difference.
_SRGB_GAMMA, _SAME = 45_455, 0.05
# Of chromaticities. Ours.
_SAME_POINT = 0.005


def profile_of_png(header: PictureHeader) -> ColourProfile | None:
    """Profile of a PNG's colours; None where they are sRGB's, or it says nothing that is read here.

    cICP says it, else iCCP, else sRGB, else gAMA and cHRM (third edition, section 4.3, table 8).
    """
    said = header.colour_chunks
    coded = said.get(b"cICP", b"")
    if len(coded) == 4:
        primaries = PRIMARIES.get(coded[0])
        return (
            None if primaries is None or coded[0] == BT709 else profile_of_primaries(primaries, srgb_curve())
        )
    if b"iCCP" in said:
        return read_profile(header.profile)
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
