"""Reading the Wavefront OBJ files of a face rig: positions only, or the whole topology."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeau.errors import InputError


@dataclass(frozen=True)
class Topology:
    """Triangles of a mesh whose polygons were split into fans.

    triangles (T, 3) int32 vertex numbers; uvs (T, 3, 2) float32 in texture units, v upwards;
    materials (T,) int32 into material_names.
    """

    triangles: NDArray[np.int32]
    uvs: NDArray[np.float32]
    materials: NDArray[np.int32]
    material_names: tuple[str, ...]


def positions_from_obj(path: Path) -> NDArray[np.float32]:
    """Return the vertex positions (V, 3) float32 of an OBJ file, in the file's unit.

    Raises:
        InputError: the file has no vertex, or a vertex line is not three numbers.
    """
    data = path.read_bytes()
    if not data.startswith(b"v "):
        start = data.find(b"\nv ")
        data = data[start + 1 :] if start >= 0 else b""
    last = data.rfind(b"\nv ")
    end = data.find(b"\n", last + 1) if last >= 0 else data.find(b"\n")
    block = data[: end if end >= 0 else len(data)]
    # Vertex lines are one contiguous block in every file of the rig, so one call reads them all.
    lines = block.count(b"v ")
    words = block.replace(b"v ", b" ").split()
    if not lines or len(words) != 3 * lines:
        raise InputError(
            f"{path}: expected one block of 'v x y z' lines; found {lines} lines, {len(words)} words. Unpack the rig again"
        )
    try:
        return np.array(words, dtype=np.float32).reshape(-1, 3)
    except ValueError as error:
        raise InputError(f"{path}: a coordinate is not a number ({error}). Unpack the rig again") from error


def topology_from_obj(path: Path) -> Topology:
    """Return triangles, texture coordinates and materials of an OBJ file (polygons become fans).

    Raises:
        InputError: a line is damaged, a number points to nothing, or there is no face, texture or material.
    """
    try:
        return _topology(path)
    except (ValueError, IndexError) as error:
        raise InputError(f"{path}: a line of the mesh is damaged ({error}). Unpack the rig again") from error


def _topology(path: Path) -> Topology:
    corners: list[tuple[int, int, int]] = []
    uv_corners: list[tuple[int, int, int]] = []
    materials: list[int] = []
    names: list[str] = []
    texture: list[tuple[float, float]] = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        word, _, rest = line.partition(" ")
        if word == "vt":
            u, v = rest.split()[:2]
            texture.append((float(u), float(v)))
        elif word == "usemtl":
            names.append(rest.strip())
        elif word == "f":
            polygon = [_corner(token) for token in rest.split()]
            for second, third in pairwise(polygon[1:]):
                fan = (polygon[0], second, third)
                corners.append((fan[0][0], fan[1][0], fan[2][0]))
                uv_corners.append((fan[0][1], fan[1][1], fan[2][1]))
                materials.append(len(names) - 1)
    if not corners or not texture or not names:
        raise InputError(f"{path}: a rig's neutral mesh needs faces, texture coordinates and materials.")
    uvs = np.array(texture, np.float32)[np.array(uv_corners, np.int64)]
    return Topology(np.array(corners, np.int32), uvs, np.array(materials, np.int32), tuple(names))


def _corner(token: str) -> tuple[int, int]:
    parts = token.split("/")
    vertex, texture = int(parts[0]), int(parts[1]) if len(parts) > 1 and parts[1] else 1
    if vertex < 1 or texture < 1:  # counted from the end, as OBJ allows and the rig never does
        raise ValueError(f"corner {token!r} is not counted from 1")
    return vertex - 1, texture - 1
