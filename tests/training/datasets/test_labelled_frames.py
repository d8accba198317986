from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeau.errors import InputError
from edgeau_training.datasets.labelled_frames import LabelledFrames, numbered


def table(occurrence, mask, **changes):
    occurrence, mask = np.array(occurrence, np.int8), np.array(mask, np.int8)
    places = np.arange(len(occurrence), dtype=np.int32)
    names = tuple(f"{place}.jpg" for place in places)
    labels = tuple(f"AU{number}" for number in (1, 2, 4)[: occurrence.shape[1]])
    frames = LabelledFrames(
        "tiny", Path("root"), labels, names, occurrence, mask, places, names, places, names, True
    )
    return replace(frames, **changes)


@pytest.fixture
def frames():
    return table([[1, 0, 0], [0, 0, 0], [1, 1, 0]], [[1, 1, 0], [0, 0, 0], [1, 1, 1]])


def test_counts_are_of_known_entries(frames):
    assert frames.positives.tolist() == [2, 1, 0]
    assert frames.labelled.tolist() == [2, 2, 1]
    assert len(frames.known_rows()) == 2
    assert frames.known_rows().pictures == ("0.jpg", "2.jpg")


def test_another_label_set_masks_what_is_not_coded(frames):
    other = frames.with_labels(("AU2", "AU1", "AU43"))
    assert other.labels == ("AU2", "AU1", "AU43")
    assert other.occurrence[2].tolist() == [1, 1, 0]
    assert other.mask.tolist() == [[1, 1, 0], [0, 0, 0], [1, 1, 0]]
    with pytest.raises(InputError, match="tiny codes none of AU43; it codes AU1 AU2 AU4"):
        frames.with_labels(("AU43",))


@pytest.mark.parametrize(
    "changes",
    [
        {"mask": np.ones((2, 3), np.int8)},
        {"mask": np.ones((3, 3), np.int64)},
        {"clip": np.zeros(3, np.int64)},
        {"video_frame": np.zeros(2, np.int64)},
        {"intensity": np.zeros((3, 2), np.float32)},
        {"occurrence": np.full((3, 3), 9, np.int8)},  # a code of some data set that was not converted
        {"occurrence": np.ones((3, 3), np.int8)},  # present where nobody labelled
    ],
)
def test_a_table_that_contradicts_itself_is_our_bug(frames, changes):
    with pytest.raises(ValueError, match="must be"):
        replace(frames, **changes)


def test_nothing_is_no_data_set(frames):
    with pytest.raises(InputError, match="tiny in root has no labelled frame"):
        frames.select(np.zeros(0, np.int64))


def test_names_are_numbered_in_the_order_of_their_first_use():
    places, names = numbered(["b", "b", "a", "b"])
    assert places.tolist() == [0, 0, 1, 0]
    assert names == ("b", "a")
