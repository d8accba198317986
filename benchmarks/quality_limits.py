"""Limits of readable action units: F1 on rendered faces whose pictures are made worse step by step.

    python benchmarks/quality_limits.py DATA [--faces 150] [--only size,blur] [--json]

DATA is a folder of edgeau-synth. Each face runs through the whole pipeline, which refuses nothing: landmarks are looked for
in the worsened picture. Each row gives what the quality measure says about it (median), the share of faces that were still
found, and the mean F1 over the AUs that the damage touches; `drop` is against the same AUs of the same faces undamaged;
`refused` the share of those AUs that the limits would refuse, and `f1_kept` the mean F1 of the others.
The limits in edgeau/faces/quality/limits.py are where F1 has dropped by 0.1. Poses are not made worse: the faces of DATA are
sorted by their own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeau import Pipeline
from edgeau._system.command import DONE, CommandParser, print_json, run
from edgeau.action_units.names import au_number
from edgeau.errors import InputError
from edgeau.faces.quality import Limits, QualityAssessor
from edgeau.faces.quality.assessor import AU_REGIONS, REGIONS, five_point_size
from edgeau.results import Face, FaceQuality

Picture = NDArray[np.uint8]
UPPER, LOWER = ("brows", "eyes", "cheeks"), ("mouth",)


@dataclass
class RenderedFace:
    """A rendered face: BGR picture, landmarks where it was found when it was rendered, AUs that are active."""

    picture: Picture
    landmarks: NDArray[np.float32]
    active: dict[str, bool]
    pose: tuple[float, float]


@dataclass
class Damage:
    """One kind of damage at one strength."""

    kind: str
    strength: str
    apply: Callable[[RenderedFace], Picture]
    measure: Callable[[FaceQuality], float]
    regions: tuple[str, ...] = tuple(REGIONS)


def samples(folder: Path, count: int) -> list[RenderedFace]:
    """The first faces of the test part, every AU's truth with them."""
    from edgeau_training.synth.shards import dataset_info, finished_shards, read_rows

    labels = dataset_info(folder)["aus"]
    found: list[RenderedFace] = []
    for shard in finished_shards(folder, "test"):
        for rows in read_rows(shard):
            found += [_sample(row, labels) for row in rows.to_pylist() if row["detected"]]
        if len(found) >= count:
            return found[:count]
    raise InputError(f"{folder} has {len(found)} test faces; give a smaller --faces")


def _sample(row: dict[str, Any], labels: list[str]) -> RenderedFace:
    picture = cv2.imdecode(np.frombuffer(row["image"], np.uint8), cv2.IMREAD_COLOR)
    landmarks = np.array(row["landmarks"], np.float32).reshape(478, 3)
    active = {label: value >= 0.3 for label, value in zip(labels, row["aus"], strict=True)}
    return RenderedFace(picture, landmarks, active, (row["pose"][1], row["pose"][0]))  # type: ignore[arg-type]


def damages() -> list[Damage]:
    """All kinds, from weak to strong."""
    rows = [Damage("size", f"{px} px", _shrunk(px), lambda q: q.size) for px in (40, 28, 20, 14, 10, 7)]
    rows += [
        Damage("blur", f"{s:g} of the size", _blurred(s), lambda q: q.sharpness)
        for s in (0.02, 0.04, 0.06, 0.09, 0.13)
    ]
    rows += [
        Damage("motion", f"{s:g} of the size", _moved(s), lambda q: q.sharpness)
        for s in (0.1, 0.2, 0.35, 0.5)
    ]
    rows += [Damage("dark", f"x {g:g}", _lit(g), lambda q: q.light) for g in (0.3, 0.15, 0.08, 0.05, 0.03)]
    rows += [Damage("bright", f"x {g:g}", _lit(g), lambda q: q.clipped) for g in (1.5, 2, 3, 4.5, 7)]
    for share in (0.9, 0.8, 0.65, 0.5):
        rows.append(
            Damage(
                "cut below",
                f"{share:g} of the mouth left",
                _cut(share, "mouth", 1),
                lambda q: q.visible["mouth"],
                LOWER,
            )
        )
        rows.append(
            Damage(
                "cut above",
                f"{share:g} of the brows left",
                _cut(share, "brows", -1),
                lambda q: q.visible["brows"],
                ("brows",),
            )
        )
    for name, points, colour, regions in COVERS:
        rows.append(Damage("cover", name, _covered(points, colour), _is_covered(regions), regions))
    return rows


