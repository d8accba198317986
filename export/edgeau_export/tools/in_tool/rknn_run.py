"""Builds an ONNX file for a Rockchip NPU, exports it, and runs it in RKNN-Toolkit2's simulator."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from answering import answer_all
from rknn.api import RKNN

_open: dict[str, Any] = {}


def _answer(question: dict[str, Any]) -> dict[str, float]:
    if "build" in question:
        return _build(question)
    if "export" in question:
        _must(_open["rknn"].export_rknn(question["export"]), "export_rknn")
        return {}
    return _run(question)


def _build(question: dict[str, Any]) -> dict[str, float]:
    rknn = _open["rknn"] = RKNN(verbose=False)
    began = time.process_time()
    # Normalised crops come in, so RKNN subtracts and divides by nothing.
    _must(rknn.config(target_platform=question["device"], **question.get("config", {})), "config")
    shape = [1, *question["shape"]]
    _must(
        rknn.load_onnx(model=question["build"], inputs=[question["input"]], input_size_list=[shape]),
        "load_onnx",
    )
    calibrated = question.get("calibration")
    _must(rknn.build(do_quantization=calibrated is not None, dataset=calibrated), "build")
    return {"seconds": time.process_time() - began}


def _run(question: dict[str, Any]) -> dict[str, float]:
    rknn = _open["rknn"]
    if "running" not in _open:
        _must(rknn.init_runtime(), "init_runtime")
        _open["running"] = True
    batch = np.load(question["run"])
    began = time.process_time()
    rows = [rknn.inference(inputs=[crop[None]], data_format=["nchw"])[0] for crop in batch]
    spent = time.process_time() - began
    np.save(question["answers"], np.stack([np.asarray(row, np.float32).reshape(-1) for row in rows]))
    return {"seconds": spent}


def _must(code: int, step: str) -> None:
    if code != 0:
        raise RuntimeError(f"{step} ended with code {code}")


answer_all(_answer)
