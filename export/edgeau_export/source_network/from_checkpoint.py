"""The float network from a checkpoint: needs torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from numpy.typing import NDArray

from edgeau._system.file_digest import file_digest
from edgeau._system.install_lines import extra_line
from edgeau._system.records import from_dict
from edgeau.bundle.manifest import Accuracy, InputSpec, NetworkInfo
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.bundle.provenance import Provenance
from edgeau.errors import CheckpointError, DependencyError, RecordError
from edgeau.faces.alignment import Alignment
from edgeau_export.quantization.quantized_graph import QuantizedGraph
from edgeau_export.source_network.known_weights import KnownWeight, known_weights
from edgeau_export.source_network.network import NetworkDescription, Reference
from edgeau_export.source_network.onnx_graph import simplify_graph, with_metadata

if TYPE_CHECKING:  # the default is exported without torch
    from edgeau_export.source_network.onnx_from_network import TorchModel

__all__ = ["TOLERANCE", "CheckpointSource"]

# On the logits. Exports of the networks here came within 2e-5; a wrong operator is off by far more.
TOLERANCE = 1e-4
_RANDOM_INPUTS = 8
_BATCH = 8


class CheckpointSource:
    """A checkpoint, opened: what it says, its graph, and its answers.

    Args:
        checkpoint: a ``.safetensors`` file.

    Raises:
        CheckpointError: missing, damaged, a pickle, or not matching its own metadata.
        DependencyError: torch or another package that training uses is not installed.
    """

    def __init__(self, checkpoint: Path) -> None:
        self._model = _load(checkpoint)
        self.description = _describe(checkpoint, self._model)
        self._weights: list[KnownWeight] | None = None  # with the graph

    @property
    def float_accuracy(self) -> Accuracy | None:
        """A checkpoint does not carry one."""
        return None

    def int8(self, recipe: str) -> QuantizedGraph | None:  # noqa: ARG002 - as PackagedSource
        """A checkpoint does not carry one."""
        return None

    def graph(self, opset: int) -> onnx.ModelProto:
        """The float graph with a dynamic batch, simplified, with metadata."""
        size = self.description.input.size
        self._weights = known_weights(self._model.without_folding(size, opset))
        return with_metadata(simplify_graph(self._model.to_onnx(size, opset)), self.description)

    def reference(self, crops: NDArray[np.uint8] | None) -> Reference:
        """Run torch in float64 on real faces; random inputs stand in where there are none, and must be finite.

        Args:
            crops: aligned faces, uint8 ``(n, S, S, 3)`` RGB, or None where there are none.
        """
        shape = (_RANDOM_INPUTS, *self.description.input.shape)
        noise = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
        batch, inputs = noise, f"{_RANDOM_INPUTS} random inputs"
        if crops is not None:
            batch = Preprocessor(self.description.input).batch(crops).copy()
            inputs = f"{len(crops)} face crops"
        single = self._model.logits(_pieces(batch))
        try:
            double = self._model.logits(_pieces(batch.astype(np.float64)))
        except RuntimeError:  # a network with float32 built into it: its own answers are the best there are
            return Reference(
                "torch",
                inputs,
                batch,
                single.astype(np.float32),
                TOLERANCE,
                noise=noise,
                weights=self._weights,
            )
        return Reference(
            "torch in float64",
            inputs,
            batch,
            double.astype(np.float32),
            TOLERANCE,
            float32_error=float(np.abs(single - double).max()),
            noise=noise,
            weights=self._weights,
        )


def _pieces(batch: NDArray[np.floating[Any]]) -> Iterator[NDArray[np.floating[Any]]]:
    return (batch[start : start + _BATCH] for start in range(0, len(batch), _BATCH))


def _load(checkpoint: Path) -> TorchModel:
    try:
        from edgeau_export.source_network.onnx_from_network import load_torch_model
    except ImportError as error:
        raise DependencyError(
            f"exporting a checkpoint needs {error.name}, which is not installed: {extra_line('export', 'train')}; "
            "without --model the packaged default is exported, which needs neither"
        ) from error
    return load_torch_model(checkpoint)


def _describe(checkpoint: Path, model: TorchModel) -> NetworkDescription:
    info = model.info
    try:
        spec = from_dict(InputSpec, info.input, "input")
        alignment = Alignment.from_dict(info.alignment)
    except RecordError as error:
        raise CheckpointError(
            f"{checkpoint}: its metadata does not say what the network wants: {error}"
        ) from error
    return NetworkDescription(
        network=NetworkInfo(
            name=info.network,
            title=_title(info.network, info.options),
            options=dict(info.options),
            parameters=model.parameters,
            trained=info.trained,
            training=info.training,
            provenance=replace(info.provenance or Provenance(), weights=file_digest(checkpoint)),
        ),
        labels=info.labels,
        input=spec,
        alignment=alignment,
        thresholds={label: info.thresholds.get(label, 0.5) for label in info.labels},
        licences=info.licences,
    )


def _title(network: str, options: dict[str, Any]) -> str:
    """Word the title; a reconstruction says that it is one."""
    from edgeau_training.networks.catalogue import network_facts

    return network_facts(network, **options).title
