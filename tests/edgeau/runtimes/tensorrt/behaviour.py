"""Run in a process of its own: our code on a real module of TensorRT behind which there is nothing; answers as JSON."""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from edgeau.errors import EdgeauError
from edgeau.runtimes.tensorrt.build import build_engine
from edgeau.runtimes.tensorrt.calibration import make_calibrator
from edgeau.runtimes.tensorrt.execution import LoadedEngine
from edgeau.runtimes.tensorrt.generations import NetworkTraits, generation_of
from edgeau.runtimes.tensorrt.module import Messages, import_tensorrt, make_logger
from edgeau.runtimes.tensorrt.options import EngineOptions
from edgeau.runtimes.tensorrt.progress import make_progress_monitor


def refusal(call: Any) -> str:
    try:
        call()
    except EdgeauError as error:
        return f"{type(error).__name__}: {error}"
    return "no error"


def main() -> None:
    sys.setdlopenflags(os.RTLD_LAZY)
    sys.modules["tensorrt"] = import_module("tensorrt_bindings")
    trt = import_tensorrt()
    file = Path(sys.argv[1])
    generation = generation_of(trt)
    messages = Messages()
    logger = make_logger(trt, messages)
    logger.log(trt.ILogger.ERROR, "first")
    logger.log(trt.ILogger.WARNING, "not an error")
    logger.log(trt.ILogger.INTERNAL_ERROR, "second")
    answers: dict[str, Any] = {
        "generation": type(generation).__name__,
        "errors": messages.errors,
        "flags": generation.network_flags(EngineOptions(), NetworkTraits(quantized=True)),
        "flags for DLA": generation.network_flags(EngineOptions(dla_core=0), NetworkTraits(quantized=False)),
        "build": refusal(lambda: build_engine(trt, file, file.read_bytes(), EngineOptions())),
        "load": refusal(lambda: LoadedEngine(trt, None, b"engine", EngineOptions())),
    }
    if hasattr(trt, "IInt8EntropyCalibrator2"):
        answers["calibration"] = make_calibrator(trt, b"input: 3c010a14\n").read_calibration_cache().decode()
    else:
        answers["calibration"] = refusal(lambda: generation.set_calibration(None, b""))
    if hasattr(trt, "IProgressMonitor"):
        monitor = make_progress_monitor(trt)
        monitor.phase_start("building", None, 3)
        answers["goes on"] = monitor.step_complete("building", 0)
        monitor.phase_finish("building")
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
