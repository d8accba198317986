"""``python -m edgeau_training.evaluation.network_features``: what the last layer of a bundle's float network reads, kept in a file.

The last layer is linear, so :mod:`edgeau_training.evaluation.last_layer` fits it anew from such files in seconds.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from edgeau._system.atomic_file import write_whole
from edgeau._system.command import DONE, run
from edgeau._system.npz import read_npz
from edgeau._system.progress import progress_bar
from edgeau.action_units.landmark_model import LandmarkModel
from edgeau.bundle import Bundle, bundle_folder, load_bundle
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.errors import InputError, NpzError, UsageError
from edgeau_training.evaluation.faces import FaceBatch, LabelledFaces, open_faces
from edgeau_training.evaluation.options import bundle_on_renders_parser
from edgeau_training.evaluation.run import BATCH
from edgeau_training.evaluation.sides import mirrored_faces

__all__ = ["NetworkFeatures", "main", "network_features", "read_features"]

NAME = "python -m edgeau_training.evaluation.network_features"


@dataclass(frozen=True)
class NetworkFeatures:
    """Answers of a bundle's float network on N faces, and what its last layer read.

    Attributes:
        features: float32 ``(N, D)``.
        logits: float32 ``(N, C)`` of the network alone, in the bundle's order.
        truth: int8 ``(N, C)``: 1 present, 0 absent, -1 not labelled.
        persons: int64 ``(N,)``; a face whose person is not known is its own.
        at_rest: bool ``(N,)``; False where nobody said.
        points: float32 ``(N, 468 or 478, 3)``, landmarks in pixels of each picture.
    """

    features: NDArray[np.float32]
    logits: NDArray[np.float32]
    truth: NDArray[np.int8]
    persons: NDArray[np.int64]
    at_rest: NDArray[np.bool_]
    points: NDArray[np.float32]

    def rows(self, chosen: NDArray[Any]) -> NetworkFeatures:
        """Some of them, by a mask or by numbers."""
        return NetworkFeatures(*(getattr(self, field.name)[chosen] for field in fields(self)))


def network_features(
    bundle: Bundle, faces: LabelledFaces, limit: int | None = None, *, mirror: bool = False
) -> NetworkFeatures:
    """Run a bundle's float network over labelled faces.

    Args:
        bundle: with a float network for ONNX Runtime that ends in a linear layer.
        faces: with pictures and landmarks; AUs that they do not speak of are unknown.
        limit: only the first so many faces.
        mirror: show the network the mirrored pictures; labels stay as they are, those of either side.

    Raises:
        InputError: no face was found, or there are no pictures with landmarks.
        UsageError: the bundle has no float network for ONNX Runtime that ends in a linear layer, or no landmark model, which says
            how a mesh is mirrored, though ``mirror`` asks for it.
    """
    session, order = _session(bundle), _mirror_order(bundle) if mirror else None
    manifest = bundle.manifest
    preprocess = Preprocessor(manifest.input, "BGR")
    columns = [faces.labels.index(label) if label in faces.labels else None for label in manifest.labels]
    rows: list[NetworkFeatures] = []
    with progress_bar(total=min(limit or faces.count, faces.count), unit="face", desc=faces.name) as progress:
        for batch in faces.batches(BATCH, limit):
            shown = batch if order is None else mirrored_faces(batch, order)
            logits, features = session.run(
                None, {session.get_inputs()[0].name: preprocess.batch(_crops(bundle, shown))}
            )
            assert batch.landmarks is not None, "crops were cut by them"
            count, before = len(batch.truth), sum(len(part.truth) for part in rows)
            unknown = np.full(count, -1, np.int8)
            truth = np.stack([unknown if column is None else batch.truth[:, column] for column in columns], 1)
            persons = before + np.arange(count) if batch.groups is None else batch.groups
            rest = np.zeros(count, bool) if batch.at_rest is None else batch.at_rest
            rows.append(NetworkFeatures(features, logits, truth, persons, rest, batch.landmarks))
            progress.update(count)
    if not rows:
        raise InputError(f"{faces.name} gave no face to run the network on")
    return NetworkFeatures(
        *(np.concatenate([getattr(part, field.name) for part in rows]) for field in fields(NetworkFeatures))
    )


def read_features(file: Path) -> NetworkFeatures:
    """Read what the command wrote.

    Raises:
        InputError: the file is missing, damaged, or something else.
    """
    names = [field.name for field in fields(NetworkFeatures)]
    try:
        arrays = read_npz(file, names)
    except NpzError as error:
        raise InputError(f"{file} holds no features ({error}); make it with {NAME}") from error
    found = NetworkFeatures(*(arrays[name] for name in names))
    return replace(found, features=found.features.astype(np.float32))


def main(argv: Sequence[str] | None = None) -> int:
    """The command; see ``--help``."""
    return run(NAME, _body, argv)


def _body(argv: Sequence[str] | None) -> int:
    parser = bundle_on_renders_parser(
        NAME,
        "Write the inputs of the last layer of a bundle's float network, and its logits, on labelled faces.",
        f"{NAME} light --data synth/ --split train --out features.npz",
    )
    parser.add_argument("--mirror", action="store_true", help="of the mirrored pictures")
    parser.add_argument("--out", type=Path, required=True, metavar="NPZ")
    options = parser.parse_args(argv)
    is_renders = (options.data / "dataset.json").is_file()
    faces = open_faces(options.data, options.split if is_renders else None)
    bundle = load_bundle(bundle_folder(options.bundle))
    found = network_features(bundle, faces, options.limit, mirror=options.mirror)
    content = io.BytesIO()
    arrays = {field.name: getattr(found, field.name) for field in fields(found)}
    # Eleven bits of a feature are as much as the network's own weights have.
    np.savez(content, **(arrays | {"features": found.features.astype(np.float16)}))
    write_whole(options.out, content.getvalue())
    print(f"{len(found.truth)} faces: {options.out}")
    return DONE


def _session(bundle: Bundle) -> onnxruntime.InferenceSession:
    """The float network, whose second output is what its last layer reads."""
    artifact = bundle.artifacts("onnxruntime/fp32")[0]
    graph = onnx.load(bundle.path(artifact.file))
    last = next((node for node in reversed(graph.graph.node) if node.op_type == "Gemm"), None)
    if last is None:
        raise UsageError(f"{artifact.file} of {bundle.directory} does not end in a linear layer")
    graph.graph.output.append(onnx.helper.make_tensor_value_info(last.input[0], onnx.TensorProto.FLOAT, None))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(
        graph.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _mirror_order(bundle: Bundle) -> NDArray[np.int64]:
    file = bundle.manifest.landmark_model
    sides = None if file is None else LandmarkModel.load(bundle.path(file)).sides
    if sides is None:
        raise UsageError(
            f"{bundle.directory} has no landmark model with sides, so its faces cannot be mirrored"
        )
    return sides.mirror


def _crops(bundle: Bundle, batch: FaceBatch) -> list[NDArray[np.uint8]]:
    alignment = bundle.manifest.alignment
    if batch.pictures is None or batch.landmarks is None:
        raise InputError("the network needs pictures and landmarks; these faces lack one of them")
    return [
        alignment.crop(picture, points)
        for picture, points in zip(batch.pictures, batch.landmarks, strict=True)
    ]


if __name__ == "__main__":
    sys.exit(main())
