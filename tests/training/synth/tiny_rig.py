"""A small rig of our own with ICT-FaceKit's folder layout, so that tests and a clean clone can render faces.

The head is an analytic surface over a grid: an ellipsoid with a nose, sockets, lips and a chin, open at the eyes and slit
at the mouth. Shapes are soft local pushes. Run ``python tiny_rig.py FOLDER`` to write it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

# Atlas coordinates of facial heights (v, y in cm): the renderer paints brows, lips and folds by atlas place.
HEIGHTS = ((0.0, -17.0), (0.2, -9.4), (0.285, -7.4), (0.36, -4.4), (0.43, -3.4), (0.508, -2.5), (0.54, -1.2), (0.607, 0.4),
           (0.68, 2.6), (0.7155, 3.4), (0.735, 4.2), (0.81, 6.2), (1.0, 12.6))  # fmt: skip
WIDTH = 24.0  # cm an atlas width
EYES = ((3.15, 3.4), (-3.15, 3.4))
EYE_HALF = (1.35, 0.42)
MOUTH_HALF = 2.45
SEAM = -3.4
SIDED = {  # name: (centre x y, radii x y, push x y z in cm); mirrored for the other side
    "browDown": ((2.9, 5.9), (2.6, 1.0), (-0.35, -0.9, 0.1)),
    "browInnerUp": ((1.6, 5.9), (1.5, 1.3), (0.0, 0.9, 0.0)),
    "browOuterUp": ((4.6, 5.9), (1.5, 1.3), (0.0, 0.9, 0.0)),
    "cheekPuff": ((4.6, -2.0), (2.0, 2.0), (0.4, 0.0, 0.9)),
    "cheekSquint": ((4.0, 1.6), (2.0, 1.0), (0.0, 0.6, 0.25)),
    "mouthDimple": ((2.6, -3.4), (0.9, 0.8), (0.5, 0.0, -0.35)),
    "mouthFrown": ((2.4, -3.5), (1.0, 0.9), (0.1, -0.9, 0.0)),
    "mouthLowerDown": ((0.9, -4.2), (1.3, 0.7), (0.0, -0.9, 0.0)),
    "mouthPress": ((1.1, -3.4), (1.5, 0.9), (0.05, 0.0, -0.15)),
    "mouthSmile": ((2.5, -3.3), (1.3, 1.2), (0.9, 0.8, -0.3)),
    "mouthStretch": ((2.6, -3.7), (1.3, 1.1), (0.9, -0.35, -0.2)),
    "mouthUpperUp": ((1.0, -2.5), (1.3, 0.7), (0.0, 0.7, 0.1)),
    "noseSneer": ((1.1, 0.0), (1.0, 1.4), (0.1, 0.6, 0.15)),
}
CENTRAL = {
    "jawForward": ((0.0, -6.0), (4.0, 2.4), (0.0, 0.0, 0.6)),
    "mouthFunnel": ((0.0, -3.4), (1.6, 1.2), (0.0, 0.0, 0.8)),
    "mouthPucker": ((0.0, -3.4), (1.9, 1.2), (0.0, 0.0, 0.9)),
    "mouthShrugLower": ((0.0, -5.2), (1.8, 1.4), (0.0, 0.6, 0.25)),
    "mouthShrugUpper": ((0.0, -2.6), (1.6, 0.8), (0.0, 0.4, 0.2)),
    "mouthClose": ((0.0, -4.2), (1.8, 0.8), (0.0, 0.5, 0.0)),
    "mouthLeft": ((0.0, -3.4), (2.6, 1.2), (0.7, 0.0, 0.0)),
    "mouthRight": ((0.0, -3.4), (2.6, 1.2), (-0.7, 0.0, 0.0)),
    "jawLeft": ((0.0, -6.0), (4.0, 2.6), (0.7, 0.0, 0.0)),
    "jawRight": ((0.0, -6.0), (4.0, 2.6), (-0.7, 0.0, 0.0)),
}
OTHER = ("jawOpen", "mouthRollLower", "mouthRollUpper")
EYE_SHAPES = ("eyeBlink", "eyeSquint", "eyeWide", "eyeLookDown", "eyeLookIn", "eyeLookOut", "eyeLookUp")
MATERIALS = (
    "M_Face",
    "M_BackHead",
    "M_GumsTongue",
    "M_Teeth",
    "M_ScleraLeft",
    "M_ScleraRight",
    "M_EyeLashes",
)
IDENTITIES = 60


class _Mesh:
    """Vertices, atlas places and faces by material, grown part by part."""

    def __init__(self) -> None:
        self.vertices: list[np.ndarray] = []
        self.uvs: list[np.ndarray] = []
        self.faces: list[tuple[str, np.ndarray]] = []
        self.parts: dict[str, slice] = {}
        self.count = 0

    def add(self, part: str, material: str, vertices: np.ndarray, uvs: np.ndarray, quads: np.ndarray) -> None:
        self.vertices.append(vertices)
        self.uvs.append(uvs)
        self.faces.append((material, quads + self.count))
        self.parts[part] = slice(self.count, self.count + len(vertices))
        self.count += len(vertices)


def write_tiny_rig(folder: Path) -> Path:
    """Write the rig into ``folder/FaceXModel`` and return ``folder``."""
    model = folder / "FaceXModel"
    model.mkdir(parents=True, exist_ok=True)
    mesh = _mesh()
    neutral = np.vstack(mesh.vertices)
    shapes = _shapes(mesh, neutral)
    (model / "generic_neutral_mesh.obj").write_text(_positions(neutral) + _topology(mesh))
    for name, offsets in shapes.items():
        (model / f"{name}.obj").write_text(_positions(neutral + offsets))
    for mode, offsets in enumerate(_identities(neutral)):
        (model / f"identity{mode:03d}.obj").write_text(_positions(neutral + offsets))
    index = {"expressions": sorted(shapes), "idx_to_landmark_verts": _landmarks(mesh, neutral)}
    (model / "vertex_indices.json").write_text(json.dumps(index))
    return folder


def _mesh() -> _Mesh:
    mesh = _Mesh()
    _add_skin(mesh)
    _add_back(mesh)
    for side, name in ((0, "Left"), (1, "Right")):
        _add_eye(mesh, EYES[side], name)
    _add_sheet(mesh, "gums", "M_GumsTongue", (-2.6, 2.6), (-6.5, -1.5), 7.6, 0.5)
    _add_sheet(mesh, "upper teeth", "M_Teeth", (-2.2, 2.2), (-3.55, -2.7), 9.2, 1.2)
    _add_sheet(mesh, "lower teeth", "M_Teeth", (-2.0, 2.0), (-4.4, -3.6), 9.0, 1.2)
    for side, name in ((0, "left"), (1, "right")):
        x, y = EYES[side]
        _add_sheet(
            mesh, f"{name} lashes", "M_EyeLashes", (x - 1.3, x + 1.3), (y + 0.38, y + 0.55), 9.35, 0.0, 12
        )
    return mesh


def _line(low: float, high: float, dense: tuple[tuple[float, float, int], ...], step: float) -> np.ndarray:
    values = [np.arange(low, high, step), np.array([high])]
    for start, end, count in dense:
        values.append(np.linspace(start, end, count))
    merged = np.unique(np.round(np.concatenate(values), 3))
    keep = np.concatenate([[True], np.diff(merged) > 0.06])
    return merged[keep]


def _add_skin(mesh: _Mesh) -> None:
    eye = EYES[0]
    spread = (
        (eye[0] - EYE_HALF[0], eye[0] + EYE_HALF[0], 13),
        (-eye[0] - EYE_HALF[0], -eye[0] + EYE_HALF[0], 13),
    )
    columns = _line(-11.0, 11.0, (*spread, (-MOUTH_HALF, MOUTH_HALF, 21)), 0.5)
    rows = _line(-16.0, 12.4, ((2.6, 4.4, 16), (-5.0, -2.2, 22), (5.0, 7.0, 8)), 0.5)
    rows = np.unique(np.concatenate([rows[np.abs(rows - SEAM) > 0.05], [SEAM - 1e-3, SEAM + 1e-3]]))
    x, y = np.meshgrid(columns, rows)
    # Lines of the grid bend to the lid: rows near an eye are pushed to the almond's rim.
    y = _bent_to_lids(x, y)
    z = _depth(x, y)
    vertices = np.stack([_across(x, y), y, z], -1).reshape(-1, 3)
    quads = _grid_quads(*x.shape)
    middle = np.stack([x, y], -1).reshape(-1, 2)[quads].mean(1)
    hole = np.zeros(len(quads), bool)
    for eye_x, eye_y in EYES:
        inside = ((middle[:, 0] - eye_x) / EYE_HALF[0]) ** 2 + ((middle[:, 1] - eye_y) / EYE_HALF[1]) ** 2
        hole |= inside < 1
    slit = (np.abs(middle[:, 1] - SEAM) < 2e-3) & (np.abs(middle[:, 0]) < MOUTH_HALF)
    uvs = np.stack(
        [0.5 + x / WIDTH, np.interp(y, [h for _, h in HEIGHTS], [v for v, _ in HEIGHTS])], -1
    ).reshape(-1, 2)
    mesh.add("skin", "M_Face", vertices, np.clip(uvs, 0.001, 0.999), quads[~(hole | slit)])


def _bent_to_lids(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    bent = y.copy()
    for eye_x, eye_y in EYES:
        relative = np.clip(1 - ((x - eye_x) / EYE_HALF[0]) ** 2, 0, None)
        rim = EYE_HALF[1] * np.sqrt(relative)
        offset = y - eye_y
        near = (np.abs(offset) < 0.9) & (relative > 0)
        # Half the rows stay inside the opening (and are cut out), half outside, so one always lies on the rim.
        outside = np.sign(offset) * (rim + (0.9 - rim) * (np.abs(offset) - 0.4) / 0.5)
        inside = np.sign(offset) * rim * np.abs(offset) / 0.4
        bent = np.where(near, eye_y + np.where(np.abs(offset) >= 0.4, outside, inside), bent)
    return bent


def _across(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    # The face narrows towards the chin, the neck stays slim.
    narrow = np.interp(y, (-16, -9.5, -7.4, -3.4, 3.4, 8, 12.4), (0.62, 0.56, 0.66, 0.82, 0.92, 0.9, 0.7))
    return np.where(np.abs(x) > 3.2, np.sign(x) * (3.2 + (np.abs(x) - 3.2) * narrow * 0.8), x)


def _hill(
    x: np.ndarray, y: np.ndarray, centre: tuple[float, float], radii: tuple[float, float]
) -> np.ndarray:
    return np.exp(-(((x - centre[0]) / radii[0]) ** 2 + ((y - centre[1]) / radii[1]) ** 2))


def _depth(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    middle = np.interp(
        y,
        (-16, -9.6, -8.6, -7.4, -5.2, -2, 3, 6.5, 9.5, 12.4),
        (4.6, 5.4, 8.0, 10.2, 10.2, 10.6, 10.2, 10.8, 9.8, 6.8),
    )
    curve = middle - 0.085 * x**2 - 0.0009 * x**4 * (y > -8)
    bridge = np.interp(y, (-1.6, -1.2, 0.4, 4.2, 5.5), (0.0, 1.4, 2.7, 0.6, 0.0))
    nose = bridge * np.exp(-((x / np.interp(y, (-1, 4), (0.95, 0.8))) ** 2))
    nose += 0.75 * _hill(x, y, (1.05, -0.55), (0.55, 0.6)) + 0.75 * _hill(x, y, (-1.05, -0.55), (0.55, 0.6))
    sockets = sum(_hill(x, y, eye, (1.9, 1.0)) for eye in EYES)
    brows = sum(_hill(x, y, (side * 3.0, 5.6), (2.6, 0.7)) for side in (1, -1))
    lips = 0.75 * _hill(x, y, (0, -2.85), (1.9, 0.5)) + 0.75 * _hill(x, y, (0, -4.0), (1.6, 0.5))
    groove = 0.35 * _hill(x, y, (0, SEAM), (2.4, 0.22)) + 0.5 * _hill(x, y, (0, -5.0), (2.0, 0.5))
    cheeks = sum(_hill(x, y, (side * 4.2, 0.8), (2.0, 1.8)) for side in (1, -1))
    return (
        curve
        + nose
        - 1.0 * sockets
        + 0.5 * brows
        + lips
        - groove
        + 0.45 * cheeks
        + 0.6 * _hill(x, y, (0, -6.6), (1.8, 1.0))
    )


def _grid_quads(rows: int, columns: int) -> np.ndarray:
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).reshape(-1)
    return np.stack([corner, corner + 1, corner + columns + 1, corner + columns], 1)


def _add_back(mesh: _Mesh) -> None:
    # A dome behind the face; its front rim lies just inside the skin.
    turn, rise = np.meshgrid(np.linspace(0.05, np.pi - 0.05, 25), np.linspace(-1.2, np.pi / 2 - 0.05, 22))
    radius = np.cos(np.clip(rise, -1.2, None))
    x, y, z = 7.6 * np.cos(turn) * radius, 3.0 + 10.6 * np.sin(rise), 1.6 - 8.6 * np.sin(turn) * radius
    vertices = np.stack([x, y, z], -1).reshape(-1, 3)
    uvs = np.stack([1 + np.clip(turn / np.pi, 0.01, 0.99), np.clip((y + 8) / 22, 0.01, 0.99)], -1).reshape(
        -1, 2
    )
    mesh.add("back", "M_BackHead", vertices, uvs, _grid_quads(*x.shape))
    front = np.stack([x, y, 4.6 + 3.4 * np.sin(turn) * radius], -1).reshape(-1, 3)
    mesh.add(
        "crown",
        "M_BackHead",
        front[_top(front)],
        uvs[_top(front)],
        _grid_quads(int(_top(front).sum() // 25), 25)[:, ::-1],
    )


def _top(vertices: np.ndarray) -> np.ndarray:
    rows = vertices.reshape(-1, 25, 3)[:, 12, 1] > 10.5
    return np.repeat(rows, 25)


def _add_eye(mesh: _Mesh, centre: tuple[float, float], name: str) -> None:
    turn, rise = np.meshgrid(np.linspace(-1.3, 1.3, 15), np.linspace(-1.3, 1.3, 15))
    radius = 1.5
    x = centre[0] + radius * np.sin(turn) * np.cos(rise)
    y, z = centre[1] + radius * np.sin(rise), 7.55 + radius * np.cos(turn) * np.cos(rise)
    uvs = np.stack([0.5 + turn / 3, 0.5 + rise / 3], -1).reshape(-1, 2)
    mesh.add(
        f"eye {name}", f"M_Sclera{name}", np.stack([x, y, z], -1).reshape(-1, 3), uvs, _grid_quads(15, 15)
    )


def _add_sheet(
    mesh: _Mesh,
    part: str,
    material: str,
    across: tuple[float, float],
    up: tuple[float, float],
    z: float,
    bow: float,
    n: int = 9,
) -> None:
    x, y = np.meshgrid(np.linspace(*across, n), np.linspace(*up, 4))
    middle, half = sum(across) / 2, (across[1] - across[0]) / 2
    depth = z - bow * ((x - middle) / half) ** 2
    uvs = np.stack([(x - across[0]) / (2 * half), (y - up[0]) / (up[1] - up[0])], -1).reshape(-1, 2)
    mesh.add(
        part,
        material,
        np.stack([x, y, depth], -1).reshape(-1, 3),
        np.clip(uvs, 0.01, 0.99),
        _grid_quads(*x.shape),
    )


def _shapes(mesh: _Mesh, neutral: np.ndarray) -> dict[str, np.ndarray]:
    shapes = {}
    for name, push in SIDED.items():
        for side, suffix in ((1, "_L"), (-1, "_R")):
            shapes[name + suffix] = _push(mesh, neutral, name, push, side)
    for name, push in CENTRAL.items():
        shapes[name] = _push(mesh, neutral, name, push, 1)
    for name in OTHER:
        shapes[name] = _jaw_or_roll(mesh, neutral, name)
    for name in EYE_SHAPES:
        for side, suffix in ((0, "_L"), (1, "_R")):
            shapes[name + suffix] = _eye_shape(mesh, neutral, name, side)
    return shapes


def _push(mesh: _Mesh, neutral: np.ndarray, name: str, push: tuple, side: int) -> np.ndarray:
    (x, y), radii, amount = push
    skin = mesh.parts["skin"]
    weight = _hill(neutral[skin, 0], neutral[skin, 1], (side * x, y), radii)
    if name in ("mouthLowerDown", "mouthShrugLower", "mouthClose"):
        weight = weight * (neutral[skin, 1] < SEAM)
    if name in ("mouthUpperUp", "mouthShrugUpper"):
        weight = weight * (neutral[skin, 1] > SEAM)
    offsets = np.zeros_like(neutral)
    offsets[skin] = weight[:, None] * (np.array(amount) * (side, 1, 1))
    if name == "mouthPucker":
        offsets[skin, 0] -= 0.35 * weight * neutral[skin, 0]
    if name == "mouthFunnel":
        offsets[skin, 1] += weight * 0.6 * np.sign(neutral[skin, 1] - SEAM)
    if name == "mouthPress":
        offsets[skin, 1] -= 0.3 * weight * np.clip(neutral[skin, 1] - SEAM, -1, 1)
    return offsets


def _jaw_or_roll(mesh: _Mesh, neutral: np.ndarray, name: str) -> np.ndarray:
    offsets = np.zeros_like(neutral)
    skin = mesh.parts["skin"]
    x, y = neutral[skin, 0], neutral[skin, 1]
    if name == "jawOpen":
        below = np.where(y < SEAM, np.clip(1 - (np.abs(x) / 7.5) ** 2, 0, 1) * np.clip((y + 12) / 3, 0, 1), 0)
        below = np.where((y < SEAM) & (y > -6), below * np.clip(1.25 - np.abs(x) / 4, 0, 1) ** 0.5, below)
        offsets[skin, 1] = -3.6 * below
        offsets[skin, 2] = -1.0 * below
        offsets[mesh.parts["lower teeth"], 1] = -3.4
        return offsets
    lower = name == "mouthRollLower"
    lip = _hill(x, y, (0, -4.0 if lower else -2.85), (2.0, 0.6)) * ((y < SEAM) if lower else (y > SEAM))
    offsets[skin, 2] = -0.7 * lip
    offsets[skin, 1] = (0.35 if lower else -0.35) * lip
    return offsets


def _eye_shape(mesh: _Mesh, neutral: np.ndarray, name: str, side: int) -> np.ndarray:
    offsets = np.zeros_like(neutral)
    (eye_x, eye_y), skin = EYES[side], mesh.parts["skin"]
    x, y = neutral[skin, 0], neutral[skin, 1]
    rim = EYE_HALF[1] * np.sqrt(np.clip(1 - ((x - eye_x) / EYE_HALF[0]) ** 2, 0, 1))
    near = (np.abs(x - eye_x) < EYE_HALF[0]) & (np.abs(y - eye_y) < 1.3)
    upper = near * (y > eye_y) * np.clip((1.3 - (y - eye_y)) / (1.3 - rim), 0, 1)
    lower = near * (y <= eye_y) * np.clip((1.3 - (eye_y - y)) / (1.3 - rim), 0, 1)
    lashes = mesh.parts[("left" if side == 0 else "right") + " lashes"]
    if name.startswith("eyeLook"):
        return _look(mesh, neutral, offsets, name, side, upper * rim)
    down, up = {"eyeBlink": (1.95, -0.1), "eyeSquint": (0.3, 0.55), "eyeWide": (-0.6, -0.1)}[name]
    offsets[skin, 1] = -down * rim * upper + up * rim * lower
    offsets[skin, 2] += 0.18 * upper * (name == "eyeBlink")
    offsets[lashes, 1] = -down * EYE_HALF[1]
    return offsets


def _look(
    mesh: _Mesh, neutral: np.ndarray, offsets: np.ndarray, name: str, side: int, lid: np.ndarray
) -> np.ndarray:
    eye = mesh.parts["eye " + ("Left" if side == 0 else "Right")]
    centre = np.array([EYES[side][0], EYES[side][1], 7.55])
    outward = 1 if side == 0 else -1
    turn = {"eyeLookIn": -0.5 * outward, "eyeLookOut": 0.5 * outward}.get(name, 0.0)
    rise = {"eyeLookUp": 0.4, "eyeLookDown": -0.4}.get(name, 0.0)
    arm = neutral[eye] - centre
    about_y = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(rise), np.sin(rise)], [0, -np.sin(rise), np.cos(rise)]])
    offsets[eye] = arm @ (about_x @ about_y).T - arm
    offsets[mesh.parts["skin"], 1] = {"eyeLookDown": -0.7, "eyeLookUp": 0.3}.get(name, 0.0) * lid
    return offsets


def _identities(neutral: np.ndarray) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    x, y, z = neutral.T
    modes = []
    for mode in range(IDENTITIES):
        scale = 0.2 / (1 + 0.05 * mode)
        waves = random.normal(0, 0.28, (3, 2))
        phase = random.uniform(0, 2 * np.pi, 3)
        field = [np.sin(waves[axis, 0] * np.abs(x) + waves[axis, 1] * y + phase[axis]) for axis in range(3)]
        # Symmetric in x, zero sideways motion on the midline.
        modes.append(
            scale * np.stack([field[0] * np.tanh(x / 3), field[1], field[2] * np.clip(z / 8, 0, 1)], 1)
        )
    return modes


def _landmarks(mesh: _Mesh, neutral: np.ndarray) -> list[int]:
    skin = neutral[mesh.parts["skin"]]
    eye, brow = EYES[0], (5.2, 6.0, 6.25, 6.2, 5.9)
    jaw = [
        (-7.2, 3.6),
        (-7.1, 1.5),
        (-6.8, -0.5),
        (-6.4, -2.4),
        (-5.4, -4.5),
        (-4.2, -6.2),
        (-3.0, -6.9),
        (-1.5, -7.3),
        (0, -7.5),
    ]
    points = jaw + [(-x, y) for x, y in jaw[7::-1]]
    left_brow = list(zip((-5.6, -4.8, -3.7, -2.4, -1.2), brow, strict=True))
    points += left_brow + [(-x, y) for x, y in left_brow[::-1]]
    points += [(0, 3.7), (0, 2.6), (0, 1.6), (0, 0.4)] + [(x, -1.1) for x in (-1.2, -0.6, 0, 0.6, 1.2)]
    w, h = EYE_HALF
    almond = [(-w, 0), (-0.5, h * 0.95), (0.5, h * 0.95), (w, 0), (0.5, -h * 0.95), (-0.5, -h * 0.95)]
    points += [(-eye[0] + x, eye[1] + y) for x, y in almond] + [(eye[0] + x, eye[1] + y) for x, y in almond]
    points += [(-2.5, -3.45), (-1.7, -2.8), (-0.7, -2.45), (0, -2.5), (0.7, -2.45), (1.7, -2.8), (2.5, -3.45)]
    points += [(1.8, -4.05), (1.0, -4.3), (0, -4.4), (-1.0, -4.3), (-1.8, -4.05)]
    points += [(-2.2, SEAM), (-1, SEAM + 0.02), (0, SEAM + 0.02), (1, SEAM + 0.02), (2.2, SEAM)]
    points += [(1, SEAM - 0.02), (0, SEAM - 0.02), (-1, SEAM - 0.02)]
    return [int(np.argmin((skin[:, 0] - x) ** 2 + (skin[:, 1] - y) ** 2)) for x, y in points]


def _positions(vertices: np.ndarray) -> str:
    flat = np.char.mod("%.4f", vertices)
    return "# a small rig for tests\n" + "".join(f"v {x} {y} {z}\n" for x, y, z in flat)


def _topology(mesh: _Mesh) -> str:
    lines = [f"vt {u:.5f} {v:.5f}\n" for u, v in np.vstack(mesh.uvs)]
    for material, quads in mesh.faces:
        lines.append(f"usemtl {material}\n")
        lines += ["f " + " ".join(f"{corner + 1}/{corner + 1}" for corner in quad) + "\n" for quad in quads]
    return "".join(lines)


if __name__ == "__main__":
    write_tiny_rig(Path(sys.argv[1]))
