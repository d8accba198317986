import numpy as np
import pytest

from edgeau.action_units.names import DEFAULT
from edgeau.errors import UsageError
from edgeau_training.datasets.emotionet import LABELS
from edgeau_training.datasets.mirroring import mirrored_columns


def test_turn_and_tilt_change_sides_and_nothing_else_does():
    mirrored = [LABELS[column] for column in mirrored_columns(LABELS)]
    changed = {label: other for label, other in zip(LABELS, mirrored, strict=True) if label != other}
    assert changed == {"AU51": "AU52", "AU52": "AU51", "AU55": "AU56", "AU56": "AU55"}


def test_mirroring_twice_changes_nothing():
    table = np.random.default_rng(0).integers(0, 2, (20, len(LABELS)))
    columns = mirrored_columns(LABELS)
    assert (table[:, columns][:, columns] == table).all()
    assert not (table[:, columns] == table).all()


def test_labels_without_sides_stay():
    assert mirrored_columns(DEFAULT).tolist() == list(range(len(DEFAULT)))


def test_half_a_pair_cannot_be_mirrored():
    with pytest.raises(UsageError, match="AU51 becomes AU52 in a mirrored picture"):
        mirrored_columns(("AU1", "AU51"))
