"""MediaPipe's refined mesh without the operators that no interpreter of TensorFlow Lite has.

``face_landmark_with_attention.tflite`` uses three operators of MediaPipe's own between its two stages, so a plain interpreter refuses the
file. edgeau computes what they do by itself, and runs the stages before and after them. A bundle carries the network without them: the
tensors that they would have given become inputs, those that they would have taken become outputs, and all else stays as it is.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import replace

from edgeau.errors import InputError
from edgeau.faces.landmarks.litert.mesh import REFINED_INPUTS, REFINED_OUTPUTS
from edgeau.faces.landmarks.litert.network import ADVICE, cut_part
from edgeau.faces.landmarks.mediapipe_models import LandmarkModels, ModelFile
from edgeau.runtimes import tflite_file

__all__ = ["modification_of", "with_standard_operators"]

_DESCRIPTION = 3  # field of Model, in TensorFlow Lite's schema
_MODIFIED = "modified by edgeau: "


def with_standard_operators(models: LandmarkModels) -> LandmarkModels:
    """The same networks, with operators alone that every interpreter of TensorFlow Lite has; they answer with the same bits.

    A file that is changed says so in its own description, with the digest of the original (Apache-2.0, section 4b).

    Args:
        models: as :func:`edgeau.faces.landmarks.mediapipe_models.read_models` gives them.

    Raises:
        InputError: the mesh is another network than its name says, or is damaged.
    """
    if models.generation != "refined" or modification_of(models.mesh):
        return models
    return replace(models, mesh=_without_custom_operators(models.mesh))


def modification_of(file: ModelFile) -> str | None:
    """The sentence by which a network says what was changed in it, and in which original; None where nothing was."""
    text = _description(file).decode("utf-8", "replace")
    return text if text.startswith(_MODIFIED) else None


def _without_custom_operators(file: ModelFile) -> ModelFile:
    content = bytearray(cut_part(file, REFINED_INPUTS, REFINED_OUTPUTS).content)
    place = tflite_file.field(content, tflite_file.root(content), _DESCRIPTION)
    if place is None:
        raise InputError(f"{file.name} is another network: it has no description; {ADVICE}")
    text = (
        f"{_MODIFIED}Landmarks2TransformMatrix, TransformTensorBilinear and TransformLandmarks, operators of MediaPipe's own, were taken "
        f"out of {file.file} of SHA-256 {hashlib.sha256(file.content).hexdigest()}"
    ).encode()
    content.extend(bytes(-len(content) % 4))
    struct.pack_into("<I", content, place, len(content) - place)
    content.extend(struct.pack("<I", len(text)) + text + b"\0")
    return replace(file, content=bytes(content))


def _description(file: ModelFile) -> bytes:
    try:
        start, size = tflite_file.vector(file.content, tflite_file.root(file.content), _DESCRIPTION)
    except (struct.error, IndexError) as error:
        raise InputError(f"{file.name} is damaged ({error}); {ADVICE}") from error
    return file.content[start : start + size]
