from pathlib import Path

import numpy as np
import pytest

from edgeau.errors import InputError
from edgeau_training.datasets.labelled_frames import LabelledFrames, numbered
from edgeau_training.folds.fold import fold_of_groups, validation_cut
from edgeau_training.folds.grouped import balanced_fold, fold_names, shuffled_fold


def frames_of(sizes):
    """A table of subjects with so many frames each."""
    subjects = [name for name, size in sizes.items() for _ in range(size)]
    group, names = numbered(subjects)
    ones = np.ones((len(subjects), 1), np.int8)
    return LabelledFrames(
        "tiny", Path(), ("AU1",), tuple(map(str, range(len(subjects)))), ones, ones, group, names, group, names, True
    )  # fmt: skip


SIZES = {f"s{number}": 5 + 3 * number for number in range(12)}


@pytest.mark.parametrize("make", [balanced_fold, lambda *arguments: shuffled_fold(*arguments, seed=3)])
def test_every_frame_is_tested_once_and_no_subject_stands_on_both_sides(make):
    frames = frames_of(SIZES)
    folds = [make(frames, name, 4) for name in fold_names(4)]
    assert sorted(np.concatenate([fold.test for fold in folds]).tolist()) == list(range(len(frames)))
    for fold in folds:
        assert not set(frames.group[fold.train]) & set(frames.group[fold.test])
        assert len(fold.train) + len(fold.test) == len(frames)


def test_balanced_folds_hold_about_as_many_frames_each():
    frames = frames_of(SIZES)
    sizes = [len(balanced_fold(frames, name, 4).test) for name in fold_names(4)]
    assert max(sizes) - min(sizes) < 10  # of 258 frames in groups of up to 38


def test_a_validation_cut_takes_whole_subjects_of_the_training_side():
    frames = frames_of(SIZES)
    fold = fold_of_groups(frames, "1", ["s0", "s11"])
    cut = validation_cut(frames, fold, share=0.2, seed=5)
    assert sorted([*cut.train, *cut.test]) == fold.train.tolist()
    assert not set(frames.group[cut.train]) & set(frames.group[cut.test])
    assert 0.2 <= len(cut.test) / len(fold.train) < 0.45
    assert cut.test.tolist() == validation_cut(frames, fold, share=0.2, seed=5).test.tolist()
    assert cut.test.tolist() != validation_cut(frames, fold, share=0.2, seed=6).test.tolist()


def test_a_side_without_frames_is_refused():
    frames = frames_of({"ann": 2, "ben": 2})
    with pytest.raises(InputError, match="fold 1 of tiny has no frame to test on"):
        fold_of_groups(frames, "1", ["cho"])
    with pytest.raises(InputError, match="fold 1 of tiny has no frame to train on"):
        fold_of_groups(frames, "1", ["ann", "ben"])
    with pytest.raises(InputError, match="nothing can be cut off"):
        validation_cut(frames, fold_of_groups(frames, "1", ["ann"]))
    with pytest.raises(InputError, match="tiny has 2 subjects or videos, too few for 3 folds"):
        balanced_fold(frames, "1", 3)
