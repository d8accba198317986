"""The same network through litert-torch and ai-edge-quantizer, for benchmarks/litert_latency.py; run where those are installed.

    PYTHONPATH=.:training PEERS/bin/python benchmarks/litert_torch_file.py CHECKPOINT CROPS.npy OUT/

CROPS are normalised calibration crops, float32 (n, 3, H, W). Writes OUT/peer.fp32.tflite, peer.dynamic.tflite and
peer.int8.tflite, and prints how long each took. The network is wrapped so that it takes NHWC, as our files do.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np


def main() -> None:
    checkpoint, crops, out = Path(sys.argv[1]), np.load(sys.argv[2]), Path(sys.argv[3])
    out.mkdir(parents=True, exist_ok=True)
    pictures = np.ascontiguousarray(crops.transpose(0, 2, 3, 1))
    _timed("litert-torch float32", lambda: _float(checkpoint, pictures, out / "peer.fp32.tflite"))
    _timed("ai-edge-quantizer dynamic", lambda: _quantized(out, "dynamic", None))
    _timed("ai-edge-quantizer static", lambda: _quantized(out, "int8", pictures))


def _timed(what: str, act: Any) -> None:
    start = time.perf_counter()
    act()
    print(f"{what}: {time.perf_counter() - start:.1f} s", flush=True)


def _float(checkpoint: Path, pictures: np.ndarray, file: Path) -> None:
    import litert_torch
    import torch

    from edgeau_training.checkpoint import load_checkpoint

    network, _ = load_checkpoint(checkpoint)
    nhwc = litert_torch.to_channel_last_io(network.eval(), args=[0])
    litert_torch.convert(nhwc, (torch.from_numpy(pictures[:1]),)).export(str(file))


def _quantized(out: Path, precision: str, pictures: np.ndarray | None) -> None:
    from ai_edge_quantizer import quantizer, recipe

    made = quantizer.Quantizer(str(out / "peer.fp32.tflite"))
    if pictures is None:
        made.load_quantization_recipe(recipe.dynamic_wi8_afp32())
        made.quantize().export_model(str(out / f"peer.{precision}.tflite"), overwrite=True)
        return
    made.load_quantization_recipe(recipe.static_wi8_ai8())
    data = {"serving_default": [{"args_0": one[None]} for one in pictures]}
    made.quantize(made.calibrate(data)).export_model(str(out / f"peer.{precision}.tflite"), overwrite=True)


if __name__ == "__main__":
    main()
