from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from edgeau.bundle import load_bundle, packaged_bundle_path
from edgeau.errors import InputError
from edgeau_training.evaluation.last_layer import LastLayer
from edgeau_training.evaluation.network_features import main, read_features


@pytest.fixture(scope="module")
def kept(tmp_path_factory, write_tiny_faces):
    """What the command keeps of 16 faces, and of their mirror images."""
    folder = tmp_path_factory.mktemp("kept")
    write_tiny_faces(folder / "tiny", counts=(("val", 16), ("test", 16)))
    asked = ["light", "--data", str(folder / "tiny"), "--split", "val"]
    assert main([*asked, "--out", str(folder / "plain.npz")]) == 0
    assert main([*asked, "--mirror", "--out", str(folder / "mirrored.npz")]) == 0
    return read_features(folder / "plain.npz"), read_features(folder / "mirrored.npz")


def last_layer():
    bundle = load_bundle(packaged_bundle_path("light"))
    graph = onnx.load(bundle.path("model.fp32.onnx")).graph
    node = next(node for node in reversed(graph.node) if node.op_type == "Gemm")
    tensors = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    weight, bias = (tensors[name] for name in node.input[1:3])
    return LastLayer(weight if len(weight) == len(bias) else weight.T, bias)


def test_the_last_layer_makes_the_answers_of_the_features(kept):
    plain, _ = kept
    np.testing.assert_allclose(last_layer().logits(plain.features), plain.logits, atol=0.02)


def test_mirror_images_are_of_the_same_people_and_answer_otherwise(kept):
    plain, mirrored = kept
    assert (plain.persons == mirrored.persons).all()
    assert (plain.truth == mirrored.truth).all()
    assert 0 < np.abs(plain.logits - mirrored.logits).mean() < 3


def test_something_else_is_refused(tmp_path):
    (tmp_path / "else.npz").write_bytes(b"something else")
    with pytest.raises(InputError, match="holds no features"):
        read_features(tmp_path / "else.npz")
