"""Presence of the mesh network on right landmarks and on garbage: the limits in docs/decisions/finding-faces.md.

    python benchmarks/landmark_check.py [--landmarks PLACE] [--video FILE] [--faces DIR] [--json]

Faces (the packaged clip, a portrait, and a film of yours) plain, blurred, noisy, dark and enlarged from 12 % of their pixels, each in twelve turns, and
places without a face. Landmarks of the second look are right within a tenth of the distance between the eyes.

With --faces also what needs no second look, or no turned search (``certain_at_first``, ``trusted_at_first`` and ``trusted_score`` of
edgeau.faces.landmarks.litert.mesh): every other face of the folder's pictures in twelve turns, and all of these faces stretched; right or garbage
are the landmarks that would be given, those of the first look; far off are those that miss by a quarter of the distance between the eyes.
"""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pasted_faces import CutHead, heads, heads_of_folder, is_right, turned
from tqdm import tqdm

from edgeau._system.command import DONE, CommandParser, print_json, run
from edgeau.faces.landmarks.litert import checking
from edgeau.faces.landmarks.litert import mesh as meshes
from edgeau.faces.landmarks.litert.detection import FaceDetector
from edgeau.faces.landmarks.litert.region import Region, overlap
from edgeau.faces.landmarks.mediapipe_models import read_models
from edgeau.sources import open_source

NAME = "landmark_check"
_WALLS = 60
_FAR_OFF = 0.25  # of the distance between the eyes: not on the face's parts any more
_STRETCHES = ((1, 1.33), (1, 1.8), (1.33, 1))


def main(argv: Sequence[str] | None = None) -> int:
    return run(NAME, _measure, argv)


def _measure(argv: Sequence[str] | None) -> int:
    parser = CommandParser(NAME, __doc__ or "", "python benchmarks/landmark_check.py")
    parser.add_argument("--landmarks", type=Path, help="the networks (those of this machine)")
    parser.add_argument("--video", type=Path, help="a film of a face, of which five frames are taken")
    parser.add_argument("--faces", type=Path, metavar="DIR", help="pictures of faces, one each")
    parser.add_json()
    arguments = parser.parse_args(argv)
    files = read_models(arguments.landmarks)
    meshes._MIN_PRESENCE = -math.inf  # every logit counts here, whatever the network is sure of
    detector, mesh = FaceDetector(files.detector, 1), meshes.MESHES[files.generation](files.mesh, 1)
    right, garbage = [], []
    for head in tqdm(list(_faces(arguments.video, detector, mesh)), disable=None):
        for picture in degraded(head.picture):
            for angle in range(0, 360, 30):
                one = turned(CutHead(picture, head.points), angle)
                found = _second_look(one.picture, detector, mesh)
                if found is not None:
                    (right if is_right(found.points, one.points, 0.1) else garbage).append(found.presence)
    garbage += [found.presence for wall in _walls() if (found := _second_look(wall, detector, mesh))]
    good, bad = np.array(right), np.array(garbage)
    document = {
        "networks": files.generation,
        "right": len(good),
        "garbage": len(bad),
        **{
            name: {
                "limit": limit,
                "right_refused": round(float((good < limit).mean()), 4),
                "garbage_passed": round(float((bad >= limit).mean()), 4),
            }
            for name, limit in (("certain", mesh.certain_presence), ("likely", mesh.likely_presence))
        },
        "area_under_curve": round(float((good[:, None] > bad[None]).mean()), 4),
    }
    if arguments.faces is not None:
        document |= _first_looks(arguments, detector, mesh)
    if arguments.json:
        print_json(document)
    else:
        print("\n".join(f"{name}: {value}" for name, value in document.items()))
    return DONE


