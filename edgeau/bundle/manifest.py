"""``manifest.json``: everything that a device must know about a bundle, and nothing that it must guess.

Each record is a frozen dataclass; ``to_dict`` and ``from_dict`` are symmetric (:mod:`edgeau._system.records`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from edgeau._system.records import from_dict, to_dict
from edgeau.bundle.provenance import Provenance
from edgeau.errors import BundleError, RecordError
from edgeau.faces.alignment import Alignment

__all__ = [
    "SCHEMA_VERSION",
    "Accuracy",
    "Artifact",
    "Calibration",
    "Compiled",
    "FileRecord",
    "Fusion",
    "InputSpec",
    "LandmarkNetworks",
    "Manifest",
    "Measured",
    "NetworkInfo",
    "Parity",
    "Pending",
]

# 1 did not say what computed a figure (no ``engine`` in Parity and Accuracy), 2 nothing of accelerators (no ``compiled`` in
# Artifact); both are still read.
SCHEMA_VERSION = 3


@dataclass(frozen=True)
class FileRecord:
    """A file of the bundle: path relative to it, size in bytes, SHA-256 in hex."""

    file: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class InputSpec:
    """The network's input: size, colours, normalisation.

    ``normalised = (x / 255 - mean) / std`` per channel, in the order of ``color`` (``"RGB"``, ``"BGR"``, or ``"GRAY"`` for one
    channel: OpenCV's weights of RGB); ``size`` is height, width in pixels.
    """

    layout: str = "NCHW"
    size: tuple[int, int] = (224, 224)
    color: str = "RGB"
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)

    @property
    def grey(self) -> bool:
        """True where the network sees one channel."""
        return self.color == "GRAY"

    @property
    def channels(self) -> int:
        """1 or 3."""
        return 1 if self.grey else 3

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of one normalised crop: channels, height, width."""
        return (self.channels, *self.size)


@dataclass(frozen=True)
class NetworkInfo:
    """The network of a bundle.

    Attributes:
        name: name in the zoo, such as ``"mrpnet"``.
        title: for people; says when a network is a reconstruction.
        options: what the network was built with.
        parameters: trainable scalars.
        trained: False for seeded weights that saw no data; everything that shows results then says so.
        training: one sentence on what it was trained on.
        provenance: file, data and recipe behind the weights; None where nobody recorded it.
    """

    name: str
    title: str
    options: dict[str, Any]
    parameters: int
    trained: bool
    training: str
    provenance: Provenance | None = None


@dataclass(frozen=True)
class Parity:
    """Distance of an artifact's logits from those of the float network in torch (or, in a bundle made from ONNX, from that).

    Attributes:
        reference: what it was compared with: ``"torch"`` or a file of the bundle.
        max_abs_logit: largest absolute difference of logits.
        mean_abs_logit: mean absolute difference of logits.
        decision_flips: share of AU decisions that differ, 0..1.
        inputs: number of inputs compared, and what they were.
        count: how many inputs.
        tolerance: the gate on ``max_abs_logit``; None where the artifact is not meant to be equal (INT8).
        engine: that gave the artifact's answers, with version and provider, such as
            ``"ONNX Runtime 1.31.1, CPUExecutionProvider"``; it need not be the artifact's runtime, since TensorRT runs on
            the board only. None in bundles of schema version 1.
        float32_error: largest difference of a logit between the network's own answers in float32 and in float64, on the same
            inputs: what float32 itself promises, which the gate is scaled to. None where nobody measured it.
    """

    reference: str
    max_abs_logit: float
    mean_abs_logit: float
    decision_flips: float
    inputs: str
    count: int
    tolerance: float | None = None
    engine: str | None = None
    float32_error: float | None = None


@dataclass(frozen=True)
class Accuracy:
    """Measured on labelled faces.

    Attributes:
        data: which data and split, with its digest.
        count: number of faces.
        f1: per label, at the artifact's thresholds; None where an AU had no positive.
        f1_mean: mean over the labels that have one.
        f1_drop_mean: float F1 mean minus this; 0 for the float artifact itself; None when no float figure exists.
        f1_drop_max: largest drop of one AU.
        engine: that gave the answers, as :attr:`Parity.engine`; None where nobody recorded it.
    """

    data: str
    count: int
    f1: dict[str, float | None]
    f1_mean: float
    f1_drop_mean: float | None = None
    f1_drop_max: float | None = None
    engine: str | None = None


@dataclass(frozen=True)
class Calibration:
    """Source of the ranges of an INT8 artifact.

    Digest of the crops, how many, where from, which recipe, and by which rule the crops were chosen.
    """

    digest: str
    count: int
    source: str
    recipe: str
    rule: str = ""


@dataclass(frozen=True)
class Compiled:
    """Facts that a compiler says of the file that it made for one device: computed by it, not measured on the device.

    Attributes:
        compiler: with its version, such as ``"ethos-u-vela 5.2.0"``.
        device: that the file is for, such as ``"ethos-u55-256"``; ``"any"`` where it is for every processor.
        source: the file of the bundle that it was compiled from, or None.
        operators: of the compiled network; None where the compiler does not say.
        on_accelerator: of those, how many the accelerator runs; the others run on the processor beside it.
        sram_bytes: fast memory of the device that one inference needs.
        flash_bytes: memory for weights and commands that is only read.
        cycles: of the accelerator, for one face; an estimate.
        estimated_ms: time of one face at the clock that the compiler assumes; an estimate.
        assumptions: what the compiler assumed of the device: clock, memories.
    """

    compiler: str
    device: str
    source: str | None = None
    operators: int | None = None
    on_accelerator: int | None = None
    sram_bytes: int | None = None
    flash_bytes: int | None = None
    cycles: int | None = None
    estimated_ms: float | None = None
    assumptions: str = ""


@dataclass(frozen=True)
class Artifact:
    """One runnable form of the network.

    Attributes:
        file: path in the bundle.
        runtime: name of an engine, see :mod:`edgeau.runtimes.table`.
        precision: ``"fp32"``, ``"fp16"``, ``"dynamic"`` (int8 weights, float activations), ``"int8"``, or ``"w8a16"`` (int8
            weights, int16 activations).
        batch: fixed batch size, or None for a dynamic one.
        bytes: size of the file.
        sha256: SHA-256 of the file, hex.
        thresholds: decision threshold on the network's own probability per label, fitted for this artifact.
        fused_thresholds: the same on the fused probability; None where nothing is fused, or fused with ``thresholds``.
        network_accuracy: accuracy of the network alone where the bundle fuses, which hides a part of what INT8 costs.
        answers: ``"logits"``, or ``"probabilities"`` of a file that was made elsewhere.
        compiled: of a file that was compiled for one device; None elsewhere.
        parity: against the reference; None when it could not be run here.
        accuracy: as a device runs it, fused where the bundle fuses; None when no labelled data was there.
        calibration: None for float artifacts.
    """

    file: str
    runtime: str
    precision: str
    batch: int | None
    bytes: int
    sha256: str
    thresholds: dict[str, float]
    parity: Parity | None = None
    accuracy: Accuracy | None = None
    calibration: Calibration | None = None
    fused_thresholds: dict[str, float] | None = None
    network_accuracy: Accuracy | None = None
    answers: str = "logits"
    compiled: Compiled | None = None


@dataclass(frozen=True)
class Fusion:
    """Combination of network and landmark logits: ``network * z_net + landmark * z_lmk + bias`` per label.

    Attributes:
        network: weights of the network's logits, 0 or more.
        landmark: weights of the landmark model's logits, 0 or more.
        bias: added.
        rest: network logits of faces at rest, mean of many people: what a person's own are compared with once their neutral
            face is known. None in bundles that do not say it; a neutral face moves the landmarks alone there.
    """

    network: dict[str, float]
    landmark: dict[str, float]
    bias: dict[str, float]
    rest: dict[str, float] | None = None


@dataclass(frozen=True)
class LandmarkNetworks:
    """MediaPipe's face networks that travel in the bundle; their digests stand under ``files``.

    Attributes:
        detector: file that finds faces, path in the bundle.
        mesh: file that places the points of one, in the same folder.
        points: how many points a face gets, 468 or 478.
        source: what they were taken from.
        licence: theirs, such as ``"Apache-2.0"``.
        notice: file with their notice and the text of the licence, path in the bundle.
    """

    detector: str
    mesh: str
    points: int
    source: str
    licence: str
    notice: str


@dataclass(frozen=True)
class Pending:
    """A stage that could not run where the bundle was made, and the command that finishes it where it can."""

    stage: str
    reason: str
    command: str


@dataclass(frozen=True)
class Measured:
    """Figures of an artifact on the machine where the bundle was finished.

    Attributes:
        file: file of the artifact.
        engine: that ran it, with its version and device.
        machine: what the engine is tied to.
        latency_ms: latency of one face, milliseconds; None where it did not run.
        count: labelled samples of the bundle that it was measured on.
        max_abs_logit: largest difference of a logit to what the artifact answered where the bundle was made.
        decision_flips: share of AU decisions that differ from those, 0..1.
        f1_mean: on the samples, mean over the AUs that occur in them; None without samples.
        f1_drop_mean: F1 mean of the float network, where the bundle was made, minus this.
        fault: why the artifact is not used on this machine; None where it may be.
    """

    file: str
    engine: str
    machine: dict[str, str]
    latency_ms: float | None = None
    count: int = 0
    max_abs_logit: float | None = None
    decision_flips: float | None = None
    f1_mean: float | None = None
    f1_drop_mean: float | None = None
    fault: str | None = None


@dataclass(frozen=True)
class Manifest:
    """The whole manifest.

    Attributes:
        schema_version: version of this file format.
        edgeau_version: that wrote it.
        target: board name the bundle was made for.
        network: which network.
        labels: AU labels in output order.
        experimental: labels without evidence on real faces; hidden unless asked for.
        input: what the network wants.
        alignment: the crop template.
        artifacts: in the order in which a device should try them.
        golden: ``.npz`` with crops and the answers every artifact gave; see :mod:`edgeau.bundle.golden`.
        landmark_model: ``.npz`` of the landmark model, or None.
        fusion: how the two are combined; None when the network stands alone.
        landmarks: networks that find faces and their landmarks; None where the device brings its own.
        pending: stages that wait for another machine.
        measured: what the artifacts did on the machine that finished those stages.
        left_out: artifacts of the target that could not be made of this network, and why, by file.
        licences: licence of the weights and notices they carry.
        files: every file of the bundle but the manifest.
        tools: versions of what made it.
    """

    edgeau_version: str
    target: str
    network: NetworkInfo
    labels: tuple[str, ...]
    input: InputSpec
    alignment: Alignment
    artifacts: tuple[Artifact, ...]
    golden: str
    files: tuple[FileRecord, ...]
    experimental: tuple[str, ...] = ()
    landmark_model: str | None = None
    fusion: Fusion | None = None
    landmarks: LandmarkNetworks | None = None
    pending: tuple[Pending, ...] = ()
    measured: tuple[Measured, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)
    licences: tuple[str, ...] = ()
    tools: dict[str, str] = field(default_factory=dict)
    schema_version: int = SCHEMA_VERSION

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain JSON values."""
        values: dict[str, Any] = to_dict(self)
        return values

    @classmethod
    def from_dict(cls, values: Any, where: str = "manifest.json") -> Manifest:
        """The inverse of :meth:`to_dict`.

        Raises:
            BundleError: a newer schema, or a field that is missing, unknown or of the wrong type; the message names
                ``where`` and the field.
        """
        version = values.get("schema_version") if isinstance(values, dict) else None
        if isinstance(version, int) and version > SCHEMA_VERSION:
            raise BundleError(
                f"{where} has schema version {version}, this edgeau reads up to {SCHEMA_VERSION}; "
                "upgrade edgeau on this machine or export the bundle again with this version"
            )
        try:
            return from_dict(cls, values, where)
        except RecordError as error:
            raise BundleError(
                f"{error}; the file is damaged or was edited, export the bundle again"
            ) from error
