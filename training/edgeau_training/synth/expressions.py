"""Expressions of synthetic faces: prototypes of co-occurrence, independent AUs, speech and blinks.

The prototypes follow the tables of EMFACS-like descriptions (smile 6+12+25, surprise 1+2+5+26, ...); all
probabilities are ours, chosen so that every AU occurs in at least a tenth of the faces.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeau_training.synth.action_units import ACTIVE, AUS, TRACE
from edgeau_training.synth.sides import sample_sides

Prototype = dict[int, float]

# (weight, {AU: probability that it occurs})
PROTOTYPES: tuple[tuple[float, Prototype], ...] = (
    (0.08, {}),
    (0.13, {12: 1.0, 6: 0.65, 25: 0.6, 26: 0.25, 7: 0.3, 10: 0.15, 14: 0.12}),
    (0.09, {1: 1.0, 2: 0.95, 5: 0.7, 25: 0.6, 26: 0.55, 27: 0.2}),
    # Oblique brows: grief, fear, worry.
    (0.06, {1: 1.0, 4: 1.0, 15: 0.35, 17: 0.3, 7: 0.25, 25: 0.3, 20: 0.15, 5: 0.1, 6: 0.1}),
    # Brows raised high, alone or in talk: forehead lines without a frown.
    (0.06, {1: 0.9, 2: 1.0, 25: 0.35, 26: 0.15, 12: 0.2, 14: 0.1, 15: 0.1, 17: 0.1}),
    # Squints, as in sun: lids narrow and do not close.
    (0.05, {7: 1.0, 6: 0.45, 4: 0.35, 10: 0.15, 25: 0.2}),
    (0.10, {4: 1.0, 7: 0.55, 5: 0.25, 23: 0.45, 24: 0.35, 17: 0.3, 9: 0.15, 10: 0.1}),
    (0.08, {9: 0.85, 10: 0.6, 4: 0.55, 7: 0.4, 6: 0.25, 17: 0.4, 25: 0.4, 15: 0.2}),
    (0.09, {1: 0.85, 4: 0.65, 15: 0.8, 17: 0.6, 43: 0.15, 7: 0.2, 6: 0.15, 20: 0.1}),
    (0.07, {1: 0.9, 2: 0.7, 4: 0.55, 5: 0.7, 20: 0.75, 25: 0.7, 26: 0.4}),
    (0.05, {14: 1.0, 12: 0.25, 24: 0.2, 17: 0.2, 2: 0.15}),
    (0.08, {25: 0.75, 26: 0.5, 18: 0.22, 22: 0.22, 12: 0.15, 1: 0.2, 2: 0.2, 10: 0.1}),
    (0.06, {24: 0.5, 23: 0.4, 17: 0.4, 14: 0.3, 28: 0.2, 15: 0.2}),
    (0.04, {6: 0.7, 7: 0.7, 9: 0.4, 43: 0.45, 4: 0.5, 20: 0.3, 25: 0.4, 10: 0.4}),
)
INDEPENDENT_WEIGHT = 0.11  # faces whose AUs are drawn one by one, without a prototype
ADDED = {1: 0.02, 2: 0.04, 5: 0.07, 6: 0.05, 7: 0.02, 9: 0.06, 10: 0.05, 14: 0.07, 15: 0.07, 18: 0.03, 20: 0.07,
         22: 0.03, 23: 0.09, 24: 0.11, 28: 0.03, 17: 0.03, 12: 0.02, 4: 0.02, 26: 0.03, 25: 0.03, 43: 0.13}  # fmt: skip
# AUs that no face can show together (the first listed of a pair yields).
EXCLUSIVE = ((24, 25), (28, 25), (23, 26), (23, 27), (24, 26), (28, 26), (24, 27), (28, 27), (5, 43), (18, 20),
             (22, 20), (18, 12), (28, 23), (28, 24), (18, 27), (22, 27), (22, 18), (7, 5), (20, 28),
             (28, 18), (28, 22), (24, 22), (10, 28), (18, 28))  # fmt: skip


@dataclass(frozen=True)
class Expression:
    """Action units that a face shows.

    Attributes:
        intensities: float32 ``(22,)``, 0..1, in the order of ``AUS``; the labels.
        sides: float32 ``(2, 22)``, what the subject's own left and right half of the face show of them.
        gaze: float32 ``(2,)``, x to the subject's left, y up, in units of the rig's eye shapes.
        extra: rig coefficients of motion that has no label.
    """

    intensities: NDArray[np.float32]
    sides: NDArray[np.float32]
    gaze: NDArray[np.float32]
    extra: dict[str, float]


def sample_expression(random: np.random.Generator, at_rest: bool = False) -> Expression:
    """Draw one expression whose labels are consistent with what will be rendered; at rest it shows no AU and no trace."""
    gaze = _gaze(random)
    if at_rest:
        nothing = np.zeros(len(AUS), np.float32)
        return Expression(nothing, np.stack([nothing, nothing]), gaze, _lids(gaze, set(), random))
    active = _settle(_draw_active(random), random)
    intensities = np.zeros(len(AUS), np.float32)
    for column, number in enumerate(AUS):
        if number in active:
            intensities[column] = _active_intensity(number, random)
        elif random.random() < 0.25 and number not in (26, 27, 43):
            intensities[column] = random.uniform(0, TRACE)
    if 27 in active:
        intensities[AUS.index(26)] = random.uniform(0.8, 1.0)
    if {1, 4} <= active:
        # An inner brow that the frown holds down is not an AU1 that anyone could see.
        frown = intensities[AUS.index(4)]
        intensities[AUS.index(1)] = max(intensities[AUS.index(1)], random.uniform(0.7, 1.0) * frown)
    extra = {**_extra(active, random), **_lids(gaze, active, random)}
    return Expression(intensities, sample_sides(intensities, random), gaze, extra)


def _draw_active(random: np.random.Generator) -> set[int]:
    if random.random() < INDEPENDENT_WEIGHT:
        return {int(number) for number in random.choice(AUS, random.integers(1, 5), replace=False)}
    weights = np.array([weight for weight, _ in PROTOTYPES])
    chosen = PROTOTYPES[random.choice(len(PROTOTYPES), p=weights / weights.sum())][1]
    active = {number for number, probability in chosen.items() if random.random() < probability}
    # A neutral face stays neutral half of the time: absence must be seen as often as presence.
    if chosen or random.random() < 0.5:
        active |= {number for number, probability in ADDED.items() if random.random() < probability}
    return active


def _settle(active: set[int], random: np.random.Generator) -> set[int]:
    settled = set(active)
    for first, second in EXCLUSIVE:
        if first in settled and second in settled:
            settled.discard(first if random.random() < 0.5 else second)
    if 27 in settled:
        settled.add(26)
    if 9 in settled and random.random() < 0.35:
        settled.add(4)  # the brow mostly comes down with a wrinkled nose
    if (9 in settled or 10 in settled) and not settled & {23, 24, 28, 17} and random.random() < 0.3:
        settled.add(25)  # strong lifts of the upper lip often part the lips
    if 26 in settled or 22 in settled:
        settled.add(25)  # the rig's jaw drop and funnel part the lips
    return settled


def _active_intensity(number: int, random: np.random.Generator) -> float:
    if number == 43:
        return float(random.uniform(0.85, 1.0) if random.random() < 0.85 else random.uniform(0.7, 0.85))
    # Strong and weak occurrences alike; low ones are what a network gets wrong.
    return float(ACTIVE + 0.01 + (0.99 - ACTIVE) * random.beta(1.1, 1.0))


def _gaze(random: np.random.Generator) -> NDArray[np.float32]:
    down = random.random() < 0.08  # at a desk, a screen, a hand
    centre, deviation = ((0.0, -0.75), (0.25, 0.2)) if down else ((0.0, 0.0), (0.28, 0.2))
    return np.clip(random.normal(centre, deviation), -0.95, 0.8).astype(np.float32)


def _lids(gaze: NDArray[np.float32], active: set[int], random: np.random.Generator) -> dict[str, float]:
    """Lids that come down without closing, which is not an AU43: with a look down, and with squints."""
    lowered = 0.0
    if 43 in active or 5 in active:
        return {}
    if gaze[1] < -0.5:
        lowered += random.uniform(0, 0.25)
    if 7 in active:
        lowered += random.uniform(0, 0.22)
    return {"eyeBlink_L": lowered, "eyeBlink_R": lowered} if lowered else {}


def _extra(active: set[int], random: np.random.Generator) -> dict[str, float]:
    extra: dict[str, float] = {}
    for name in (
        "jawLeft",
        "jawRight",
        "mouthLeft",
        "mouthRight",
        "jawForward",
        "cheekPuff_L",
        "cheekPuff_R",
    ):
        if random.random() < 0.06:
            extra[name] = random.uniform(0, 0.45)
    if 25 in active and random.random() < 0.2:
        lower = random.uniform(0.05, 0.4)  # AU16, which is not a label of ours
        extra["mouthLowerDown_L"] = extra["mouthLowerDown_R"] = lower
    return extra