def _is_covered(regions: tuple[str, ...]) -> Callable[[FaceQuality], float]:
    return lambda quality: float(not quality.covered.isdisjoint(regions))


def _shrunk(pixels: float) -> Callable[[RenderedFace], Picture]:
    def apply(sample: RenderedFace) -> Picture:
        scale = pixels / five_point_size(sample.landmarks)
        return cv2.resize(sample.picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]

    return apply


def _blurred(share: float) -> Callable[[RenderedFace], Picture]:
    return lambda s: cv2.GaussianBlur(s.picture, (0, 0), share * five_point_size(s.landmarks))  # type: ignore[return-value]


def _moved(share: float) -> Callable[[RenderedFace], Picture]:
    def apply(sample: RenderedFace) -> Picture:
        return cv2.blur(sample.picture, (max(1, round(share * five_point_size(sample.landmarks))), 1))  # type: ignore[return-value]

    return apply


def _lit(gain: float) -> Callable[[RenderedFace], Picture]:
    """Light, then a sensor's noise (3 of 255, ours), then clipping."""

    def apply(sample: RenderedFace) -> Picture:
        noise = np.random.default_rng(0).normal(0, 3, sample.picture.shape)
        return np.clip(sample.picture * float(gain) + noise, 0, 255).astype(np.uint8)

    return apply


def _cut(share: float, region: str, side: int) -> Callable[[RenderedFace], Picture]:
    """The edge of the frame at such a height that this share of a region's points is inside."""

    def apply(sample: RenderedFace) -> Picture:
        heights = np.sort(sample.landmarks[list(REGIONS[region]), 1])  # type: ignore[index]
        row = int(np.quantile(heights, share if side > 0 else 1 - share))
        return np.ascontiguousarray(sample.picture[:row] if side > 0 else sample.picture[row:])

    return apply


# What lies over a face: mesh points around it, colour (BGR), and the regions that are under it.
MASK = (6, 118, 132, 172, 136, 150, 149, 152, 378, 379, 365, 397, 361, 347)
MOUTH = (205, 206, 212, 43, 200, 273, 432, 426, 425, 2)
GLASSES = (70, 63, 105, 66, 107, 9, 336, 296, 334, 293, 300, 346, 330, 197, 101, 117)
FOREHEAD = (54, 10, 284, 300, 293, 334, 296, 336, 107, 66, 105, 63, 70)
COVERS = (
    ("blue mask", MASK, (200, 170, 130), ("mouth",)),
    ("white mask", MASK, (235, 235, 235), ("mouth",)),
    ("black mask", MASK, (25, 25, 25), ("mouth",)),
    ("red cup", MOUTH, (40, 40, 190), ("mouth",)),
    ("grey phone", MOUTH, (90, 90, 90), ("mouth",)),
    ("sunglasses", GLASSES, (20, 18, 16), ("eyes",)),
    ("green cap", FOREHEAD, (60, 120, 40), ("brows",)),
)


def _covered(points: tuple[int, ...], colour: tuple[int, int, int]) -> Callable[[RenderedFace], Picture]:
    def apply(sample: RenderedFace) -> Picture:
        hull = cv2.convexHull(sample.landmarks[list(points), :2].astype(np.int32))
        picture = sample.picture.copy()
        cv2.fillConvexPoly(picture, hull, colour, cv2.LINE_AA)
        noise = np.random.default_rng(0).normal(0, 3, picture.shape)
        return np.clip(picture + noise, 0, 255).astype(np.uint8)

    return apply


Answers = list[tuple[dict[str, bool], Face | None]]


def answers(
    pipeline: Pipeline, faces: Sequence[RenderedFace], apply: Callable[[RenderedFace], Picture]
) -> Answers:
    """Truth and the largest face found, one a sample."""
    found: Answers = []
    for sample in faces:
        result = pipeline.process(apply(sample))
        largest = max(result.faces, key=lambda face: face.box.width, default=None)
        found.append((sample.active, largest))
    return found


