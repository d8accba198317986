"""Landmark networks whose operators every interpreter of TensorFlow Lite has, and which answer as the original does."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeau.errors import InputError
from edgeau.faces.landmarks.litert.mesh import RefinedMesh
from edgeau.faces.landmarks.litert.region import Region
from edgeau.faces.landmarks.mediapipe_models import LandmarkModels, installed_models, read_models
from edgeau_export.export import export_bundle
from edgeau_export.packaging.standard_operators import modification_of, with_standard_operators

interpreter = pytest.importorskip("ai_edge_litert.interpreter")


@pytest.fixture(scope="module")
def original() -> LandmarkModels:
    place = installed_models()
    if place is None:
        pytest.skip("no mediapipe up to 0.10.21, which carries the networks")
    return read_models(place)


def opens(content: bytes) -> None:
    interpreter.Interpreter(model_content=content).allocate_tensors()


def test_a_plain_interpreter_opens_the_mesh_and_refuses_the_original(original: LandmarkModels) -> None:
    with pytest.raises(RuntimeError, match="custom op"):
        opens(original.mesh.content)
    opens(with_standard_operators(original).mesh.content)


def test_the_points_of_a_face_are_the_same_to_the_bit(
    original: LandmarkModels, astronaut: np.ndarray
) -> None:
    region = Region(227.0, 116.0, 200.0, 0.1)
    placed = []
    for file in (original.mesh, with_standard_operators(original).mesh):
        mesh = RefinedMesh(file, 1)
        face = mesh.place(astronaut, region)
        mesh.close()
        assert face is not None
        placed.append(face)
    assert placed[0].presence == placed[1].presence
    np.testing.assert_array_equal(placed[0].points, placed[1].points)


def test_the_file_says_what_was_changed_in_which_original(original: LandmarkModels) -> None:
    changed = with_standard_operators(original)
    said = modification_of(changed.mesh)
    assert said is not None
    assert hashlib.sha256(original.mesh.content).hexdigest() in said
    assert "TransformTensorBilinear" in said
    assert modification_of(original.mesh) is None
    assert changed.detector == original.detector


def test_what_was_changed_before_is_not_changed_again(original: LandmarkModels) -> None:
    once = with_standard_operators(original)
    assert with_standard_operators(once) == once


def test_another_network_and_a_damaged_one_are_refused(original: LandmarkModels) -> None:
    with pytest.raises(InputError, match="is another network: it has no conv_faceflag"):
        with_standard_operators(
            replace(original, mesh=replace(original.mesh, content=original.detector.content))
        )
    with pytest.raises(InputError, match="is damaged"):
        with_standard_operators(replace(original, mesh=replace(original.mesh, content=b"\x10")))


def test_a_plain_interpreter_opens_every_tflite_of_a_bundle(original: LandmarkModels, tmp_path: Path) -> None:
    export_bundle("raspberrypi", tmp_path / "bundle", landmarks=original.place)
    networks = sorted((tmp_path / "bundle").rglob("*.tflite"))
    assert {"landmarks", "bundle"} == {file.parent.name for file in networks}
    for file in networks:
        opens(file.read_bytes())
