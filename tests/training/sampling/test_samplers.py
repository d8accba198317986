from types import SimpleNamespace

import numpy as np
import pytest

from edgeau.errors import InputError, UsageError
from edgeau_training.sampling import SAMPLERS, build_sampler
from edgeau_training.sampling.cursor import Cursor
from edgeau_training.sampling.rare_aus import thin_clips

LABELS = ("AU1", "AU2", "AU15", "AU25")


@pytest.fixture
def data():
    """Six clips of 400 frames; a tenth of the entries is not known."""
    rng = np.random.default_rng(0)
    mask = (rng.random((2400, 4)) > 0.1).astype(np.uint8)
    occurrence = (rng.random((2400, 4)) < (0.4, 0.05, 0.1, 0.6)).astype(np.uint8) & mask
    return SimpleNamespace(
        labels=LABELS, occurrence=occurrence, mask=mask, clip=np.repeat(np.arange(6, dtype=np.int32), 400)
    )


@pytest.mark.parametrize("name", SAMPLERS)
def test_seed_and_epoch_decide_what_is_drawn(data, name):
    one, same = build_sampler(name, data, seed=3), build_sampler(name, data, seed=3)
    assert one.epoch(5).order.tolist() == same.epoch(5).order.tolist()
    assert one.epoch(5).order.tolist() != one.epoch(6).order.tolist()
    assert one.epoch(5).order.tolist() != build_sampler(name, data, seed=4).epoch(5).order.tolist()


@pytest.mark.parametrize("name", SAMPLERS)
def test_no_sampler_makes_a_label_known(data, name):
    draw = build_sampler(name, data).epoch(0)
    assert draw.mask.dtype == np.uint8
    assert not (draw.mask & ~data.mask[draw.order]).any()


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("stop", [0, 1, 7, 30])
def test_a_run_goes_on_from_where_it_stopped(data, name, stop):
    def batches(cursor, count):
        while count > 0:
            for batch in cursor.epoch():
                yield batch.order.tolist()
                count -= 1
                if not count:
                    return

    undisturbed = Cursor(build_sampler(name, data, seed=1), 32)
    expected = list(batches(undisturbed, 60))
    first = Cursor(build_sampler(name, data, seed=1), 32)
    before = list(batches(first, stop))
    second = Cursor(build_sampler(name, data, seed=1), 32)
    second.restore(first.state())
    assert before + list(batches(second, 60 - stop)) == expected
    assert second.state() == undisturbed.state()


def test_uniform_shows_every_frame_once_in_the_order_of_seed_and_epoch(data):
    draw = build_sampler("uniform", data, seed=7).epoch(2)
    assert draw.order.tolist() == np.random.default_rng((7, 2)).permutation(2400).tolist()
    assert (draw.mask == data.mask[draw.order]).all()


def test_a_cursor_gives_whole_batches_and_counts_epochs(data):
    cursor = Cursor(build_sampler("uniform", data), 1000)
    assert [len(batch) for batch in cursor.epoch()] == [1000, 1000]
    assert cursor.state() == {"epoch": 1, "position": 0}
    assert cursor.batches == 2
    with pytest.raises(InputError, match="an epoch holds 2400 frames, less than one batch of 2401"):
        Cursor(build_sampler("uniform", data), 2401)


def test_per_au_draws_so_many_of_each_kind_per_clip(data):
    draw = build_sampler("per-au", data, positives=30, negatives=60).epoch(0)
    assert len(set(draw.order.tolist())) == len(draw)
    assert draw.mask.any(axis=1).all()
    for clip in range(6):
        rows = data.clip[draw.order] == clip
        for column in range(4):
            known = data.mask[data.clip == clip, column] > 0
            there = data.occurrence[data.clip == clip, column][known]
            drawn = data.occurrence[draw.order[rows], column][draw.mask[rows, column] > 0]
            assert drawn.sum() == min(30, there.sum())
            assert (drawn == 0).sum() == min(60, (there == 0).sum())


def test_rare_aus_keeps_every_5th_frame_that_shows_one_and_every_10th_other(data):
    sampler = build_sampler("rare-aus", data)
    rare = data.occurrence[:, [1, 2]].any(axis=1)
    usable = data.mask.any(axis=1)
    for clip in range(6):
        kept = sampler.rows[data.clip[sampler.rows] == clip]
        for kind, step in ((rare & usable, 5), (~rare & usable, 10)):
            rows = np.flatnonzero(kind & (data.clip == clip))
            assert [row for row in kept if kind[row]] == rows[::step].tolist()
    assert sorted(sampler.epoch(3).order.tolist()) == sampler.rows.tolist()


def test_thinning_by_hand():
    rare = np.array([0, 1, 0, 1, 1, 0, 0, 1, 0, 0], bool)
    usable = np.array([1, 1, 1, 1, 1, 0, 1, 1, 1, 1], bool)
    clip = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1], np.int32)
    # Clip 0: rare rows 1 3 4 -> 1 4, others 0 2 (5 is not usable) -> 0. Clip 1: rare 7 -> 7, others 6 8 9 -> 6 9.
    assert thin_clips(rare, usable, clip, 2, 2).tolist() == [0, 1, 4, 6, 7, 9]


def test_options_that_cannot_be(data):
    with pytest.raises(UsageError, match="known: mlros, per-au, rare-aus, uniform"):
        build_sampler("weighted", data)
    with pytest.raises(UsageError, match=r"does not take these options \['share'\]"):
        build_sampler("uniform", data, share=1)
    with pytest.raises(UsageError, match="none of the rare AUs AU43"):
        build_sampler("rare-aus", data, rare=["AU43"])
    with pytest.raises(UsageError, match="1 or more"):
        build_sampler("rare-aus", data, every_rare=0)
    with pytest.raises(UsageError, match="1 or more"):
        build_sampler("per-au", data, positives=0)
