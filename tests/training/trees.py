"""Tiny trees in the exact layouts of the data sets, with a real face in every picture."""

from __future__ import annotations

import cv2
import numpy as np

from edgeau_training.datasets.aff_wild2 import LABELS as AFF_WILD2
from edgeau_training.datasets.bp4d import TASKS
from edgeau_training.datasets.disfa import CODED
from edgeau_training.datasets.emotionet import LABELS as EMOTIONET

# Options of their readers: these trees have few of the subjects.
OPTIONS = {
    "bp4d": {"subjects": ["F001", "M011", "F007"]},
    "disfa": {"subjects": ["SN002", "SN013", "SN003"]},
    "emotionet": {"coding": "list.txt"},
    "aff-wild2": {},
    "pictures": {},
}


def make_trees(root, face):
    """Name of a data set -> its folder."""
    makers = {
        "bp4d": _bp4d,
        "disfa": _disfa,
        "emotionet": _emotionet,
        "aff-wild2": _aff_wild2,
        "pictures": _pictures,
    }
    for name, make in makers.items():
        make(root / name, face)
    return {name: root / name for name in makers}


def lit(face, place):
    """The same face in another light."""
    return np.clip(face * (0.7 + 0.05 * (place % 12)), 0, 255).astype(np.uint8)


def save(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


def lines(path, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{row}\n" for row in rows))


def bits(place, count):
    """Labels that differ from frame to frame, each AU present in some."""
    return [(place >> (column % 4)) & 1 for column in range(count)]


def _bp4d(root, face):
    aus = (1, 2, 4, 5, 6, 7, 10, 12, 14, 15, 17, 23, 24)
    for subject in ("F001", "M011", "F007"):
        for number, task in enumerate(TASKS):
            rows = [",".join(map(str, (0, *aus)))]
            for frame in (21, 22):
                rows.append(",".join(map(str, (frame, *bits(2 * number + frame, len(aus))))))
                save(root / subject / task / f"{frame:03d}.jpg", lit(face, number + frame))
            lines(root / "AUCoding" / "AU_OCC" / f"{subject}_{task}.csv", *rows)


def _disfa(root, face):
    for subject in ("SN002", "SN013", "SN003"):
        path = root / "Videos_LeftCamera" / f"LeftVideo{subject}_comp.avi"
        path.parent.mkdir(parents=True, exist_ok=True)
        video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 20, (280, 280))
        for frame in range(8):
            video.write(lit(face, frame))
        video.release()
        for column, label in enumerate(CODED):
            rows = [f"{frame + 1},{4 * bits(frame + 1, len(CODED))[column]}" for frame in range(8)]
            lines(root / "ActionUnit_Labels" / subject / f"{subject}_au{label[2:]}.txt", *rows)


def _emotionet(root, face):
    rows = []
    for place in range(12):
        save(root / "img" / f"N_{place:06d}.jpg", lit(face, place))
        codes = bits(place, len(EMOTIONET))
        codes[place] = 999
        rows.append(f"N_{place:06d}.jpg {' '.join(map(str, codes))}")
    lines(root / "list.txt", *rows)


def _aff_wild2(root, face):
    crop = cv2.resize(face[40:240, 40:240], (112, 112))
    for part, videos in (
        ("Train_Set", ("video1", "video2_left", "video2", "video4")),
        ("Validation_Set", ("video3",)),
    ):
        for number, video in enumerate(videos):
            rows = [",".join(AFF_WILD2)]
            for frame in range(1, 26):
                codes = bits(frame + number, len(AFF_WILD2))
                rows.append(",".join(map(str, codes if frame % 7 else [-1] * len(codes))))
                if frame != 3:  # no face was found there
                    save(root / "cropped_aligned" / video / f"{frame:05d}.jpg", lit(crop, frame))
            lines(root / "AU_Detection_Challenge" / part / f"{video}.txt", *rows)


def _pictures(root, face):
    rows = ["picture,person,split,AU4,AU12"]
    for place in range(12):
        save(root / f"{place}.png", lit(face, place))
        rows.append(
            f"{place}.png,{place // 2},{'train' if place < 8 else 'test'},{place % 2},{(place // 2) % 2}"
        )
    lines(root / "labels.csv", *rows)
