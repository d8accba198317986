"""What a network is trained on is what the device gives it."""

import numpy as np
import pytest

from edgeau.errors import UsageError
from edgeau.faces.alignment import Alignment, ArcFaceTemplate, WholePicture
from edgeau_training.augmentation import CANVAS, centre_cut
from edgeau_training.datasets.synthetic import SyntheticFaces
from edgeau_training.datasets.synthetic_crops import SyntheticCrops
from edgeau_training.networks import build_network
from edgeau_training.networks.catalogue import network_facts
from edgeau_training.trainer.framing import framing_of
from edgeau_training.trainer.starting_weights import set_mean_image

AUS = ("AU1", "AU4", "AU12")


@pytest.mark.parametrize(
    ("network", "options", "data", "canvas", "expected"),
    [
        ("mrpnet", {}, "bp4d", 0, (256, 224.0)),
        ("drml", {}, "bp4d", 0, (200, 170.0)),
        ("drml", {"size": 90, "mode": "modern"}, "synthetic", 0, (106, 90.0)),
        ("drml-alexnet", {}, "disfa", 0, (256, 227.0)),
        ("siat-ir152", {}, "emotionet", 256, (256, 256.0)),
        ("ustc-fixed", {}, "aff-wild2", 112, (112, 112.0)),
        ("mrpnet", {}, "aff-wild2", 0, (224, 224.0)),
    ],
)
def test_canvas_and_field_of_the_networks(network, options, data, canvas, expected):
    framing = framing_of(network, options, data, canvas)
    assert (framing.canvas, framing.field) == expected
    assert framing.view.pixels == network_facts(network, **options).input.size[0]


def test_without_alignment_the_device_sees_whole_pictures_too():
    framing = framing_of("siat-ir50", {}, "emotionet", 256, align=False)
    assert framing.alignment == WholePicture(height=224, width=224)
    assert framing.aligner == WholePicture(height=256, width=256)
    assert (framing.canvas, framing.field) == (256, 256.0)


def test_crops_that_ship_aligned_are_deployed_as_they_were_made():
    assert framing_of("mrpnet", {}, "aff-wild2").alignment == ArcFaceTemplate(224)
    assert framing_of("mrpnet", {}, "bp4d").alignment == Alignment()


def test_a_canvas_smaller_than_the_input_is_refused():
    with pytest.raises(UsageError, match="canvas 100 is smaller than the 112 pixels"):
        framing_of("ustc-fixed", {}, "aff-wild2", 100)


@pytest.mark.parametrize(("network", "options"), [("drml", {}), ("mrpnet", {}), ("siat-ir50", {"size": 112})])
def test_the_cut_of_a_stored_crop_is_the_devices_crop(network, options):
    """Both matrices take a face's points to the same pixels of the network's input."""
    points = np.random.default_rng(0).uniform(60, 190, (468, 2)).astype(np.float32)
    framing = framing_of(network, options, "pictures", 256 if network.startswith("siat") else 0)
    stored, cut = framing.aligner.matrix(points), centre_cut(framing.view)
    placed = (points @ stored[:, :2].T + stored[:, 2]) @ cut[:, :2].T + cut[:, 2]
    device = framing.alignment.matrix(points)
    # The box of the template counts S - 1 steps between S pixels, so scales of canvases agree to half a pixel in 256.
    np.testing.assert_allclose(placed, points @ device[:, :2].T + device[:, 2], atol=1.0)


def test_rendered_faces_are_cut_by_the_template_of_face_recognition(tmp_path, write_tiny_faces):
    faces = SyntheticFaces.read(write_tiny_faces(tmp_path), "train", AUS)
    crops = SyntheticCrops(faces, arcface=True)
    points = crops.points(112)[3]
    matrix = ArcFaceTemplate(112).matrix(faces.points[3])
    np.testing.assert_allclose(points, faces.points[3] @ matrix[:, :2].T + matrix[:, 2], atol=1e-3)
    assert crops.crops([3], 112).shape == (1, 112, 112, 3)
    whole = SyntheticCrops(faces).points(CANVAS // 2)[3]
    np.testing.assert_allclose(whole, (faces.points[3] + 0.5) / 2 - 0.5, atol=1e-4)


def test_the_mean_image_is_that_of_the_training_crops_in_bgr():
    class Red:
        labels = AUS

        def __len__(self):
            return 3

        def crops(self, rows, size):
            return np.tile(np.array([200, 20, 10], np.uint8), (len(rows), size, size, 1))

    network = build_network("drml", AUS, size=90)
    framing = framing_of("drml", {"size": 90}, "bp4d")
    set_mean_image(network, Red(), framing.view)
    assert network.mean_image.mean[:, 45, 45].tolist() == [10, 20, 200]
