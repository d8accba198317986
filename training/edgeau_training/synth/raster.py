"""Triangles to pixels: vertex normals and a z-buffer that keeps triangle number and barycentric weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

_Loop = TypeVar("_Loop", bound=Callable[..., object])


def compile_kernel(loop: _Loop) -> _Loop:
    """The loop as machine code, kept on disk between runs.

    numba is imported here and nowhere else. No fast-math: pictures must be the same to the byte wherever the same machine code runs.
    """
    return cast("_Loop", numba.njit(cache=True, error_model="numpy")(loop))


Array = NDArray[Any]


@compile_kernel
def vertex_normals(vertices: Array, triangles: Array) -> Array:
    """Return area-weighted unit normals (V, 3) float32 of vertices (V, 3) and triangles (T, 3)."""
    normals = np.zeros((vertices.shape[0], 3), np.float32)
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ux, uy, uz = (
            vertices[b, 0] - vertices[a, 0],
            vertices[b, 1] - vertices[a, 1],
            vertices[b, 2] - vertices[a, 2],
        )
        vx, vy, vz = (
            vertices[c, 0] - vertices[a, 0],
            vertices[c, 1] - vertices[a, 1],
            vertices[c, 2] - vertices[a, 2],
        )
        x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        for k in (a, b, c):
            normals[k, 0] += x
            normals[k, 1] += y
            normals[k, 2] += z
    for i in range(normals.shape[0]):
        scale = 1 / np.sqrt(normals[i, 0] ** 2 + normals[i, 1] ** 2 + normals[i, 2] ** 2 + np.float32(1e-12))
        normals[i, 0] *= scale
        normals[i, 1] *= scale
        normals[i, 2] *= scale
    return normals


@compile_kernel
def rasterize(
    screen: Array, triangles: Array, two_sided: Array, depth: Array, hit: Array, weights: Array
) -> None:
    """Draw triangles into depth (H, W), hit (H, W) int32 and weights (H, W, 2), in place.

    screen (V, 3) float32: x, y in pixels (y down), z larger = closer to the camera. two_sided (T,) uint8: 0 culls back
    faces, 1 draws both, 2 skips the triangle. weights hold the barycentric weights of the second and third corner.
    """
    height, width = depth.shape
    for t in range(triangles.shape[0]):
        if two_sided[t] == 2:
            continue
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x0, y0 = screen[a, 0], screen[a, 1]
        x1, y1 = screen[b, 0], screen[b, 1]
        x2, y2 = screen[c, 0], screen[c, 1]
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if (area >= 0 and two_sided[t] == 0) or abs(area) < 1e-6:
            continue
        left, right = max(0, int(np.ceil(min(x0, x1, x2)))), min(width - 1, int(np.floor(max(x0, x1, x2))))
        top, bottom = max(0, int(np.ceil(min(y0, y1, y2)))), min(height - 1, int(np.floor(max(y0, y1, y2))))
        inverse = np.float32(1) / area
        z0, z1, z2 = screen[a, 2], screen[b, 2], screen[c, 2]
        for y in range(top, bottom + 1):
            for x in range(left, right + 1):
                w1 = ((x - x0) * (y2 - y0) - (x2 - x0) * (y - y0)) * inverse
                w2 = ((x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)) * inverse
                if w1 < -1e-5 or w2 < -1e-5 or w1 + w2 > 1.00001:
                    continue
                z = z0 + w1 * (z1 - z0) + w2 * (z2 - z0)
                if z > depth[y, x]:
                    depth[y, x] = z
                    hit[y, x] = t
                    weights[y, x, 0] = w1
                    weights[y, x, 1] = w2


@compile_kernel
def add_offsets(vertices: Array, rows: Array, offsets: Array, weight: float) -> None:
    """Add weight times offsets (R, 3) to the given rows (R,) of vertices (V, 3), in place."""
    for i in range(rows.shape[0]):
        r = rows[i]
        vertices[r, 0] += weight * offsets[i, 0]
        vertices[r, 1] += weight * offsets[i, 1]
        vertices[r, 2] += weight * offsets[i, 2]
