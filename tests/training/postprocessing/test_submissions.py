import numpy as np
import pytest

from edgeau.errors import InputError, UsageError
from edgeau_training.datasets.emotionet import LABELS
from edgeau_training.postprocessing.aff_wild2_submission import listed_crops, write_aff_wild2_submission
from edgeau_training.postprocessing.emotionet_submission import answer_vectors, write_emotionet_submission

HEADER = "image_location,AU1,AU2,AU4,AU6,AU7,AU10,AU12,AU15,AU23,AU24,AU25,AU26"
FRAMES = [
    "v1/00001.jpg",
    "v1/00002.jpg",
    "v1/00003.jpg",
    "v1/00004.jpg",
    "v2_left/00001.jpg",
    "v2_left/00002.jpg",
]


@pytest.fixture
def sample(tmp_path):
    path = tmp_path / "CVPR_5th_ABAW_AU_test_set_sample.txt"
    path.write_text(HEADER + "\n" + "".join(f"{frame},\n" for frame in FRAMES))
    return path


def decisions(*columns):
    """One row per frame, in which only this column is positive."""
    rows = np.zeros((len(columns), 12), bool)
    rows[np.arange(len(columns)), columns] = True
    return rows


def test_every_listed_frame_is_answered_and_gaps_take_the_nearest_earlier_frame(sample, tmp_path):
    out = tmp_path / "predictions.txt"
    # v1: frames 2 and 3 have crops, 4 copies 3 and 1 takes the next; v2_left: frame 2 only. Given in any order.
    given = ["v2_left/00002.jpg", "v1/00003.jpg", "v1/00002.jpg"]
    assert write_aff_wild2_submission(out, sample, given, decisions(11, 3, 2)) == 3
    lines = out.read_text().splitlines()
    assert lines[0] == HEADER
    assert [line.split(",")[0] for line in lines[1:]] == FRAMES
    assert [line.split(",")[1:].index("1") for line in lines[1:]] == [2, 2, 3, 3, 11, 11]
    assert all(line.count(",") == 12 for line in lines)


def test_a_video_without_any_decision_and_a_damaged_sample_are_named(sample, tmp_path):
    with pytest.raises(InputError, match=r"sample\.txt, row 6: video v2_left has no decision"):
        write_aff_wild2_submission(tmp_path / "out.txt", sample, ["v1/00001.jpg"], decisions(0))
    assert not (tmp_path / "out.txt").exists()
    sample.write_text(f"{HEADER}\nv1/00001.jpg\nreadme\n")
    with pytest.raises(InputError, match=r"sample\.txt, row 3: 'readme' is not a frame"):
        write_aff_wild2_submission(tmp_path / "out.txt", sample, ["v1/00001.jpg"], decisions(0))


def test_the_crops_that_a_sample_lists_can_be_predicted(sample, tmp_path):
    for frame in FRAMES[1:3] + FRAMES[5:]:
        (tmp_path / frame).parent.mkdir(exist_ok=True)
        (tmp_path / frame).touch()
    frames = listed_crops(sample, tmp_path)
    assert frames.pictures == ("v1/00002.jpg", "v1/00003.jpg", "v2_left/00002.jpg")
    assert frames.aligned
    assert not frames.mask.any()
    with pytest.raises(InputError, match="has no labelled frame"):
        listed_crops(sample, tmp_path / "nowhere")


def test_an_emotionet_answer_is_60_numbers_by_au(tmp_path):
    rows = np.zeros((2, 23), bool)
    rows[0, LABELS.index("AU56")] = rows[1, LABELS.index("AU1")] = True
    vectors = answer_vectors(LABELS, rows)
    assert vectors.shape == (2, 60)
    assert (vectors[0, 55], vectors[0, 0], vectors[1, 0]) == (1, 0, 1)
    assert (vectors == 999).sum(axis=1).tolist() == [37, 37]
    assert vectors[0, 6] == 999  # AU7 is not among the 23
    names = ["test_000007.jpg", "test_000012.jpg"]
    write_emotionet_submission(tmp_path / "answers.csv", names, LABELS, rows)
    lines = (tmp_path / "answers.csv").read_text().splitlines()
    assert lines[0].split(",")[0] == "000007"
    assert [int(cell) for cell in lines[0].split(",")[1:]] == vectors[0].tolist()
    write_emotionet_submission(tmp_path / "answers.npy", names, LABELS, rows)
    stored = np.load(tmp_path / "answers.npy", allow_pickle=True).item()  # ours, written a line above
    assert stored == {"000007": vectors[0].tolist(), "000012": vectors[1].tolist()}


def test_answers_that_cannot_be_written_are_refused(tmp_path):
    rows = np.zeros((2, 1), bool)
    with pytest.raises(UsageError, match="two pictures have the same tag"):
        write_emotionet_submission(tmp_path / "a.csv", ["a_1.jpg", "b_1.jpg"], ("AU1",), rows)
    with pytest.raises(UsageError, match=r"is a \.npy or a \.csv"):
        write_emotionet_submission(tmp_path / "a.txt", ["a_1.jpg", "b_2.jpg"], ("AU1",), rows)
    with pytest.raises(UsageError, match="not AU61"):
        answer_vectors(("AU61",), rows)
    assert not list(tmp_path.iterdir())
