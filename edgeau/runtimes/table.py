"""The table of runtimes: one row says all that edgeau must know of an inference engine.

Everything that lists engines reads this table: sessions, converters, checks of targets and manifests, parity, the doctor, the
bench, caches and the docs. A row of another package joins through an entry point of the group ``edgeau.runtimes`` whose
object is a :class:`Runtime`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from types import MappingProxyType
from typing import Literal

from edgeau._system.install_lines import extra_line, pip_line
from edgeau._system.tool_environment import TOOLS, tool_versions
from edgeau.errors import EngineError

__all__ = ["ENTRY_POINTS", "Runtime", "engine_versions", "runtime_named", "runtimes"]

ENTRY_POINTS = "edgeau.runtimes"


@dataclass(frozen=True)
class Runtime:
    """One inference engine.

    Attributes:
        name: as it stands in targets, manifests and options.
        title: for people.
        session: ``"module:Class"`` of its :class:`edgeau.runtimes.session.Session`; the constructor takes
            ``(file, *, threads, provider)``. A function that refuses where only a board runs the files.
        converter: ``"module:function"`` that makes its artifacts when a bundle is exported; see
            :mod:`edgeau_export.converters.conversion`.
        suffix: suffix of its artifacts' file names.
        precisions: that it runs, by name.
        distributions: Python packages that bring the engine; their versions are part of every cache key.
        modules: what those packages are imported as, in the order in which to try them.
        install: how a user gets it: a requirement for pip such as ``"edgeau[litert]"``, or a sentence where pip has none.
        from_pip: whether ``install`` is such a requirement.
        batch_sizes: batch sizes of its artifacts: ``"any"`` (dynamic, or fixed where a target says so), ``"fixed"`` (a target must name
            the size) or ``"one"`` (always 1, which a target names too).
        opsets: oldest and newest ONNX operator set of the graphs that its artifacts may be made from: what the oldest release
            that edgeau allows reads.
        opens_those_of: other runtimes whose artifacts it opens as they are, so that where it is installed a bundle need not
            have files of its own for it.
        measured_by: the runtime that computes parity on the exporting machine; another one where the engine itself exists
            only on the board.
        tool: the environment of its own that its compiler or engine lives in, of
            :data:`edgeau._system.tool_environment.TOOLS`; empty where it shares edgeau's.
        devices: what its files can be compiled for, where a file is compiled for one device.
        simulator: ``"module:Class"`` of the session that stands for the device on the exporting machine. It takes
            ``(source, *, device)``: the file that the artifact was compiled from. Empty where the artifact itself runs there.
    """

    name: str
    title: str
    session: str
    converter: str
    suffix: str
    precisions: tuple[str, ...]
    distributions: tuple[str, ...]
    modules: tuple[str, ...]
    install: str
    from_pip: bool = True
    batch_sizes: Literal["any", "fixed", "one"] = "any"
    opsets: tuple[int, int] = (9, 20)
    opens_those_of: tuple[str, ...] = ()
    measured_by: str = ""
    tool: str = ""
    devices: tuple[str, ...] = ()
    simulator: str = ""

    @property
    def measuring_name(self) -> str:
        """The name of the runtime that computes parity where a bundle is made."""
        return self.measured_by or self.name

    @property
    def install_line(self) -> str:
        """Instruction for getting it, for messages."""
        if self.tool:
            return TOOLS[self.tool].make_line
        return pip_line(self.install) if self.from_pip else self.install

    @property
    def is_installed(self) -> bool:
        """True where one of its modules, or the environment of its tool, is there; nothing is imported."""
        return any(find_spec(module) is not None for module in self.modules) or bool(self.installed())

    def installed(self) -> dict[str, str]:
        """Version of each of its distributions that is installed; asked of their metadata, nothing is imported."""
        if self.tool:
            return tool_versions(self.tool)
        versions = ((name, _version(name)) for name in self.distributions)
        return {name: version for name, version in versions if version is not None}


_ROWS = (
    Runtime(
        name="litert",
        title="LiteRT",
        session="edgeau.runtimes.litert:LiteRTSession",
        converter="edgeau_export.converters.litert:convert",
        suffix=".tflite",
        precisions=("fp32", "fp16", "dynamic", "int8", "w8a16"),
        distributions=("ai-edge-litert", "tflite-runtime"),
        modules=("ai_edge_litert", "tflite_runtime"),
        install="edgeau[litert]",
        batch_sizes="one",
        opsets=(10, 20),
    ),
    Runtime(
        name="onnxruntime",
        title="ONNX Runtime",
        session="edgeau.runtimes.onnxruntime:OnnxRuntimeSession",
        converter="edgeau_export.converters.onnxruntime:convert",
        suffix=".onnx",
        precisions=("fp32", "int8"),
        distributions=("onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino", "onnxruntime-qnn"),
        modules=("onnxruntime",),
        install="edgeau[onnxruntime]",
    ),
    Runtime(
        name="openvino",
        title="OpenVINO",
        session="edgeau.runtimes.openvino:OpenVinoSession",
        converter="edgeau_export.converters.onnxruntime:convert",
        suffix=".onnx",
        precisions=("fp32", "int8"),
        distributions=("openvino",),
        modules=("openvino",),
        install="edgeau[openvino]",
        opens_those_of=("onnxruntime",),
    ),
    Runtime(
        name="tensorrt",
        title="TensorRT",
        session="edgeau.runtimes.tensorrt.session:TensorRtSession",
        converter="edgeau_export.converters.tensorrt.convert:convert",
        suffix=".onnx",
        precisions=("fp16", "int8"),
        distributions=("tensorrt",),
        modules=("tensorrt",),
        install=f"TensorRT comes with JetPack (sudo apt install python3-libnvinfer); then {extra_line('tensorrt')}",
        from_pip=False,
        batch_sizes="fixed",
        # 8.5 "supports operators up to Opset 17" (onnx-tensorrt, release/8.5-GA, docs/operators.md).
        opsets=(9, 17),
        # Engines are built on the board; what they are built from runs in ONNX Runtime.
        measured_by="onnxruntime",
    ),
    Runtime(
        name="executorch",
        title="ExecuTorch",
        session="edgeau_export.tools.executorch_session:ExecuTorchSession",
        converter="edgeau_export.converters.executorch:convert",
        suffix=".pte",
        precisions=("fp32", "int8"),
        distributions=(),
        modules=(),
        install="",
        batch_sizes="one",
        tool="executorch",
    ),
    Runtime(
        name="rknn",
        title="Rockchip NPU",
        session="edgeau.runtimes.board_only:refuse",
        converter="edgeau_export.converters.rknn:convert",
        suffix=".rknn",
        precisions=("fp16", "int8"),
        distributions=(),
        modules=(),
        install="",
        batch_sizes="one",
        # RKNN-Toolkit2 2.5 "onnx model only support opset_version <= 19" (its own refusal).
        opsets=(12, 19),
        tool="rknn",
        devices=("rk3588", "rk3576", "rk3566"),
        simulator="edgeau_export.tools.rknn_simulator:RknnSimulator",
    ),
    Runtime(
        name="ethos-u",
        title="Arm Ethos-U",
        session="edgeau.runtimes.board_only:refuse",
        converter="edgeau_export.converters.ethos_u:convert",
        suffix=".tflite",
        precisions=("int8",),
        distributions=(),
        modules=(),
        install="",
        batch_sizes="one",
        opsets=(10, 20),
        tool="vela",
        devices=(
            "ethos-u55-128",
            "ethos-u55-256",
            "ethos-u65-256",
            "ethos-u65-512",
            "ethos-u85-256",
            "ethos-u85-512",
        ),
        simulator="edgeau_export.tools.reference_kernels:ReferenceKernels",
    ),
)


@cache
def runtimes() -> Mapping[str, Runtime]:
    """Every runtime by name: edgeau's own, then those of installed packages.

    Raises:
        EngineError: an entry point cannot be loaded, is no :class:`Runtime`, or takes a name that is taken.
    """
    table = {row.name: row for row in _ROWS}
    for entry in metadata.entry_points(group=ENTRY_POINTS):
        row = _loaded(entry)
        if row.name in table:
            raise EngineError(
                f"entry point {entry.value} adds the runtime {row.name!r}, which exists already"
            )
        table[row.name] = row
    return MappingProxyType(table)


def runtime_named(name: str) -> Runtime:
    """A runtime by its name.

    Raises:
        EngineError: there is none of that name; those that exist are listed.
    """
    if name not in runtimes():
        raise EngineError(f"this edgeau has no engine {name!r}; it has {', '.join(runtimes())}")
    return runtimes()[name]


def engine_versions() -> dict[str, str]:
    """Version of every installed engine by the name of its distribution."""
    return {name: version for row in runtimes().values() for name, version in row.installed().items()}


def _loaded(entry: metadata.EntryPoint) -> Runtime:
    try:
        row = entry.load()
    except Exception as error:  # a module of somebody else's: it may do anything when it is imported
        raise EngineError(
            f"entry point {entry.value} of the group {ENTRY_POINTS} cannot be loaded ({error}); "
            "repair or uninstall the package that adds it"
        ) from error
    if not isinstance(row, Runtime):
        raise EngineError(
            f"entry point {entry.value} is not an edgeau.runtimes.table.Runtime but a {type(row).__name__}"
        )
    return row


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
