"""The float network that a ``model.toml`` describes, as the standard graph and its reference answers."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper

from edgeau._system.first_line import first_line
from edgeau._system.install_lines import extra_line
from edgeau.bundle.manifest import Accuracy
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.errors import CalibrationError, CheckpointError, DependencyError, UsageError
from edgeau_calibration.graph.ort_session import open_model
from edgeau_export.quantization.face_crops import packaged_crops
from edgeau_export.quantization.quantized_graph import QuantizedGraph
from edgeau_export.source_network import contract
from edgeau_export.source_network.known_weights import KnownWeight, known_weights
from edgeau_export.source_network.model_file import COMPLETE, DescribedModel, read_model_file
from edgeau_export.source_network.network import Reference
from edgeau_export.source_network.onnx_graph import simplify_graph, with_metadata
from edgeau_export.source_network.standard_graph import (
    INPUT,
    GraphWish,
    network_inputs,
    open_onnx,
    select_output,
    standard_graph,
)
from edgeau_export.source_network.weight_parity import weight_faults

if TYPE_CHECKING:  # an ONNX file is exported without torch
    from edgeau_export.source_network.foreign_module import ForeignModule

__all__ = ["ModelFileSource"]

_ONNX_TOLERANCE = 1e-4
# Operator set that older files are run in for checks.
_RUNS = 17


class ModelFileSource:
    """A network from elsewhere, opened and checked.

    Args:
        file: its ``model.toml``.

    Raises:
        UsageError: the file says something that does not fit.
        CheckpointError: the network cannot be opened, or is not what the file says.
        DependencyError: torch is needed and not installed.
    """

    def __init__(self, file: Path) -> None:
        self._file = read_model_file(file)
        self._network = _open(self._file)
        self.taken = self._network.taken
        spec = self._file.input
        crops = packaged_crops(self._file.alignment)
        self._noise = contract.noise_for(spec)
        faces = None if crops is None else Preprocessor(spec).batch(crops).copy()
        if faces is not None and not self._file.uint8:
            contract.check_inputs(faces, spec, str(file))
        self._faces = self._noise if faces is None else faces
        self._probe = self._noise if faces is None else np.concatenate((faces, self._noise))
        self._probe_answers = self._network.answers(self._probe)
        contract.check_answers(
            self._probe_answers, self._file.labels, self._where, probabilities=self._file.probabilities
        )
        self.description = self._file.description(self._network.parameters)

    @property
    def float_accuracy(self) -> Accuracy | None:
        """A network from elsewhere does not carry one."""
        return None

    def int8(self, recipe: str) -> QuantizedGraph | None:  # noqa: ARG002 - as PackagedSource
        """A network from elsewhere does not carry one."""
        return None

    def graph(self, opset: int) -> onnx.ModelProto:
        """The standard graph, simplified, with metadata; it answers as the network does.

        Raises:
            CheckpointError: it cannot be made of this network.
        """
        file = self._file
        raw = self._network.raw_graph(file.input.shape, opset)
        standard = standard_graph(raw, self._network.wish(file, opset), self._where)
        contract.check_batches(standard, self._probe, self._where)
        own = self._probe_answers[: len(self._faces)]
        moved = self._faces if file.uint8 else contract.nudged(self._faces)
        contract.check_same(
            own,
            _run(standard, self._faces),
            self._where,
            probabilities=file.probabilities,
            half=self._network.half,
            own_error=float(np.abs(self._network.answers(moved) - own).max()),
        )
        self._standard = standard
        made = with_metadata(simplify_graph(standard), self.description)
        unfolded = self._network.without_folding(file.input.shape, opset)
        self._weights = known_weights(unfolded)
        if not weight_faults(made, self._weights).unknown:
            return made
        # An optimizer made tensors that nobody here can derive from the weights: the graph as it came holds them as they are.
        return with_metadata(
            standard_graph(unfolded, self._network.wish(file, opset), self._where), self.description
        )

    def reference(self, crops: NDArray[np.uint8] | None) -> Reference:
        """Run the network itself on faces, in float64 where it is a torch network.

        Args:
            crops: aligned faces, uint8 ``(n, H, W, 3)`` RGB, or None where there are none: noise stands in.
        """
        batch, inputs = self._noise, f"{len(self._noise)} random inputs"
        if crops is not None:
            batch = Preprocessor(self.description.input).batch(crops).copy()
            inputs = f"{len(crops)} face crops"
        reference = self._network.reference(batch, inputs, self._file, self._standard, self._noise)
        return replace(reference, weights=self._weights)

    @property
    def _where(self) -> str:
        return f"the network of {self._file.path.name}"

    @cached_property
    def _weights(self) -> list[KnownWeight]:  # set by graph()
        raise AssertionError("graph() was not asked for before reference()")

    @cached_property
    def _standard(self) -> onnx.ModelProto:  # set by graph(), which comes first
        raise AssertionError("graph() was not asked for before reference()")


class _Network(Protocol):
    """Interface of either kind of network."""

    taken: str
    half: bool

    @property
    def parameters(self) -> int: ...

    def answers(self, batch: NDArray[np.float32]) -> NDArray[np.floating[Any]]: ...

    def raw_graph(self, shape: tuple[int, int, int], opset: int) -> onnx.ModelProto: ...

    def without_folding(self, shape: tuple[int, int, int], opset: int) -> onnx.ModelProto: ...

    def wish(self, file: DescribedModel, opset: int) -> GraphWish: ...

    def reference(
        self,
        batch: NDArray[np.float32],
        inputs: str,
        file: DescribedModel,
        standard: onnx.ModelProto,
        noise: NDArray[np.float32],
    ) -> Reference: ...


class _Torch:
    """A torch module: its layout and dtype are adapted outside of it."""

    half = False

    def __init__(self, file: DescribedModel, module: ForeignModule) -> None:
        self._file = file
        self._module = module
        self.taken = module.taken
        self.parameters = module.parameters

    def answers(self, batch: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        own = np.ascontiguousarray(batch.transpose(0, 2, 3, 1)) if self._file.layout == "NHWC" else batch
        return self._module.answers(own)

    def raw_graph(self, shape: tuple[int, int, int], opset: int) -> onnx.ModelProto:
        try:
            return self._module.to_onnx(self._own(shape), opset)
        except Exception as error:  # the exporter raises as many kinds as networks have operators
            raise CheckpointError(
                f"the network of {self._file.path.name} cannot be written as ONNX by torch: "
                f"{first_line(error)}; export it to ONNX yourself and name that file as weights"
            ) from error

    def without_folding(self, shape: tuple[int, int, int], opset: int) -> onnx.ModelProto:
        return self._module.without_folding(self._own(shape), opset)

    def _own(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        channels, height, width = shape
        return (height, width, channels) if self._file.layout == "NHWC" else shape

    def wish(self, file: DescribedModel, opset: int) -> GraphWish:
        return GraphWish(file.input.shape, opset, file.layout, False, file.probabilities)

    def reference(
        self,
        batch: NDArray[np.float32],
        inputs: str,
        file: DescribedModel,
        standard: onnx.ModelProto,  # noqa: ARG002 - as _Onnx
        noise: NDArray[np.float32],
    ) -> Reference:
        single = contract.logits_from(self.answers(batch), probabilities=file.probabilities)
        try:
            double = contract.logits_from(
                self.answers(batch.astype(np.float64)), probabilities=file.probabilities
            )
        except CheckpointError:  # a module with float32 built into it: its own answers are the best there are
            return Reference("torch", inputs, batch, single.astype(np.float32), _ONNX_TOLERANCE, noise=noise)
        error = float(np.abs(single - double).max())
        return Reference(
            "torch in float64",
            inputs,
            batch,
            double.astype(np.float32),
            _ONNX_TOLERANCE,
            float32_error=error,
            noise=noise,
        )


class _Onnx:
    """An ONNX file, run as it is."""

    taken = "the whole ONNX file"

    def __init__(self, file: DescribedModel) -> None:
        self._file = file
        self._model = open_onnx(file.weights)
        have = max(item.version for item in self._model.opset_import)
        self._wish = self.wish(file, max(have, _RUNS))
        # Refuses what cannot be run at all before anything runs.
        standard_graph(self._model, self._wish, file.weights.name)
        self.half = network_inputs(self._model)[0].type.tensor_type.elem_type == TensorProto.FLOAT16 or any(
            item.data_type == TensorProto.FLOAT16 for item in self._model.graph.initializer
        )
        self.parameters = sum(
            int(np.prod(item.dims))
            for item in self._model.graph.initializer
            if item.data_type in (TensorProto.FLOAT, TensorProto.FLOAT16)
        )
        self._refuse_nan()

    def answers(self, batch: NDArray[np.float32]) -> NDArray[np.floating[Any]]:
        entry = network_inputs(self._model)[0]
        own: NDArray[Any] = batch.transpose(0, 2, 3, 1) if self._file.layout == "NHWC" else batch
        if self._file.uint8:
            own = np.clip(np.rint(own), 0, 255).astype(np.uint8)
        elif entry.type.tensor_type.elem_type == TensorProto.FLOAT16:
            own = own.astype(np.float16)
        names = [item.name for item in self._model.graph.output]
        output = self._file.output_name or names[0]
        try:
            session = open_model(self._model)
        except CalibrationError:
            # An operator that only another output needs: the standard form is without it.
            return _run(standard_graph(self._model, self._wish, self._file.weights.name), batch)
        size = entry.type.tensor_type.shape.dim[0].dim_value or 1
        pieces = []
        for start in range(0, len(own), size):
            piece = own[start : start + size]
            filled = np.concatenate((piece, np.repeat(piece[:1], size - len(piece), axis=0)))
            pieces.append(session.run([output], {entry.name: np.ascontiguousarray(filled)})[0][: len(piece)])
        answers: NDArray[np.float32] = np.concatenate(pieces).astype(np.float32)
        return answers

    def raw_graph(self, shape: tuple[int, int, int], opset: int) -> onnx.ModelProto:  # noqa: ARG002 - as _Torch
        return self._model

    def without_folding(self, shape: tuple[int, int, int], opset: int) -> onnx.ModelProto:  # noqa: ARG002 - as _Torch
        return select_output(self._model, self._file.output_name, self._file.weights.name)

    def wish(self, file: DescribedModel, opset: int) -> GraphWish:
        return GraphWish(
            file.input.shape, opset, file.layout, file.uint8, file.probabilities, file.output_name
        )

    def reference(
        self,
        batch: NDArray[np.float32],
        inputs: str,
        file: DescribedModel,  # noqa: ARG002 - as _Torch
        standard: onnx.ModelProto,
        noise: NDArray[np.float32],
    ) -> Reference:
        return Reference(
            f"the file {self._file.weights.name}",
            inputs,
            batch,
            _run(standard, batch),
            _ONNX_TOLERANCE,
            noise=noise,
        )

    def _values(self, item: TensorProto) -> NDArray[Any]:
        try:
            return numpy_helper.to_array(item)
        except (ValueError, TypeError) as error:
            raise CheckpointError(
                f"{self._file.weights.name}: the values of {item.name} are damaged ({error}); copy it again"
            ) from error

    def _refuse_nan(self) -> None:
        for item in self._model.graph.initializer:
            floating = item.data_type in (TensorProto.FLOAT, TensorProto.FLOAT16)
            if floating and np.isnan(self._values(item)).any():
                raise CheckpointError(
                    f"{self._file.weights.name}: {item.name} holds values that are not a number: training diverged"
                )


def _open(file: DescribedModel) -> _Network:
    suffix = file.weights.suffix
    if suffix == ".onnx":
        return _Onnx(file)
    if file.builder is None and suffix not in (*COMPLETE, ".pt", ".pth", ".ts"):
        raise UsageError(
            f'{file.path}: {file.weights.name} holds weights only; say builder = "file.py:function" that returns the module'
        )
    try:
        from edgeau_export.source_network.foreign_module import open_module
    except ImportError as error:
        raise DependencyError(
            f"a torch network needs {error.name}, which is not installed: {extra_line('export', 'train')}"
        ) from error
    if file.uint8:
        raise UsageError(
            f'{file.path}: dtype = "uint8" is for ONNX files; give a torch network float32 pixels and scale = 1'
        )
    return _Torch(file, open_module(file))


def _run(graph: onnx.ModelProto, batch: NDArray[np.float32]) -> NDArray[np.float32]:
    session = open_model(graph, optimized=False)
    return np.concatenate([session.run(None, {INPUT: batch[i : i + 1]})[0] for i in range(len(batch))])
