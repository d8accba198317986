"""Splits: identity, texture and random stream of every sample; no split shares any of them with another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SPLITS = ("train", "val", "test")
IDENTITIES = {"train": 3000, "val": 300, "test": 500}
TEXTURES = {"train": 320, "val": 60, "test": 80}
REST_EVERY = 8  # one picture in so many shows its person at rest
RULE = "identities, textures and random streams of train, val and test are disjoint"
# Sample numbers of a split start here, so that a larger set keeps the numbers of a smaller one.
FIRST_INDEX = {"train": 0, "val": 100_000_000, "test": 200_000_000}

_IDENTITY_STREAM, _TEXTURE_STREAM, _SAMPLE_STREAM, _CHOICE_STREAM = 1, 2, 3, 4


@dataclass(frozen=True)
class Sample:
    """Recipe of a picture: numbers only, so that anyone can render it again. At rest, it shows no AU at all."""

    index: int
    identity: int
    texture: int
    seed: int
    at_rest: bool = False


def sample_of(split: str, number: int, seed: int) -> Sample:
    """Return sample number (0..) of a split of the data set with the given seed."""
    place = SPLITS.index(split)
    choice = np.random.default_rng((seed, _CHOICE_STREAM, place, number))
    drawn, at_rest = int(choice.integers(IDENTITIES[split])), number % REST_EVERY == 0
    # Resting pictures take the identities in turn, so that each is soon among them.
    person = number // REST_EVERY % IDENTITIES[split] if at_rest else drawn
    identity = _first(IDENTITIES, split) + person
    texture = _first(TEXTURES, split) + int(choice.integers(TEXTURES[split]))
    state = np.random.SeedSequence((seed, _SAMPLE_STREAM, place, number)).generate_state(1, np.uint64)
    return Sample(FIRST_INDEX[split] + number, identity, texture, int(state[0] >> np.uint64(1)), at_rest)


def identity_seed(seed: int, identity: int) -> tuple[int, ...]:
    """Return the stream that draws an identity's shape."""
    return (seed, _IDENTITY_STREAM, identity)


def texture_seed(seed: int, texture: int) -> tuple[int, ...]:
    """Return the stream that draws a texture."""
    return (seed, _TEXTURE_STREAM, texture)


def _first(counts: dict[str, int], split: str) -> int:
    return sum(counts[earlier] for earlier in SPLITS[: SPLITS.index(split)])