def f1(given: Answers, labels: Sequence[str], assessor: QualityAssessor | None = None) -> float:
    """Mean over the AUs of ``2 TP / (2 TP + FP + FN)``, of the faces that were found; with an assessor of those it keeps."""
    scores = []
    for label in labels:
        pairs = [
            (active[label], bool(face.aus[label].active))
            for active, face in given
            if face and not (assessor and label in _refused(assessor, face))
        ]
        true = sum(truth and said for truth, said in pairs)
        wrong = sum(truth != said for truth, said in pairs)
        if any(truth for truth, _ in pairs):
            scores.append(2 * true / (2 * true + wrong))
    return float(np.mean(scores)) if scores else float("nan")


def _refused(assessor: QualityAssessor, face: Face) -> Mapping[str, str]:
    """The AUs that the limits refuse."""
    assert face.quality is not None
    return assessor.refusals(face.quality, face.pose)


def _labels_of(labels: Sequence[str], regions: tuple[str, ...]) -> list[str]:
    return [label for label in labels if set(AU_REGIONS.get(au_number(label), ())) & set(regions)]


def measured(pipeline: Pipeline, faces: list[RenderedFace], only: Sequence[str]) -> list[dict[str, Any]]:
    """One row a damage."""
    assessor = QualityAssessor(pipeline.labels)
    clean = answers(pipeline, faces, lambda sample: sample.picture)
    rows = [] if only and "pose" not in only else list(_poses(clean, faces, pipeline.labels))
    rows += [_false_covers(clean)]
    for damage in damages():
        if only and damage.kind not in only:
            continue
        given = answers(pipeline, faces, damage.apply)
        both = [place for place, (_, face) in enumerate(given) if face]
        labels = _labels_of(pipeline.labels, damage.regions)
        now, before = (f1([some[place] for place in both], labels) for some in (given, clean))
        refused = [label in _refused(assessor, face) for _, face in given if face for label in labels]
        values = [damage.measure(face.quality) for _, face in given if face and face.quality]
        value = np.mean if damage.kind == "cover" else np.median
        rows.append(
            {
                "kind": damage.kind,
                "strength": damage.strength,
                "measure": round(float(value(values)), 3) if values else None,
                "found": round(len(both) / len(faces), 3),
                "f1": round(now, 3),
                "drop": round(before - now, 3),
                "refused": round(float(np.mean(refused)), 3),
                "f1_kept": round(f1(given, labels, assessor), 3),
            }
        )
        print(rows[-1], file=sys.stderr)
    return rows


def _false_covers(clean: Answers) -> dict[str, Any]:
    seen = [face.quality.covered for _, face in clean if face and face.quality]
    return {"kind": "cover", "strength": "none", "measure": round(float(np.mean([bool(c) for c in seen])), 3),
            "found": 1.0, "f1": None, "drop": None}  # fmt: skip


def _poses(clean: Answers, faces: list[RenderedFace], labels: Sequence[str]) -> Any:
    for kind, axis, edges in (("yaw", 0, (0, 10, 20, 30, 40, 50)), ("pitch", 1, (0, 7, 14, 21, 30))):
        for low, high in pairwise(edges):
            inside = [a for a, s in zip(clean, faces, strict=True) if low <= abs(s.pose[axis]) < high]
            yield {"kind": kind, "strength": f"{low}..{high} degrees, {len(inside)} faces", "measure": None,
                   "found": round(float(np.mean([face is not None for _, face in inside])), 3) if inside else None,
                   "f1": round(f1(inside, labels), 3), "drop": None}  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    return run("quality_limits", _main, argv)


def _main(argv: Sequence[str] | None) -> int:
    parser = CommandParser("quality_limits", __doc__ or "", "python benchmarks/quality_limits.py data/synth")
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--faces", type=int, default=150)
    parser.add_argument("--only", default="", help="kinds of damage, with commas between")
    parser.add_argument("--bundle", type=Path)
    parser.add_json()
    arguments = parser.parse_args(argv)
    faces = samples(arguments.data, arguments.faces)
    with Pipeline.load(
        arguments.bundle, max_faces=1, experimental=True, threads=1, limits=Limits.none()
    ) as pipeline:
        rows = measured(pipeline, faces, [kind for kind in arguments.only.split(",") if kind])
    if arguments.json:
        print_json(rows)
    else:
        for row in rows:
            print("  ".join(f"{key} {value}" for key, value in row.items()))
    return DONE


if __name__ == "__main__":
    sys.exit(main())
