"""The shading kernel: skin with wrinkle normals, eyes, mouth and hair, lit by a few directional lights.

One compiled loop over the pixels; what a material looks like is a function each. Colours are linear RGB.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau_training.synth.raster import compile_kernel

__all__ = ["shade"]

Array = NDArray[Any]
Colour = tuple[float, float, float]

# How far light wraps around skin, per channel: red travels furthest below the surface (ours, by eye).
WRAP_RED, WRAP_GREEN, WRAP_BLUE = 0.38, 0.22, 0.16
WRAP_OTHER = 0.2
IRIS_ANGLE = 0.41  # radians from the gaze axis to the limbus
GROOVE_DARKENING = 3.2  # per cm of groove depth
STEEPEST = 1.2  # slope of a groove's wall; more would turn normals away from the camera
_FULL = 65025  # 255 squared: the albedo atlas holds square roots


@compile_kernel
def _texel(albedo: Array, ix: int, iy: int, fx: float, fy: float, channel: int) -> float:
    """One channel of the atlas between four pixels."""
    q00, q01, q10, q11 = (1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy
    value = albedo[iy, ix, channel] * q00 + albedo[iy, ix + 1, channel] * q01
    value += albedo[iy + 1, ix, channel] * q10 + albedo[iy + 1, ix + 1, channel] * q11
    return value  # type: ignore[no-any-return]


@compile_kernel
def _slope(
    height: Array, ix: int, iy: int, fx: float, fy: float, t: int, triangles: Array, posed: Array, uvs: Array
) -> tuple[float, float, float, float]:
    """Compute what a relief takes from the normal (x, y, z), and its height at the place, cm.

    Gradient of the height over the surface: Mikkelsen, "Bump Mapping Unparametrized Surfaces on the GPU" (2010), with
    triangle edges in place of screen derivatives.
    """
    side = height.shape[0] - 1
    h00, h01 = height[iy, ix], height[iy, ix + 1]
    h10, h11 = height[iy + 1, ix], height[iy + 1, ix + 1]
    along_u = ((h01 - h00) * (1 - fy) + (h11 - h10) * fy) * side
    along_v = -((h10 - h00) * (1 - fx) + (h11 - h01) * fx) * side
    q00, q01, q10, q11 = (1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy
    groove = h00 * q00 + h01 * q01 + h10 * q10 + h11 * q11
    a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
    e1x, e1y, e1z = posed[b, 0] - posed[a, 0], posed[b, 1] - posed[a, 1], posed[b, 2] - posed[a, 2]
    e2x, e2y, e2z = posed[c, 0] - posed[a, 0], posed[c, 1] - posed[a, 1], posed[c, 2] - posed[a, 2]
    d1 = along_u * (uvs[t, 1, 0] - uvs[t, 0, 0]) + along_v * (uvs[t, 1, 1] - uvs[t, 0, 1])
    d2 = along_u * (uvs[t, 2, 0] - uvs[t, 0, 0]) + along_v * (uvs[t, 2, 1] - uvs[t, 0, 1])
    gx, gy, gz = e1y * e2z - e1z * e2y, e1z * e2x - e1x * e2z, e1x * e2y - e1y * e2x
    area = gx * gx + gy * gy + gz * gz
    if area <= 1e-10:
        return 0.0, 0.0, 0.0, groove
    inverse = 1 / np.sqrt(area)
    gx, gy, gz = gx * inverse, gy * inverse, gz * inverse
    sx = (d1 * (e2y * gz - e2z * gy) + d2 * (gy * e1z - gz * e1y)) * inverse
    sy = (d1 * (e2z * gx - e2x * gz) + d2 * (gz * e1x - gx * e1z)) * inverse
    sz = (d1 * (e2x * gy - e2y * gx) + d2 * (gx * e1y - gy * e1x)) * inverse
    limit = STEEPEST / max(np.sqrt(sx * sx + sy * sy + sz * sz), STEEPEST)
    return sx * limit, sy * limit, sz * limit, groove


@compile_kernel
def _eye_colour(
    dx: float, dy: float, dz: float, axis: Array, iris: Array, sclera: Array, pupil: float
) -> Colour:
    """Colour of an eyeball in a direction from its centre."""
    inverse = 1 / np.sqrt(dx * dx + dy * dy + dz * dz + 1e-9)
    cosine = (dx * axis[0] + dy * axis[1] + dz * axis[2]) * inverse
    angle = np.arccos(min(max(cosine, -1.0), 1.0))
    white = min(max((angle - IRIS_ANGLE) / 0.05 + 0.5, 0.0), 1.0)
    lit = 0.55 + 1.3 * angle if angle < IRIS_ANGLE - 0.06 else 0.45
    if angle < pupil:
        lit = 0.04
    return (
        iris[0] * lit * (1 - white) + sclera[0] * white,
        iris[1] * lit * (1 - white) + sclera[1] * white,
        iris[2] * lit * (1 - white) + sclera[2] * white,
    )


@compile_kernel
def shade(
    image: Array, hit: Array, weights: Array, cavity: Array, triangles: Array, materials: Array, posed: Array,
    normals: Array, neutral: Array, uvs: Array, albedo: Array, height: Array, scalp: Array, hair_share: Array,
    eye_centres: Array, eye_axes: Array, iris: Array, sclera: Array, pupil: float, lights: Array, colours: Array,
    ambient: Array, gloss: float, gloss_power: float, teeth: float,
) -> None:  # fmt: skip
    """Shade every covered pixel of an image, in place.

    Args:
        image: float32 ``(H, W, 3)``, linear RGB; changed.
        hit: int32 ``(H, W)``, triangle seen, or -1.
        weights: float32 ``(H, W, 2)``, of its second and third corner.
        cavity: float32 ``(H, W)``, darkening 0..1.
        triangles: int32 ``(T, 3)``.
        materials: int32 ``(T,)``, the constants of ``rig``.
        posed: float32 ``(V, 3)``, camera axes, cm.
        normals: float32 ``(V, 3)``, unit, camera axes.
        neutral: float32 ``(V, 3)``, the neutral mesh: places inside eyes and mouth are told by it.
        uvs: float32 ``(T, 3, 2)``.
        albedo: uint8 ``(N, N, 3)``, square root of linear reflectance.
        height: float32 ``(N, N)``, cm.
        scalp: float32 ``(M, M, 3)``, a tile of hair strands.
        hair_share: float32 ``(V,)``, 0..1.
        eye_centres: float32 ``(2, 3)``, left and right, in the neutral mesh.
        eye_axes: float32 ``(2, 3)``, unit, where the irises are.
        iris: float32 ``(3,)``.
        sclera: float32 ``(3,)``.
        pupil: radius, radians.
        lights: float32 ``(L, 3)``, unit vectors towards the lights.
        colours: float32 ``(L, 3)``, strength of each light.
        ambient: float32 ``(3,)``.
        gloss: strength of the skin's highlights.
        gloss_power: their sharpness.
        teeth: whiteness, about 1.
    """
    atlas = albedo.shape[0]
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            t = hit[y, x]
            if t < 0:
                continue
            w1, w2 = weights[y, x, 0], weights[y, x, 1]
            w0 = 1 - w1 - w2
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            nx = w0 * normals[a, 0] + w1 * normals[b, 0] + w2 * normals[c, 0]
            ny = w0 * normals[a, 1] + w1 * normals[b, 1] + w2 * normals[c, 1]
            nz = w0 * normals[a, 2] + w1 * normals[b, 2] + w2 * normals[c, 2]
            material = materials[t]
            red, green, blue = 0.5, 0.5, 0.5
            shade_factor, specular, power = 1.0, 0.04, 14.0
            wrap_r, wrap_g, wrap_b = WRAP_OTHER, WRAP_OTHER, WRAP_OTHER
            if material <= 1:  # face, or the back of the head
                u = w0 * uvs[t, 0, 0] + w1 * uvs[t, 1, 0] + w2 * uvs[t, 2, 0]
                v = w0 * uvs[t, 0, 1] + w1 * uvs[t, 1, 1] + w2 * uvs[t, 2, 1]
                if material == 0:
                    fx = min(max(u * (atlas - 1), 1.0), atlas - 2.001)
                    fy = min(max((1 - v) * (atlas - 1), 1.0), atlas - 2.001)
                    ix, iy = int(fx), int(fy)
                    fx -= ix
                    fy -= iy
                    red = _texel(albedo, ix, iy, fx, fy, 0)
                    green = _texel(albedo, ix, iy, fx, fy, 1)
                    blue = _texel(albedo, ix, iy, fx, fy, 2)
                    sx, sy, sz, groove = _slope(height, ix, iy, fx, fy, t, triangles, posed, uvs)
                    nx, ny, nz = nx - sx, ny - sy, nz - sz
                    shade_factor = min(max(1 + GROOVE_DARKENING * groove, 0.55), 1.12)
                else:  # plain skin, of the atlas's corner
                    red, green, blue = albedo[8, 8, 0] * 1.0, albedo[8, 8, 1] * 1.0, albedo[8, 8, 2] * 1.0
                red, green, blue = red * red / _FULL, green * green / _FULL, blue * blue / _FULL
                specular, power = gloss, gloss_power
                wrap_r, wrap_g, wrap_b = WRAP_RED, WRAP_GREEN, WRAP_BLUE
                hairy = w0 * hair_share[a] + w1 * hair_share[b] + w2 * hair_share[c]
                if hairy > 0.02:
                    side = scalp.shape[0]
                    px, py = int(u * 2.6 * side) % side, int(v * 1.3 * side) % side
                    strand = scalp[py, px, 0] + scalp[py, px, 1] + scalp[py, px, 2]
                    # The hairline frays: light strands reach further than dark gaps.
                    share = min(max((hairy - 0.35) * 3 + strand * 0.4, 0.0), 1.0) if hairy < 0.75 else 1.0
                    red += (scalp[py, px, 0] - red) * share
                    green += (scalp[py, px, 1] - green) * share
                    blue += (scalp[py, px, 2] - blue) * share
                    specular += (0.05 - specular) * share
            elif material in (2, 3):  # gums and tongue, teeth: the deeper, the less light comes in
                deep = w0 * neutral[a, 2] + w1 * neutral[b, 2] + w2 * neutral[c, 2]
                shade_factor = min(max((deep - 5.0) / 6.5, 0.06), 0.85)
                if material == 2:
                    red, green, blue = 0.36, 0.09, 0.09
                    specular, power = 0.08, 30.0
                else:
                    red, green, blue = 0.66 * teeth, 0.6 * teeth, 0.47 * teeth
                    specular, power = 0.12, 40.0
            elif material in (4, 5):  # left and right eyeball
                e = material - 4
                dx = w0 * neutral[a, 0] + w1 * neutral[b, 0] + w2 * neutral[c, 0] - eye_centres[e, 0]
                dy = w0 * neutral[a, 1] + w1 * neutral[b, 1] + w2 * neutral[c, 1] - eye_centres[e, 1]
                dz = w0 * neutral[a, 2] + w1 * neutral[b, 2] + w2 * neutral[c, 2] - eye_centres[e, 2]
                red, green, blue = _eye_colour(dx, dy, dz, eye_axes[e], iris, sclera, pupil)
                # Lids and lashes keep light from the upper rim and the corners.
                shade_factor = min(max(1.2 - 0.75 * abs(dy) - 0.3 * abs(dx) - 0.25 * max(dy, 0.0), 0.25), 1.0)
                specular, power = 0.8, 140.0
            else:  # lashes
                red, green, blue = 0.012, 0.009, 0.008
                specular = 0.0
            scale = 1 / np.sqrt(nx * nx + ny * ny + nz * nz + 1e-12)
            nx, ny, nz = nx * scale, ny * scale, nz * scale
            sky = 0.72 + 0.28 * ny
            out_r, out_g, out_b = red * ambient[0] * sky, green * ambient[1] * sky, blue * ambient[2] * sky
            for j in range(lights.shape[0]):
                lx, ly, lz = lights[j, 0], lights[j, 1], lights[j, 2]
                facing = nx * lx + ny * ly + nz * lz
                hz = lz + 1
                half = 1 / np.sqrt(lx * lx + ly * ly + hz * hz + 1e-9)
                shine = max((nx * lx + ny * ly + nz * hz) * half, 0.0)
                glint = specular * shine**power if facing > 0 else 0.0
                out_r += (red * max(facing + wrap_r, 0.0) / (1 + wrap_r) + glint) * colours[j, 0]
                out_g += (green * max(facing + wrap_g, 0.0) / (1 + wrap_g) + glint) * colours[j, 1]
                out_b += (blue * max(facing + wrap_b, 0.0) / (1 + wrap_b) + glint) * colours[j, 2]
            shade_factor *= 1 - 0.85 * cavity[y, x]
            image[y, x, 0] = out_r * shade_factor
            image[y, x, 1] = out_g * shade_factor
            image[y, x, 2] = out_b * shade_factor
