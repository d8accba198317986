"""The face rig: neutral mesh, expression shapes and identity modes of an ICT-FaceKit folder, trimmed to what is seen."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeau._system.atomic_file import atomic_path
from edgeau._system.cache import cache_directory
from edgeau._system.json_text import parse_json
from edgeau._system.npz import read_npz
from edgeau.errors import InputError, NpzError
from edgeau_training.synth.lips import lip_tightening_shape
from edgeau_training.synth.obj import Topology, positions_from_obj, topology_from_obj

IDENTITY_MODES = 60
# Materials by what the shading kernel must know; anything else in the folder is not drawn.
FACE, BACK_HEAD, GUMS, TEETH, EYE_LEFT, EYE_RIGHT, LASHES = range(7)
MATERIALS = (
    "M_Face",
    "M_BackHead",
    "M_GumsTongue",
    "M_Teeth",
    "M_ScleraLeft",
    "M_ScleraRight",
    "M_EyeLashes",
)
# Depth (cm, rig axes) behind which a part is never seen from poses within 60 degrees of frontal.
DEPTH_LIMITS = {BACK_HEAD: -4.5, GUMS: 4.0, TEETH: 4.5, EYE_LEFT: 7.6, EYE_RIGHT: 7.6}
LIP_TIGHTENING = "lipTighten"
CACHE_FORMAT = 4
# Shapes that ICT-FaceKit has for the whole width only; ours: one half of the chin can rise alone (AU17 on one side).
HALVED = ("mouthShrugLower", "mouthShrugUpper")
_BLEND = 0.8  # cm from the middle over which one side passes into the other


@dataclass(frozen=True)
class Rig:
    """A trimmed rig. Unit: centimetres; x to the subject's left, y up, z out of the face.

    neutral (V, 3), identity (M, V, 3) and expression (E, V, 3) offsets, all float32;
    triangles (T, 3) int32; uvs (T, 3, 2) float32 in the face atlas, v upwards; materials (T,) int32
    (the constants of this module); landmarks (68,) int32 vertex numbers in the iBUG order;
    expression_names (E,) str; digest: SHA-256 over the source files that were read.
    """

    neutral: NDArray[np.float32]
    identity: NDArray[np.float32]
    expression: NDArray[np.float32]
    triangles: NDArray[np.int32]
    uvs: NDArray[np.float32]
    materials: NDArray[np.int32]
    landmarks: NDArray[np.int32]
    expression_names: NDArray[np.str_]
    digest: str


def load_rig(folder: str | Path, cache: str | Path | None = None) -> Rig:
    """Load an ICT-FaceKit folder (or its FaceXModel subfolder), from the cache when it was read before.

    Raises:
        InputError: the folder is absent, incomplete or damaged; the message names the files.
    """
    model = _model_folder(Path(folder))
    names, landmarks = _index(model / "vertex_indices.json")
    files = _required_files(model, names)
    digest = _digest(files)
    cached = _cache_folder(cache) / f"rig-{digest[:20]}-{CACHE_FORMAT}.npz"
    stored = _read_cache(cached)
    if stored is not None:
        return stored
    rig = _read_rig(model, names, landmarks, digest)
    _write_cache(cached, rig)
    return rig


def _model_folder(folder: Path) -> Path:
    for candidate in (folder, folder / "FaceXModel"):
        if (candidate / "vertex_indices.json").is_file():
            return candidate
    if not folder.is_dir():
        raise InputError(
            f"{folder}: no such folder. Give the path of an unpacked ICT-FaceKit (it holds FaceXModel/)."
        )
    raise InputError(f"{folder}: not a complete ICT-FaceKit folder; missing files: vertex_indices.json.")


def _index(path: Path) -> tuple[list[str], NDArray[np.int64]]:
    """Names of the expression shapes, and the vertex numbers (68,) of the iBUG points."""
    try:
        index = parse_json(path.read_text(encoding="utf-8"))
        return [str(name) for name in index["expressions"]], np.array(
            index["idx_to_landmark_verts"], np.int64
        )
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not an index of ICT-FaceKit ({error!r}). Unpack the rig again") from error


def _required_files(model: Path, names: list[str]) -> list[Path]:
    wanted = ["vertex_indices.json", "generic_neutral_mesh.obj", *(f"{name}.obj" for name in names)]
    wanted += [f"identity{mode:03d}.obj" for mode in range(IDENTITY_MODES)]
    missing = [name for name in wanted if not (model / name).is_file()]
    if missing:
        shown = ", ".join(missing[:12]) + (f" and {len(missing) - 12} more" if len(missing) > 12 else "")
        raise InputError(
            f"{model}: not a complete ICT-FaceKit folder; missing files: {shown}. Unpack it again."
        )
    return [model / name for name in wanted]


def _digest(files: list[Path]) -> str:
    total = hashlib.sha256()
    for path in files:
        total.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _read_rig(model: Path, names: list[str], landmarks: NDArray[np.int64], digest: str) -> Rig:
    neutral = positions_from_obj(model / "generic_neutral_mesh.obj")
    topology = topology_from_obj(model / "generic_neutral_mesh.obj")
    highest = max(int(topology.triangles.max()), int(landmarks.max()))
    if highest >= len(neutral) or landmarks.min() < 0:
        raise InputError(
            f"{model}: the mesh or vertex_indices.json names vertex {highest}, and there are {len(neutral)}. Unpack the rig again"
        )
    kept, materials = _visible_triangles(topology, neutral)
    triangles = topology.triangles[kept]
    used = np.unique(np.concatenate([triangles.ravel(), landmarks]))
    renumber = np.full(len(neutral), -1, np.int32)
    renumber[used] = np.arange(len(used), dtype=np.int32)
    trimmed = neutral[used]
    shapes = [_offsets(model / f"{name}.obj", neutral)[used] for name in names]
    modes = [_offsets(model / f"identity{mode:03d}.obj", neutral)[used] for mode in range(IDENTITY_MODES)]
    points = renumber[landmarks].astype(np.int32)
    face = np.zeros(len(used), bool)
    face[renumber[triangles[materials == FACE]].ravel()] = True
    shapes.append(lip_tightening_shape(trimmed, points, face))
    derived = [LIP_TIGHTENING]
    for name in filter(names.__contains__, HALVED):
        shapes += halves(shapes[names.index(name)], trimmed)
        derived += [f"{name}_L", f"{name}_R"]
    uvs = topology.uvs[kept]
    return Rig(
        neutral=trimmed, identity=np.stack(modes), expression=np.stack(shapes),
        triangles=renumber[triangles].astype(np.int32),
        # Parts other than the face sit in their own atlas tiles; the kernel wants 0..1 everywhere.
        uvs=(uvs - np.floor(uvs.min(1, keepdims=True) + 1e-4)).astype(np.float32),
        materials=materials, landmarks=points, expression_names=np.array([*names, *derived]), digest=digest,
    )  # fmt: skip


def _offsets(path: Path, neutral: NDArray[np.float32]) -> NDArray[np.float32]:
    positions = positions_from_obj(path)
    if positions.shape != neutral.shape:
        raise InputError(
            f"{path}: {len(positions)} vertices, the neutral mesh has {len(neutral)}. Unpack the rig again."
        )
    return positions - neutral


def _visible_triangles(
    topology: Topology, neutral: NDArray[np.float32]
) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    material = np.full(len(topology.triangles), -1, np.int32)
    for number, name in enumerate(MATERIALS):
        if name not in topology.material_names:
            raise InputError(
                f"The rig's neutral mesh has no material {name}; it has {', '.join(topology.material_names)}."
            )
        material[topology.materials == topology.material_names.index(name)] = number
    depth = neutral[topology.triangles][:, :, 2].max(1)
    seen = material >= 0
    for number, limit in DEPTH_LIMITS.items():
        seen &= ~((material == number) & (depth < limit))
    kept = np.flatnonzero(seen)
    return kept, material[kept]


def _cache_folder(cache: str | Path | None) -> Path:
    if cache is not None:
        return Path(cache)
    return cache_directory()


def _read_cache(path: Path) -> Rig | None:
    try:
        arrays: dict[str, Any] = read_npz(path, [field.name for field in fields(Rig)])
    except NpzError:
        return None  # a cache may be damaged; what it holds is read anew from the folder and written again
    arrays["digest"] = str(arrays["digest"])
    return Rig(**arrays)


def _write_cache(path: Path, rig: Rig) -> None:
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, **{field.name: getattr(rig, field.name) for field in fields(Rig)})


def halves(
    shape: NDArray[np.float32], neutral: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The subject's left and right half of offsets ``(V, 3)``, cm; their sum is the whole.

    Args:
        shape: offsets.
        neutral: vertices ``(V, 3)``, cm, x to the subject's left.
    """
    left = np.clip(0.5 + neutral[:, :1] / (2 * _BLEND), 0, 1).astype(np.float32)
    return shape * left, shape * (1 - left)
