"""Colours that no sRGB display shows as they are stored, made into what one shows: high dynamic range, and wide gamuts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "HLG",
    "KNOWN_MATRICES",
    "PQ",
    "PRIMARIES",
    "STEPS",
    "ColourProfile",
    "display_colours",
    "is_srgb_like",
    "profile_of_primaries",
    "profiled_colours",
    "srgb_curve",
]

KNOWN_MATRICES = (0, 1, 2, 4, 5, 6, 7, 9, 10)
"""Numbers of ITU-T H.273 that swscale makes RGB of: RGB itself, BT.709, unknown, FCC, BT.601 twice, SMPTE 240M, BT.2020."""

# Numbers of ITU-T H.273, as containers and codecs write them.
PQ, HLG = 16, 18
"""Transfer characteristics of high dynamic range: SMPTE ST 2084, and ARIB STD-B67."""

BT709, BT2020, DISPLAY_P3, DCI_P3 = 1, 9, 12, 11
PRIMARIES = {
    BT709: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), (0.3127, 0.3290)),
    BT2020: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), (0.3127, 0.3290)),
    DISPLAY_P3: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.3127, 0.3290)),
    DCI_P3: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.3140, 0.3510)),
}
"""Chromaticities x y of red, green, blue and white that differ from BT.709 enough to be seen (ITU-T H.273, table 2)."""

# Luminance of white paper in high dynamic range, candela a square metre (ITU-R BT.2408, section 3.1).
_WHITE = 203.0
# Peak luminance that HLG is shown with, and its system gamma there (ITU-R BT.2100, table 5).
_HLG_PEAK, _HLG_GAMMA = 1000.0, 1.2
# Up to this share of white nothing is changed, so that faces keep their tones; what is brighter is bent to stay below
# white, by Reinhard's curve with the same slope at the knee. Ours.
_KNEE = 0.75
_BAND = 256  # rows
STEPS = 4096
"""Of light and of stored values in tables: 12 bits."""

_LUMINANCE = np.array([[0.0593, 0.6780, 0.2627]], np.float32)  # of BGR with BT.2020's primaries


class ColourProfile(NamedTuple):
    """Conversion of stored RGB to linear RGB with sRGB's primaries.

    Attributes:
        curves: float32 ``(3, STEPS)``: linear light 0..1 of each stored value, of red, green, blue.
        matrix: float32 ``(3, 3)``, from the profile's linear RGB to sRGB's.
    """

    curves: NDArray[np.float32]
    matrix: NDArray[np.float32]


def is_srgb_like(transfer: int, primaries: int) -> bool:
    """True where stored values may be shown as they are: every usual gamma, and primaries close to BT.709's."""
    return transfer not in (PQ, HLG) and primaries not in (BT2020, DISPLAY_P3, DCI_P3)


def display_colours(image: NDArray[np.uint16], transfer: int, primaries: int) -> NDArray[np.uint8]:
    """Convert a frame to what an sRGB display shows of it.

    Args:
        image: BGR, uint16 ``(height, width, 3)``, full range.
        transfer: number of ITU-T H.273: :data:`PQ`, :data:`HLG`; any other counts as sRGB's.
        primaries: number of ITU-T H.273; what :data:`PRIMARIES` has not counts as BT.709's.

    Returns:
        BGR, uint8 ``(height, width, 3)``. White paper of high dynamic range is nearly white here; brighter light is bent.
    """
    shown = np.empty(image.shape, np.uint8)
    matrix = _gamut_matrix(primaries)
    for rows in _bands(image):
        light = _light(transfer)[image[rows] >> 4]
        if transfer == HLG:
            # Displays brighten by luminance, not by channel (ITU-R BT.2100, table 5, OOTF).
            luminance = cv2.transform(light, _LUMINANCE)
            light *= cv2.pow(luminance, _HLG_GAMMA - 1)[:, :, None]
            light *= np.float32(_HLG_PEAK / _WHITE)
        if matrix is not None:
            light = np.asarray(cv2.transform(light, matrix[::-1, ::-1]), np.float32)
        if transfer in (PQ, HLG):
            _bend(light)
        shown[rows] = _encoded(light)
    return shown


