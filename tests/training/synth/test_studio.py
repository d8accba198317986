"""Pictures of the film and the plate differ in what is asked for, and in nothing else."""

from __future__ import annotations

import numpy as np

from edgeau_training.synth import clip, plate
from edgeau_training.synth.studio import photograph


def test_only_what_is_asked_for_changes(renderer):
    room = clip._room(3)
    size = (clip.WIDTH // 4, clip.HEIGHT // 4)
    first, again, smiling, other = (
        photograph(renderer, seed, clip._expression(time_s), clip._scene(0.5), room, size)
        for seed, time_s in ((3, 0.5), (3, 0.5), (3, 1.5), (4, 0.5))
    )
    assert first.shape == (clip.HEIGHT // 4, clip.WIDTH // 4, 3)
    assert np.array_equal(first, again)
    changed = np.abs(first.astype(int) - smiling).max(axis=2) > 8
    assert 0 < changed.mean() < 0.2
    assert not changed[:8].any(), "the room above the head is the same"
    assert not np.array_equal(first, other)


def test_a_side_alone_changes_its_half_of_the_plate(renderer):
    rest, left = (plate._picture(renderer, 3, 12, level, 0.0) for level in (0.0, 1.0))
    changed = np.abs(rest.astype(int) - left).sum(axis=(0, 2))
    middle = plate.SIDE // 2
    assert changed[middle:].sum() > 3 * changed[:middle].sum(), "the person's own left is on the right"
