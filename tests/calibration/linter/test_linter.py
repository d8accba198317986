"""Spoiled calibration sets are refused by the rule that names what is wrong; good ones pass."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeau.errors import CalibrationError, UsageError
from edgeau.faces.alignment import Alignment
from edgeau_calibration.data.crops import CalibrationSet
from edgeau_calibration.data.load import load_calibration_set
from edgeau_calibration.data.selection import Activity
from edgeau_calibration.linter import RULES, LintFinding, lint, refuse
from edgeau_calibration.linter.lint import inactive_aus
from edgeau_calibration.linter.near_duplicates import distinct
from edgeau_calibration.linter.one_person import alike

RANDOM = np.random.default_rng(0)
ORDERS = {"RBG": [0, 2, 1], "GRB": [1, 0, 2], "GBR": [1, 2, 0], "BRG": [2, 0, 1], "BGR": [2, 1, 0]}


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    """The packaged crops: 160 persons, poses, lights, skins; uint8 (160, 224, 224, 3) RGB."""
    return load_calibration_set(None, Alignment(), 160).crops


@pytest.fixture(scope="module")
def film(shared_data: Path) -> np.ndarray:
    """Real faces, of one person: uint8 (48, 224, 224, 3) RGB."""
    return load_calibration_set(shared_data / "real-face.mp4", Alignment(), 48).crops


def rules(crops: np.ndarray, **known: np.ndarray) -> set[str]:
    return {finding.rule for finding in lint(CalibrationSet(crops, "a set", **known)) if finding.refuses}


def acting(active: np.ndarray) -> Activity:
    return Activity(tuple(f"AU{n}" for n in range(active.shape[1])), active, "somebody")


def refuse_spoiled(
    found: CalibrationSet, activity: Activity | None = None, accepted: tuple[str, ...] = ()
) -> tuple[LintFinding, ...]:
    findings = (*lint(found), *(() if activity is None else inactive_aus(activity)))
    refuse(found, findings, accepted)
    return findings


def each_shuffled(faces: np.ndarray) -> np.ndarray:
    return np.stack([face[..., RANDOM.permutation(3)] for face in faces])


def normalised(faces: np.ndarray) -> np.ndarray:
    return ((faces / 255 - 0.45) / 0.22).clip(0).astype(np.uint8)


def transposed(faces: np.ndarray) -> np.ndarray:
    """Planes read as if they were pixels: a reshape where a transposition was meant."""
    return np.ascontiguousarray(faces.transpose(0, 3, 1, 2)).reshape(faces.shape)


SPOILED: dict[str, tuple[Callable[[np.ndarray], np.ndarray], str]] = {
    "BGR for RGB": (lambda faces: faces[..., ::-1], "channel-order"),
    "every picture's channels shuffled": (each_shuffled, "channel-order"),
    "divided by 255": (lambda faces: (faces / 255).astype(np.uint8), "range"),
    "normalised": (normalised, "range"),
    "black": (np.zeros_like, "range"),
    "one even colour": (lambda faces: np.full_like(faces, 127), "constant"),
    "even colours": (
        lambda faces: np.broadcast_to(faces.mean((1, 2), keepdims=True), faces.shape).astype(np.uint8),
        "constant",
    ),
    "random numbers": (lambda faces: RANDOM.integers(0, 256, faces.shape, np.uint8), "random"),
    "pixels in a random order": (
        lambda faces: np.ascontiguousarray(
            faces.reshape(len(faces), -1, 3)[:, RANDOM.permutation(224 * 224)].reshape(faces.shape)
        ),
        "random",
    ),
    "four faces": (lambda faces: faces[:4], "too-few"),
    "one face, brighter and darker": (
        lambda faces: np.stack([(faces[0] * gain).astype(np.uint8) for gain in np.linspace(0.5, 1, 20)]),
        "near-duplicates",
    ),
    "five faces, each many times": (lambda faces: np.repeat(faces[:5], 10, axis=0), "near-duplicates"),
    "upside down": (lambda faces: faces[:, ::-1], "no-faces"),
    "not aligned": (lambda faces: np.roll(faces, 80, axis=1), "no-faces"),
    "planes for pixels": (transposed, "no-faces"),
    "blobs": (
        lambda faces: np.stack(
            [
                cv2.resize(RANDOM.integers(0, 256, (7, 7, 1), np.uint8), (224, 224))[..., None] * np.ones(3)
                for _ in faces
            ]
        ).astype(np.uint8),
        "no-faces",
    ),
}


@pytest.mark.parametrize("kind", SPOILED)
def test_a_spoiled_set_is_refused_for_its_reason(kind: str, faces: np.ndarray) -> None:
    spoil, rule = SPOILED[kind]
    assert rule in rules(spoil(faces[:40]))


@pytest.mark.parametrize("order", ORDERS)
def test_every_wrong_channel_order_is_named(order: str, faces: np.ndarray) -> None:
    spoiled = CalibrationSet(faces[:40][..., ORDERS[order]], "a set")
    (finding,) = (finding for finding in lint(spoiled) if finding.refuses)
    assert finding.rule == "channel-order"
    assert f"look like {order}" in finding.reason


@pytest.mark.parametrize("order", ORDERS)
def test_wrong_channels_of_real_faces_are_seen(order: str, film: np.ndarray) -> None:
    assert "channel-order" in rules(film[..., ORDERS[order]])


@pytest.mark.parametrize("count", [8, 20, 160])
def test_the_packaged_faces_pass(count: int, faces: np.ndarray) -> None:
    assert not rules(faces[:: 160 // count])


def test_the_packaged_faces_pass_when_their_persons_are_known(faces: np.ndarray) -> None:
    assert not rules(faces, persons=np.arange(160) // 2)


def test_real_faces_of_one_person_are_refused_for_that_alone(film: np.ndarray) -> None:
    assert rules(film) == {"one-person"}


def test_real_faces_among_others_pass(film: np.ndarray, faces: np.ndarray) -> None:
    assert not rules(np.concatenate((film[::4], faces[::8])))


def test_one_identity_is_refused_however_it_looks(faces: np.ndarray) -> None:
    assert rules(faces[:30], persons=np.full(30, 7)) == {"one-person"}


def test_known_persons_are_believed_where_they_look_alike(film: np.ndarray) -> None:
    assert alike(film) > 0.5
    assert not rules(film, persons=np.arange(48) % 2)


def test_persons_of_a_strange_data_set_do_not_look_like_one() -> None:
    """A hundred persons in grey and in one frame: the hardest to tell apart."""
    data = pytest.importorskip("skimage.data")
    small = np.load(Path(data.__file__).parent / "lfw_subset.npy")[:100]
    grey = [cv2.resize((face * 255).astype(np.uint8), (224, 224)) for face in small]
    crops = np.repeat(np.stack(grey)[..., None], 3, axis=3)
    findings = lint(CalibrationSet(crops, "LFW"))
    assert [finding.rule for finding in findings] == ["grey"]
    assert alike(crops) < 0.1


def test_a_few_grey_faces_do_not_hide_swapped_channels(faces: np.ndarray) -> None:
    spoiled = faces[:60, ..., ::-1].copy()
    spoiled[:45] = spoiled[:45, ..., :1]
    assert "channel-order" in rules(spoiled)


def test_copies_are_counted_whatever_their_light(faces: np.ndarray) -> None:
    copies = np.concatenate((faces[:10], faces[:10] // 2, faces[10:12]))
    own = distinct(copies)
    assert own[:10].all()
    assert own[20:].all()
    assert own[10:20].sum() <= 2, "in the dark a few cells change places"


def test_copies_do_no_harm_where_enough_pictures_are_left(faces: np.ndarray) -> None:
    assert not rules(np.concatenate((faces[:70], faces[:70], faces[:70])))


def test_a_set_without_expressions_is_refused_and_one_that_lacks_a_few_is_only_told(
    faces: np.ndarray,
) -> None:
    found = CalibrationSet(faces[:20], "a set")
    active = np.zeros((20, 6), bool)
    active[3, :2] = True
    with pytest.raises(CalibrationError, match=r"4 of 6 AUs .* by somebody: AU2 AU3 AU4 AU5; add faces"):
        refuse_spoiled(found, acting(active))
    active[4, 2:5] = True
    (finding,) = refuse_spoiled(found, acting(active))
    assert (finding.rule, finding.refuses) == ("inactive-aus", False)
    assert not refuse_spoiled(found, acting(np.ones((20, 6), bool)))


def test_a_refusal_says_which_set_why_and_what_to_do(faces: np.ndarray) -> None:
    spoiled = CalibrationSet(faces[:30, ..., ::-1], "faces.npz")
    with pytest.raises(
        CalibrationError,
        match=r"faces\.npz would give a wrong calibration: channel-order: .*crops\[\.\.\., ::-1\]",
    ):
        refuse_spoiled(spoiled)


def test_an_opinion_can_be_overruled_and_is_said_still(faces: np.ndarray) -> None:
    one = CalibrationSet(faces[:30], "a set", persons=np.zeros(30, np.int64))
    with pytest.raises(CalibrationError, match=r"or pass --calib-accept one-person"):
        refuse_spoiled(one)
    assert [finding.rule for finding in refuse_spoiled(one, accepted=("one-person",))] == ["one-person"]


def test_a_fact_cannot_be_overruled(faces: np.ndarray) -> None:
    found = CalibrationSet(faces[:30, ..., ::-1], "a set")
    with pytest.raises(UsageError, match="'channel-order' cannot be overruled"):
        refuse_spoiled(found, accepted=("channel-order",))


def test_eight_kinds_and_more_are_refused() -> None:
    tested = {rule for _, rule in SPOILED.values()} | {"one-person", "inactive-aus"}
    assert tested == set(RULES)
