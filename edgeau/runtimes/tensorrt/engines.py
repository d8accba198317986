"""From an artifact to an engine that runs: identity, cache, build and load put together."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgeau._system.atomic_file import write_whole
from edgeau._system.cache import cache_directory
from edgeau._system.file_digest import file_digest
from edgeau._system.json_text import parse_json
from edgeau.errors import EngineError, OutputError
from edgeau.runtimes.tensorrt.build import build_engine
from edgeau.runtimes.tensorrt.cache import EngineCache, EngineKey
from edgeau.runtimes.tensorrt.calibration import read_scales
from edgeau.runtimes.tensorrt.cuda import Cuda
from edgeau.runtimes.tensorrt.execution import LoadedEngine
from edgeau.runtimes.tensorrt.machine import Machine, this_machine
from edgeau.runtimes.tensorrt.module import import_tensorrt
from edgeau.runtimes.tensorrt.options import EngineOptions

__all__ = ["OpenedEngine", "open_engine_of", "remember_options", "remembered_options"]

_log = logging.getLogger("edgeau.runtimes.tensorrt")
_NAMES = (".onnx", ".engine", ".plan")


@dataclass(frozen=True)
class OpenedEngine:
    """An engine on the device, where it runs, and what it was built with."""

    engine: LoadedEngine
    machine: Machine
    options: EngineOptions


def open_engine_of(
    file: Path, options: EngineOptions, *, calibration: Path | None = None, cache: EngineCache | None = None
) -> OpenedEngine:
    """The engine of an artifact, from the cache where it is there, built otherwise.

    Args:
        file: ``.onnx``; or a serialized ``.engine`` / ``.plan``, which is loaded as it is.
        options: options of the build.
        calibration: a calibration cache file, for implicit INT8 of a network without Q/DQ (TensorRT 8 and 10).
        cache: where engines are kept; None takes the user's cache directory.

    Raises:
        DependencyError: TensorRT, cuda-python or the driver is not there.
        EngineError: the file cannot be read, or the engine not built or loaded.
    """
    if file.suffix not in _NAMES:
        raise EngineError(f"TensorRT opens {', '.join(_NAMES)} files, not {file.name}")
    content = _content(file)
    trt = import_tensorrt()
    cuda = Cuda()
    machine = this_machine(trt, cuda)
    scales = None if calibration is None else read_scales(calibration)
    if scales is not None:
        options = replace(options, calibration=hashlib.sha256(scales).hexdigest())

    def load(serialized: bytes) -> LoadedEngine:
        return LoadedEngine(trt, cuda, serialized, options)

    if file.suffix != ".onnx":
        return OpenedEngine(load(content), machine, options)
    key = EngineKey(file.name, hashlib.sha256(content).hexdigest(), machine, options)
    build = _builder_of(trt, file, content, machine, options, scales)
    return OpenedEngine((cache or EngineCache()).open(key, build, load), machine, options)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise EngineError(f"{file} cannot be read: {error.strerror or error}") from error


def _builder_of(
    trt: Any, file: Path, content: bytes, machine: Machine, options: EngineOptions, scales: bytes | None
) -> Callable[[], bytes]:
    timing = _timing_file(machine)

    def keep(content: bytes) -> None:
        try:
            if timing is not None:
                write_whole(timing, content)
        except OutputError as error:  # the next build takes longer, nothing else
            _log.info("%s", error)

    def build() -> bytes:
        known = timing.read_bytes() if timing is not None and timing.is_file() else b""
        return build_engine(trt, file, content, options, scales=scales, timing=known, keep_timing=keep)

    return build


def _timing_file(machine: Machine) -> Path | None:
    """The timing cache file of this machine: TensorRT itself would refuse another's, but only after it was read."""
    try:
        folder = cache_directory() / "tensorrt"
    except RuntimeError:
        return None
    name = hashlib.sha256(json.dumps(machine.to_dict(), sort_keys=True).encode()).hexdigest()[:16]
    return folder / f"timing-{name}.cache"


def remember_options(file: Path, options: EngineOptions) -> None:
    """Note the options that an artifact was finished with, so that later sessions ask for the same engine.

    Raises:
        OutputError: the cache directory cannot be written to.
    """
    write_whole(
        _options_file(file), json.dumps(replace(options, calibration=None).to_dict(), indent=2).encode()
    )


def remembered_options(file: Path) -> EngineOptions:
    """Those, or the defaults."""
    try:
        return EngineOptions(**parse_json(_options_file(file).read_bytes()))
    except (OSError, ValueError, TypeError, RuntimeError, EngineError):
        return EngineOptions()


def _options_file(file: Path) -> Path:
    digest = file_digest(file)[:16]
    return cache_directory() / "tensorrt" / digest / "options.json"
