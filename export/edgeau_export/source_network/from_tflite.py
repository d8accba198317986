"""A ``.tflite`` file as the network itself: nothing is converted, so it is bundled as it is and runs in LiteRT only."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from edgeau.bundle.files import record_of
from edgeau.bundle.manifest import Accuracy, Artifact
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.errors import CheckpointError, UsageError
from edgeau.metrics import f1_scores, sigmoid
from edgeau.runtimes import open_session
from edgeau_export.converters.parity import run_artifact
from edgeau_export.profiling.from_tflite import profile_of_tflite
from edgeau_export.quantization.face_crops import packaged_crops
from edgeau_export.quantization.labelled_data import LabelledData, f1_by_label
from edgeau_export.source_network import contract
from edgeau_export.source_network.model_file import DescribedModel
from edgeau_export.source_network.tflite_facts import read_tflite_facts, refuse_what_cannot_run
from edgeau_export.targets.target import Target

__all__ = ["RUNTIME", "TfliteSource"]

RUNTIME = "litert"
_BATCH = 32


class TfliteSource:
    """A file from elsewhere, opened and checked against its ``model.toml``.

    Args:
        file: what the ``model.toml`` says.

    Raises:
        CheckpointError: the file cannot be read or run, or is not what its ``model.toml`` says.
        DependencyError: LiteRT is not installed.
    """

    taken = (
        "the .tflite file as it is: it runs in LiteRT, nothing else is made of it, nothing is calibrated, and thresholds are those "
        "of the model.toml"
    )

    def __init__(self, file: DescribedModel) -> None:
        self._file = file
        where = file.weights.name
        self._facts = read_tflite_facts(file.weights)
        refuse_what_cannot_run(self._facts, where)
        if file.output_name is not None and file.output_name != self._facts.outputs[0].name:
            raise CheckpointError(
                f"{where} has no output {file.output_name!r}; it has {self._facts.outputs[0].name}"
            )
        self._check(where)
        self.description = file.description(profile_of_tflite(file.weights).parameters)

    def artifact(self, directory: Path, board: Target, precisions: tuple[str, ...] | None) -> Artifact:
        """The file's place in a bundle.

        Args:
            directory: directory of the bundle.
            board: it must list LiteRT.
            precisions: asked for; None takes the file's.

        Raises:
            UsageError: the board runs no LiteRT file, or another precision was asked for.
        """
        precision = self._facts.precision
        listed = [item for item in board.artifact if item.runtime == RUNTIME]
        if not listed:
            raise UsageError(
                f"{self._file.weights.name} is a LiteRT file, and target {board.name} runs none; give the network that it was "
                "made from, or a target such as raspberrypi or android"
            )
        if precisions is not None and precision not in precisions:
            raise UsageError(
                f"{self._file.weights.name} is {precision}, but {', '.join(precisions)} was asked for; leave out --precision"
            )
        name = f"model.{precision}.tflite"
        shutil.copyfile(self._file.weights, directory / name)
        record = record_of(directory, name)
        return Artifact(
            file=name,
            runtime=RUNTIME,
            precision=precision,
            batch=self._facts.inputs[0].shape[0] or 1,
            bytes=record.bytes,
            sha256=record.sha256,
            thresholds=self.description.thresholds,
            answers="probabilities" if self._file.probabilities else "logits",
        )

    def accuracy(self, artifact: Artifact, directory: Path, labelled: LabelledData) -> Accuracy:
        """F1 at the thresholds of the ``model.toml``: they are not fitted again, since the file came with them."""
        faces, thresholds = labelled.test, self.description.in_order(self.description.thresholds)
        preprocess = Preprocessor(self.description.input).batch
        pieces = [
            run_artifact(
                RUNTIME,
                directory / artifact.file,
                preprocess(faces.crops[start : start + _BATCH]),
                probabilities=self._file.probabilities,
            )
            for start in range(0, len(faces), _BATCH)
        ]
        decided = sigmoid(np.concatenate([piece.values for piece in pieces])) >= thresholds
        f1 = f1_scores(decided, faces.present, faces.known)
        return Accuracy(
            data=f"{faces.source}; SHA-256 {faces.crops.digest[:16]}",
            count=len(faces),
            f1=f1_by_label(self.description.labels, f1),
            f1_mean=float(np.nanmean(f1)),
            engine=pieces[0].engine,
        )

    def _check(self, where: str) -> None:
        """Faces and noise through the file, against what its model.toml says."""
        file, (entry,) = self._file, self._facts.inputs
        channels, height, width = file.input.shape
        wanted = (channels, height, width) if file.layout == "NCHW" else (height, width, channels)
        if entry.shape[1:] != wanted:
            raise CheckpointError(
                f"{where} takes {entry}; its model.toml says {file.layout} {' x '.join(map(str, wanted))} after the batch"
            )
        crops, noise = packaged_crops(file.alignment), contract.noise_for(file.input)
        probe = noise
        if crops is not None:
            faces = Preprocessor(file.input).batch(crops).copy()
            if not file.uint8:
                contract.check_inputs(faces, file.input, str(file.path))
            probe = np.concatenate((faces, noise))
        with open_session(RUNTIME, file.weights) as session:
            answers = session.run(probe)
        contract.check_answers(
            answers, file.labels, f"the network of {file.path.name}", probabilities=file.probabilities
        )
