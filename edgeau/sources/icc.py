"""Colour profiles inside picture files: those of cameras and phones, made of three primaries and three curves."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from edgeau.sources.display_colours import STEPS, ColourProfile, srgb_curve

__all__ = ["read_profile"]

# sRGB's primaries in the profile connection space: XYZ under D50 (IEC 61966-2-1 with the adaptation of ICC.1:2022, annex E).
_SRGB = np.array(((0.4360, 0.3851, 0.1431), (0.2225, 0.7169, 0.0606), (0.0139, 0.0971, 0.7141)))
# A profile nearer to sRGB than this, of a matrix's numbers, is sRGB's, written with other roundings. Ours.
_SAME = 0.01


def read_profile(profile: bytes) -> ColourProfile | None:
    """Read an ICC profile (ICC.1:2022), where it is one of three primaries and curves and not sRGB's.

    Tables in several dimensions (printers, scanners) and profiles of grey or CMYK are not read: None.

    Args:
        profile: the whole profile.
    """
    try:
        if profile[16:24] != b"RGB XYZ ":
            return None
        (count,) = struct.unpack_from(">I", profile, 128)
        tags = {
            profile[at : at + 4]: struct.unpack_from(">II", profile, at + 4)
            for at in range(132, 132 + 12 * min(count, 100), 12)
        }
        if not {b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC"} <= tags.keys():
            return None
        content = {name: profile[start : start + size] for name, (start, size) in tags.items()}
        primaries = np.array([_xyz(content[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]).T
        curves = [_curve(content[name]) for name in (b"rTRC", b"gTRC", b"bTRC")]
    except (struct.error, ValueError, ArithmeticError):
        return None
    matrix = np.linalg.inv(_SRGB) @ primaries
    found = np.array(curves)
    if not (np.isfinite(matrix).all() and np.isfinite(found).all()):
        return None
    if np.abs(matrix - np.eye(3)).max() < _SAME and np.abs(found - srgb_curve()).max() < _SAME:
        return None
    return ColourProfile(np.clip(found, 0, 1).astype(np.float32), matrix.astype(np.float32))


def _xyz(content: bytes) -> tuple[float, ...]:
    """An XYZType (section 10.31)."""
    return tuple(number / 65536 for number in struct.unpack_from(">3i", content, 8))


def _curve(content: bytes) -> NDArray[np.float64]:
    """A curveType or parametricCurveType (sections 10.6 and 10.18), at :data:`STEPS` places.

    Raises:
        ValueError: it is another one.
    """
    value = np.arange(STEPS) / (STEPS - 1)
    if content[:4] == b"curv":
        (count,) = struct.unpack_from(">I", content, 8)
        # A file may claim any count: it is no more than what follows.
        numbers = np.frombuffer(content, ">u2", count, 12).astype(np.float64)
        if count == 0:
            return value
        if count == 1:
            return np.asarray(value ** (numbers[0] / 256), np.float64)
        return np.interp(value, np.linspace(0, 1, count), numbers / 65535)
    if content[:4] != b"para":
        raise ValueError(content[:4])
    (kind,) = struct.unpack_from(">H", content, 8)
    names = ("g", "gab", "gabc", "gabcd", "gabcdef")[kind] if kind < 5 else ""
    if not names:
        raise ValueError(kind)
    said = dict(
        zip(
            names,
            (number / 65536 for number in struct.unpack_from(f">{len(names)}i", content, 12)),
            strict=True,
        )
    )
    g, a, b = said["g"], said.get("a", 1.0), said.get("b", 0.0)
    c, d, e, f = (said.get(name, 0.0) for name in "cdef")
    with np.errstate(all="ignore"):  # a negative exponent, or a large one: what is not finite is refused
        power = np.maximum(a * value + b, 0) ** g
    if kind == 0:
        return np.asarray(power, np.float64)
    if kind in (1, 2):  # c is an offset here
        return np.where(value >= -b / a, power + c, c)
    return np.where(value >= d, power + e, c * value + f)