def _first_looks(arguments: Any, detector: FaceDetector, mesh: meshes.FaceMesh) -> dict[str, Any]:
    """Right and garbage landmarks of first looks, and how many pass by each rule."""
    # By whether they are right: passes by presence alone, by presence and score, likely by score.
    looks: dict[bool, list[tuple[bool, bool, bool]]] = {True: [], False: []}
    far: list[tuple[bool, bool, bool]] = []
    for head in tqdm(list(_more_faces(arguments, detector, mesh)), disable=None):
        for angle in range(0, 360, 30):
            one = turned(head, angle)
            for candidate in detector.detect(one.picture)[:1]:
                first = mesh.place(one.picture, candidate.region)
                assert first is not None, "every logit counts"
                along = Region.of_landmarks(first.points)
                near = overlap(candidate.region, along) >= checking._ALONG
                trusted = candidate.score >= mesh.trusted_score
                second = mesh.presence(one.picture, along)
                passes = (
                    near and first.presence >= mesh.certain_at_first,
                    near and trusted and first.presence >= mesh.trusted_at_first,
                    trusted and second is not None and second >= mesh.likely_presence,
                )
                looks[is_right(first.points, one.points, 0.1)].append(passes)
                if not is_right(first.points, one.points, _FAR_OFF):
                    far.append(passes)
    right, garbage, far_off = np.array(looks[True]), np.array(looks[False]), np.array(far)
    names = ("certain_at_first", "trusted_at_first", "trusted_and_likely")
    return {
        "first_looks": {"right": len(right), "garbage": len(garbage), "far_off": len(far_off)},
        **{
            name: {
                "right_passed": int(right[:, rule].sum()),
                "garbage_passed": int(garbage[:, rule].sum()),
                "far_off_passed": int(far_off[:, rule].sum()),
            }
            for rule, name in enumerate(names)
        },
    }


def _more_faces(arguments: Any, detector: FaceDetector, mesh: meshes.FaceMesh) -> Iterator[CutHead]:
    heads_here = list(_faces(arguments.video, detector, mesh))
    folder = heads_of_folder(arguments.faces)[::2]
    for head in heads_here:
        yield from (CutHead(picture, head.points) for picture in degraded(head.picture))
    yield from folder
    for across, down in _STRETCHES:
        for head in (*heads_here, *folder):
            picture = np.asarray(cv2.resize(head.picture, None, fx=across, fy=down), np.uint8)
            yield CutHead(picture, head.points * (across, down))


def _faces(video: Path | None, detector: FaceDetector, mesh: meshes.FaceMesh) -> Iterator[CutHead]:
    every = heads()
    yield from (*every[:-1:2], every[-1])
    if video is None:
        return
    with open_source(video) as source:
        for frame in itertools.islice(source, 0, 400, 80):
            found = _second_look(frame.image, detector, mesh)
            if found is not None:
                yield CutHead(frame.image, found.points[:468, :2])


def every_head(video: Path | None) -> list[CutHead]:
    """Faces of the packaged clip, a portrait, and five frames of a film, with their landmarks, by the networks of this machine."""
    files = read_models(None)
    return list(
        _faces(video, FaceDetector(files.detector, 1), meshes.MESHES[files.generation](files.mesh, 1))
    )


def _second_look(
    picture: np.ndarray, detector: FaceDetector, mesh: meshes.FaceMesh
) -> meshes.PlacedFace | None:
    candidates = detector.detect(picture)
    side = float(min(picture.shape[:2])) / 2
    region = candidates[0].region if candidates else Region(side, side, side, 0.0)
    first = mesh.place(picture, region)
    return None if first is None else mesh.place(picture, Region.of_landmarks(first.points))


def degraded(picture: np.ndarray) -> Iterator[np.ndarray]:
    yield picture
    yield np.asarray(cv2.GaussianBlur(picture, (0, 0), 4), np.uint8)
    noise = np.random.default_rng(0).normal(0, 35, picture.shape)
    yield np.clip(picture + noise, 0, 255).astype(np.uint8)
    yield (picture * 0.2).astype(np.uint8)
    small = cv2.resize(picture, None, fx=0.12, fy=0.12, interpolation=cv2.INTER_AREA)
    yield np.asarray(cv2.resize(small, picture.shape[1::-1]), np.uint8)


def _walls() -> Iterator[np.ndarray]:
    rng = np.random.default_rng(0)
    for number in range(_WALLS):
        noise = rng.integers(0, 255, (480, 640, 3), np.uint8)
        blobs = cv2.GaussianBlur(noise, (0, 0), 2 + number / 4)
        yield np.asarray(cv2.normalize(blobs, None, 0, 255, cv2.NORM_MINMAX), np.uint8)  # type: ignore[call-overload]


if __name__ == "__main__":
    sys.exit(main())
