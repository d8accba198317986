"""Opening a ``.tflite`` file in whichever LiteRT package this machine has.

``ai-edge-litert`` is the current one; ``tflite-runtime`` ended at 2.14, and is what older and 32-bit boards have.
"""

from __future__ import annotations

import logging
import platform
import re
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from edgeau._system.first_line import first_line
from edgeau._system.install_lines import LINES, NUMPY_1, extra_line
from edgeau._system.native_stderr import has_dropped, native_lines_dropped
from edgeau.errors import DependencyError, EngineError
from edgeau.runtimes.tflite_file import check_tflite

__all__ = ["PACKAGES", "LiteRT", "OpenedModel", "install_advice", "interpreter", "litert"]

_log = logging.getLogger(__name__)

# Written to stderr once a process, by the first model that XNNPACK runs.
_GREETING = re.compile(rb"INFO: Created TensorFlow Lite XNNPACK delegate for CPU\.")

# Distribution -> module, in the order in which they are tried.
PACKAGES = {
    "ai-edge-litert": "ai_edge_litert.interpreter",
    "tflite-runtime": "tflite_runtime.interpreter",
}


@dataclass(frozen=True)
class LiteRT:
    """An installed LiteRT: its distribution, version, and ``Interpreter`` class."""

    package: str
    version: str
    interpreter_class: Any


class OpenedModel(NamedTuple):
    """An interpreter whose tensors are allocated, and which package it comes from."""

    interpreter: Any
    package: str
    version: str


def litert() -> LiteRT:
    """The first of :data:`PACKAGES` that can be imported; a warning of ``logging`` says when one is installed but broken.

    Raises:
        DependencyError: there is none; the message has the install command for this Python and processor.
    """
    faults = []
    for name, module in PACKAGES.items():
        if not _is_installed(module):
            continue
        try:
            _check_numpy(name)
            return LiteRT(name, _version(name), import_module(module).Interpreter)
        except (ImportError, AttributeError) as error:
            faults.append(f"{name} is installed but cannot be imported ({first_line(error)})")
            _log.warning("%s", faults[-1])
    what = "; ".join(faults) or f"{' or '.join(PACKAGES)} is not installed"
    raise DependencyError(f".tflite files need LiteRT: {what}; {install_advice()}")


def interpreter(
    model: Path | bytes, threads: int, name: str | None = None, *, checked: bool = False
) -> OpenedModel:
    """Open a model and allocate its tensors; the kernels of XNNPACK are used where the file allows.

    Args:
        model: a ``.tflite`` file, or its content.
        threads: that one inference may use, 1 or more.
        name: of the file, for messages; None takes that of the path.
        checked: whether :func:`edgeau.runtimes.tflite_file.check_tflite` has accepted the file, or the file of which this is a part.

    Raises:
        DependencyError: no LiteRT is installed.
        EngineError: the file is missing, is no ``.tflite``, is damaged, or needs what this LiteRT does not have.
    """
    runtime = litert()
    name = name or (model.name if isinstance(model, Path) else "the model")
    if not checked:
        check_tflite(model, name)
    given = {"model_path": str(model)} if isinstance(model, Path) else {"model_content": model}
    try:
        with _without_greeting():
            opened = runtime.interpreter_class(**given, num_threads=threads)
            opened.allocate_tensors()
    except (ValueError, RuntimeError, OSError) as error:
        raise EngineError(
            f"{runtime.package} {runtime.version} refuses {name}: {first_line(error)}"
        ) from error
    return OpenedModel(opened, runtime.package, runtime.version)


def _without_greeting() -> AbstractContextManager[None]:
    return nullcontext() if has_dropped(_GREETING) else native_lines_dropped(_GREETING)


def _check_numpy(package: str) -> None:
    """The last tflite-runtime was built for numpy 1; numpy 2 would print a page of advice to programmers before it refuses."""
    if (
        package == "tflite-runtime"
        and _version(package).startswith("2.")
        and int(np.__version__.split(".")[0]) > 1
    ):
        raise ImportError(f"it was built for numpy 1, and this is numpy {np.__version__}: {NUMPY_1}")


def install_advice(
    system: str | None = None, machine: str | None = None, python: tuple[int, int] | None = None
) -> str:
    """The install command that exists for a machine.

    Args:
        system: as :func:`platform.system` says it; None takes this machine's.
        machine: as :func:`platform.machine` says it; None takes this machine's.
        python: major and minor version; None takes the running one.
    """
    system = platform.system() if system is None else system
    machine = platform.machine() if machine is None else machine
    python = sys.version_info[:2] if python is None else python
    # Asked of the package index: ai-edge-litert 2.3 has wheels for these from Python 3.10 to 3.14, and no source.
    if (system, machine) in _HAS_AI_EDGE_LITERT and (3, 10) <= python <= (3, 14):
        return extra_line("litert")
    if (system, machine) == ("Linux", "armv7l") and python <= (3, 11):
        return LINES["tflite-runtime"]
    here = f"Python {python[0]}.{python[1]} on {system} {machine}"
    return f"no LiteRT exists for {here}; use the bundle's .onnx files: {extra_line('onnxruntime')}"


_HAS_AI_EDGE_LITERT = {
    ("Linux", "x86_64"),
    ("Linux", "aarch64"),
    ("Darwin", "arm64"),
    ("Windows", "AMD64"),
}


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module.split(".", maxsplit=1)[0]) is not None
    except (ImportError, ValueError):  # something stands in its place that is not a package
        return False


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:  # nightly builds and some distributions name it otherwise
        return "of unknown version"
