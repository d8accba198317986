"""Request to a converter, and its result.

A converter is a function ``convert(request: ConversionRequest) -> ConversionResult`` that writes ``request.file``; the table of
runtimes (:mod:`edgeau.runtimes.table`) names it. Each is imported when an artifact of its runtime is made, since each needs
packages of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import onnx

from edgeau.bundle.manifest import Accuracy, Compiled
from edgeau_export.source_network.network import NetworkDescription, Reference
from edgeau_export.targets.target import TargetArtifact

__all__ = ["ConversionRequest", "ConversionResult"]


@dataclass(frozen=True)
class ConversionRequest:
    """One artifact to make.

    Attributes:
        artifact: as the target has it.
        graph: float32 ONNX, or the Q/DQ graph of the artifact's recipe; with the artifact's batch size.
        file: to write. Further files of the runtime may be written beside it.
        description: description of the network.
        reference: what a float artifact will be compared with.
        source: the file of the bundle that the artifact is compiled from, where the target names one.
        accuracy: accuracy of the graph, measured in ONNX Runtime; None where nobody did.
        network_accuracy: the same of the network alone, where the bundle fuses.
    """

    artifact: TargetArtifact
    graph: onnx.ModelProto
    file: Path
    description: NetworkDescription
    reference: Reference
    source: Path | None = None
    accuracy: Accuracy | None = None
    network_accuracy: Accuracy | None = None


@dataclass(frozen=True)
class ConversionResult:
    """Properties of the file that was written.

    Attributes:
        tolerance: limit of the largest difference of a logit to the reference; None where the file is not meant to be equal.
        accuracy: accuracy of the request where it holds for the file as well; None where it does not.
        network_accuracy: the same of the network alone, where the bundle fuses.
        compiled: facts that the compiler says, of a file that was compiled for one device.
    """

    tolerance: float | None = None
    accuracy: Accuracy | None = None
    network_accuracy: Accuracy | None = None
    compiled: Compiled | None = None
