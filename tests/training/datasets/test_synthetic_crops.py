import numpy as np

from edgeau_training.datasets.synthetic import SyntheticFaces
from edgeau_training.datasets.synthetic_crops import SyntheticCrops


def test_rendered_faces_are_drawn_from_like_any_data_set(write_tiny_faces, tmp_path):
    faces = SyntheticFaces.read(write_tiny_faces(tmp_path / "data"), "train", ("AU1", "AU12"))
    crops = SyntheticCrops(faces)
    assert len(crops) == len(faces) == len(crops.mask) == len(crops.clip) == len(crops.group)
    assert crops.mask.all()
    assert len(np.unique(crops.group)) == 8
    images = crops.crops(np.arange(len(crops)), 64)
    lit = images[:, 43:46, 34:38].mean(axis=(1, 2, 3)) > 180  # the square of AU12, at a quarter of its place
    assert (lit == crops.occurrence[:, 1]).all()