def profiled_colours(image: NDArray[Any], profile: ColourProfile) -> NDArray[np.uint8]:
    """Convert a picture with a colour profile to what an sRGB display shows of it.

    Args:
        image: BGR, uint8 or uint16 ``(height, width, 3)``.
        profile: profile of its colours.

    Returns:
        BGR, uint8; colours that sRGB has not are cut off at its edge.
    """
    shown = np.empty(image.shape, np.uint8)
    curves = profile.curves[::-1]
    small = curves[:, np.rint(np.arange(256) * ((STEPS - 1) / 255)).astype(int)].T[None].copy()
    for rows in _bands(image):
        if image.dtype == np.uint8:
            light = cv2.LUT(image[rows], small)
        else:
            light = np.stack(
                [curve[image[rows, :, channel] >> 4] for channel, curve in enumerate(curves)], axis=2
            )
        shown[rows] = _encoded(np.asarray(cv2.transform(light, profile.matrix[::-1, ::-1]), np.float32))
    return shown


def profile_of_primaries(points: Sequence[tuple[float, float]], curve: NDArray[np.float64]) -> ColourProfile:
    """The profile of three primaries and a curve that all three follow.

    Args:
        points: chromaticities x y of red, green, blue and white.
        curve: ``(STEPS,)``, linear light 0..1 of each stored value.

    Raises:
        LinAlgError: the primaries span no colours.
    """
    matrix = _white_kept(np.linalg.inv(_to_xyz(PRIMARIES[BT709])) @ _to_xyz(points))
    return ColourProfile(np.tile(np.asarray(curve, np.float32), (3, 1)), matrix)


def srgb_curve() -> NDArray[np.float64]:
    """Linear light of stored values in :data:`STEPS` steps (IEC 61966-2-1)."""
    value = np.arange(STEPS) / (STEPS - 1)
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _bands(image: NDArray[Any]) -> Iterator[slice]:
    """Rows by rows, so that floating-point copies stay small."""
    for start in range(0, image.shape[0], _BAND):
        yield slice(start, start + _BAND)


@cache
def _gamut_matrix(primaries: int) -> NDArray[np.float32] | None:
    """Takes linear RGB of other primaries to that of BT.709, ``(3, 3)``; None where nothing is to be done.

    White stays white, as the eye adapts to a display's.
    """
    if primaries not in PRIMARIES or primaries == BT709:
        return None
    return _white_kept(np.linalg.inv(_to_xyz(PRIMARIES[BT709])) @ _to_xyz(PRIMARIES[primaries]))


def _white_kept(matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.asarray(matrix / matrix.sum(axis=1, keepdims=True), np.float32)


def _to_xyz(primaries: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    """RGB to XYZ, each white being (1, 1, 1) of RGB (SMPTE RP 177); from x y of red, green, blue and white."""
    points = np.array(primaries)
    xyz = np.column_stack((points, 1 - points.sum(axis=1))).T / points[:, 1]
    columns, white = xyz[:, :3], xyz[:, 3]
    matrix: NDArray[np.float64] = columns * np.linalg.solve(columns, white)
    return matrix


@cache
def _light(transfer: int) -> NDArray[np.float32]:
    """Linear light for each stored value of 12 bits: white paper is 1; of HLG the scene's, its peak being 1."""
    value = np.arange(STEPS) / (STEPS - 1)
    if transfer == PQ:  # ITU-R BT.2100, table 4, EOTF
        root = value ** (1 / 78.84375)
        light = (
            10_000
            / _WHITE
            * (np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125)
        )
    elif transfer == HLG:  # ITU-R BT.2100, table 5, inverse OETF
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        light = np.where(value <= 0.5, value**2 / 3, (np.exp((value - c) / a) + b) / 12)
    else:
        light = srgb_curve()
    return np.asarray(light, np.float32)


def _encoded(light: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Stored values of 8 bits, by sRGB's curve; the light is overwritten."""
    np.clip(light, 0, 1, out=light)
    light *= STEPS - 1
    light += 0.5
    return _srgb_values()[light.astype(np.uint16)]


@cache
def _srgb_values() -> NDArray[np.uint8]:
    """Values of 8 bits for light in :data:`STEPS` steps (IEC 61966-2-1)."""
    light = np.arange(STEPS) / (STEPS - 1)
    value = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(255 * value), np.uint8)


def _bend(light: NDArray[np.float32]) -> None:
    """Scale every pixel whose brightest channel lies above the knee, in place, so that hues stay."""
    brightest = light.max(axis=2)
    above = brightest > _KNEE
    if not above.any():
        return
    over = (brightest[above] - _KNEE) / (1 - _KNEE)
    light[above] *= ((_KNEE + (1 - _KNEE) * over / (1 + over)) / brightest[above])[:, None]
