"""Splits share no identity, no texture and no random stream."""

from __future__ import annotations

import pytest

from edgeau_training.synth.splits import IDENTITIES, SPLITS, TEXTURES, sample_of


@pytest.fixture(scope="module")
def samples():
    return {split: [sample_of(split, number, 7) for number in range(4000)] for split in SPLITS}


@pytest.mark.parametrize("what", ["identity", "texture", "seed", "index"])
def test_nothing_is_shared(samples, what):
    seen = [{getattr(sample, what) for sample in samples[split]} for split in SPLITS]
    for place, first in enumerate(seen):
        for second in seen[place + 1 :]:
            assert not first & second


def test_streams_are_unique(samples):
    seeds = [sample.seed for split in SPLITS for sample in samples[split]]
    assert len(set(seeds)) == len(seeds)


def test_most_identities_and_textures_are_used(samples):
    for split in SPLITS:
        assert len({sample.texture for sample in samples[split]}) == TEXTURES[split]
        assert len({sample.identity for sample in samples[split]}) > 0.6 * IDENTITIES[split]


def test_a_sample_depends_on_split_number_and_seed_alone():
    assert sample_of("val", 5, 1) == sample_of("val", 5, 1)
    assert sample_of("val", 5, 1).seed != sample_of("val", 5, 2).seed
    assert sample_of("val", 5, 1).seed != sample_of("val", 6, 1).seed
