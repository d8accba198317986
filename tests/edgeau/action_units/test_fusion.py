import numpy as np
import pytest

from edgeau.action_units.fusion import fuse
from edgeau.bundle.manifest import Fusion
from edgeau.errors import BundleError, InputError

LABELS = ("AU4", "AU12")
FUSION = Fusion(
    network={"AU12": 2.0, "AU4": 0.0}, landmark={"AU4": 1.0, "AU12": 0.5}, bias={"AU4": 0.25, "AU12": -1}
)


@pytest.mark.parametrize("faces", [(), (3,)])
def test_each_label_gets_its_own_weights_and_bias(faces):
    network = np.broadcast_to(np.float32([1, 2]), (*faces, 2))
    landmark = np.broadcast_to(np.float64([3, 4]), (*faces, 2))
    fused = fuse(FUSION, LABELS, network, landmark)
    assert fused.dtype == np.float32
    assert fused.shape == (*faces, 2)
    assert np.allclose(fused, [3.25, 5.0])


def test_the_labels_decide_the_order_of_the_columns():
    logits = np.float32([[1, 2]])
    swapped = fuse(FUSION, LABELS[::-1], logits[:, ::-1], logits[:, ::-1])
    assert np.array_equal(swapped[:, ::-1], fuse(FUSION, LABELS, logits, logits))


@pytest.mark.parametrize(
    ("fusion", "message"),
    [
        (Fusion({"AU4": 1.0}, FUSION.landmark, FUSION.bias), "no weight for AU12"),
        (Fusion(FUSION.network, {"AU4": -0.1, "AU12": 1.0}, FUSION.bias), "negative"),
        (Fusion(FUSION.network, FUSION.landmark, {"AU4": float("nan"), "AU12": 0.0}), "not a finite"),
    ],
)
def test_a_damaged_fusion_is_refused(fusion, message):
    with pytest.raises(BundleError, match=message):
        fuse(fusion, LABELS, np.zeros(2), np.zeros(2))


@pytest.mark.parametrize("shapes", [((2,), (3,)), ((3,), (3,)), ((2,), (1, 2))])
def test_shapes_that_do_not_fit_are_refused(shapes):
    with pytest.raises(InputError, match="must both end in 2"):
        fuse(FUSION, LABELS, np.zeros(shapes[0]), np.zeros(shapes[1]))
