"""One network of the zoo through every kind of artifact, in a process of its own; run by benchmarks/networks.py.

    python benchmarks/suite/network_trial.py NETWORK CROPS.npy DIR

CROPS are uint8 (n, 256, 256, 3) RGB: the first :data:`CALIBRATION` calibrate, the next :data:`MEASURED` are what the export measures
INT8 on, the rest are seen by nobody before the end. Writes DIR/row.json.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import torch
from int8_peers import onnxruntime_default
from numpy.typing import NDArray
from suite.network_names import KINDS
from suite.network_zoo import ZOO, ZooNetwork, trained_like

from edgeau._system.atomic_file import write_whole
from edgeau._system.command import DONE, PARTLY
from edgeau.bundle import load_bundle
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.runtimes import open_session
from edgeau_export.command import main as export
from edgeau_export.source_network.model_file import read_model_file

CALIBRATION, MEASURED = 128, 256
# Faces that the weights' statistics come from: of those that calibrate and are measured on, none of the last ones.
_STATISTICS = 128

_MODEL = """title = "{name}"
weights = "weights.pth"
builder = "builder.py:build"
labels = {labels}
training = "random, with statistics of rendered faces"
[input]
size = {size}
color = "{color}"
{norm}
[alignment]
kind = "none"
"""
_BUILDER = "from suite.network_zoo import ZOO\n\n\ndef build():\n    return ZOO[{name!r}].build()\n"
_MEAN, _STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def main(name: str, faces: Path, folder: Path) -> None:
    network = ZOO[name]
    folder.mkdir(parents=True, exist_ok=True)
    started = time.process_time()
    crops = _scaled(np.load(faces), network.size)
    row: dict[str, Any] = {"network": name, "size": list(network.size)}
    row["parameters"] = _write_network(name, network, crops, folder)
    unseen = crops[CALIBRATION + MEASURED :]
    np.savez(folder / "calibration.npz", crops=crops[: CALIBRATION + MEASURED])
    logits: NDArray[np.float32] | None = None
    for group in dict.fromkeys(kind[3] for kind in KINDS.values()):
        made = _timed(row, group, lambda group=group: _exported(group, folder))
        for title, (file, runtime, _, of) in KINDS.items():
            if of == group:
                row[title] = made if isinstance(made, str) else _measured(made, file, runtime, unseen, logits)
                if title == "fp32 ONNX" and isinstance(row[title], dict):
                    logits = np.array(row[title].pop("answers"), np.float32)
    row["quantize_static"] = _timed(
        row,
        "quantize_static",
        lambda: _peer(folder, crops[:CALIBRATION], unseen, logits),
    )
    row["seconds"]["all"] = round(time.process_time() - started)
    write_whole(folder / "row.json", (json.dumps(row, indent=1) + "\n").encode())
    for made in dict.fromkeys(kind[3] for kind in KINDS.values()):
        shutil.rmtree(folder / made, ignore_errors=True)


def _timed(row: dict[str, Any], name: str, work: Callable[[], Any]) -> Any:
    started = time.process_time()
    answer = work()
    row.setdefault("seconds", {})[name] = round(time.process_time() - started)
    print(f"{row['network']}: {name}: {row['seconds'][name]} s of CPU", flush=True)
    return answer


def _scaled(crops: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.stack([cv2.resize(crop, size[::-1], interpolation=cv2.INTER_AREA) for crop in crops]).astype(
        np.uint8
    )


def _write_network(name: str, network: ZooNetwork, crops: NDArray[np.uint8], folder: Path) -> int:
    """Weights, builder and model.toml, as somebody would bring them; returns the parameters."""
    channels = 1 if network.grey else 3
    norm = f"mean = {_MEAN[:channels]}\nstd = {_STD[:channels]}"
    text = _MODEL.format(
        name=name,
        labels=json.dumps(network.labels),
        size=list(network.size),
        color="GRAY" if network.grey else "RGB",
        norm=norm,
    )
    (folder / "model.toml").write_text(text, encoding="utf-8")
    (folder / "builder.py").write_text(_BUILDER.format(name=name), encoding="utf-8")
    spec = read_model_file(folder / "model.toml").input
    torch.manual_seed(0)
    module = trained_like(network.build(), Preprocessor(spec).batch(crops[:_STATISTICS]).copy())
    torch.save(module.state_dict(), folder / "weights.pth")
    return sum(parameter.numel() for parameter in module.parameters())


def _exported(group: str, folder: Path) -> Path | str:
    """The bundle's folder, or why there is none."""
    items = [(file, runtime, precision) for file, runtime, precision, of in KINDS.values() if of == group]
    lines = [f'name = "{group}"\ntitle = "{group}"\nopset = 17\ninstall = "-"\n']
    for file, runtime, precision in items:
        recipe = "" if group == "float" else f'recipe = "{group}"\n'
        batch = "" if runtime == "onnxruntime" else "batch = 1\n"
        lines.append(
            f'[[artifact]]\nfile = "{file}"\nruntime = "{runtime}"\nprecision = "{precision}"\n{batch}{recipe}'
        )
    target, out = folder / f"{group}.toml", folder / group
    target.write_text("\n".join(lines), encoding="utf-8")
    command = ["--model", str(folder / "model.toml"), "--target", str(target), "--out", str(out)]
    command += ["--calib", str(folder / "calibration.npz"), "--landmarks", "none"]
    # The question is what INT8 costs, not whether a budget would take it: nothing is refused, and nothing goes back to float.
    command += ["--max-f1-drop", "1"]
    # What a random network takes for an AU need not occur in the faces.
    command += ["--calib-accept", "one-person,near-duplicates,no-faces,inactive-aus"]
    said = io.StringIO()
    with redirect_stderr(said):
        code = export(command)
    print(said.getvalue())
    lines = [line for line in said.getvalue().splitlines() if line.strip()]
    return out if code in (DONE, PARTLY) else f"exit code {code}: {lines[-1]}"


def _measured(
    out: Path, file: str, runtime: str, unseen: NDArray[np.uint8], of_float: NDArray[np.float32] | None
) -> dict[str, Any] | str:
    bundle = load_bundle(out)
    found = [item for item in bundle.manifest.artifacts if item.file == file]
    if not found:
        return bundle.manifest.left_out[file]
    parity = found[0].parity
    answer: dict[str, Any] = {"bytes": found[0].bytes}
    batch = Preprocessor(bundle.manifest.input).batch(unseen)
    engine = "onnxruntime" if runtime == "tensorrt" else runtime
    with open_session(engine, out / file, threads=1) as session:
        logits = np.concatenate([session.run(batch[i : i + 1]) for i in range(len(batch))])
    if found[0].precision == "fp32":
        answer |= {"difference": parity.max_abs_logit, "allowed": parity.tolerance}
        if runtime == "onnxruntime":
            answer["answers"] = logits.tolist()
    if of_float is not None:
        answer["flips"] = _flips(of_float, logits)
    return answer


def _peer(
    folder: Path,
    calibration: NDArray[np.uint8],
    unseen: NDArray[np.uint8],
    of_float: NDArray[np.float32] | None,
) -> dict[str, Any] | str:
    """ONNX Runtime's own quantization of the same float file, calibrated on the same crops."""
    if of_float is None:
        return "no float file"
    preprocessor = Preprocessor(read_model_file(folder / "model.toml").input)
    out = folder / "peer.onnx"
    try:
        onnxruntime_default(folder / "float" / "model.fp32.onnx", preprocessor.batch(calibration).copy(), out)
        onnx.load(out)
        batch = preprocessor.batch(unseen)
        with open_session("onnxruntime", out, threads=1) as session:
            logits = np.concatenate([session.run(batch[i : i + 1]) for i in range(len(batch))])
    except Exception as error:  # noqa: BLE001 - its tools raise whatever they met
        return f"{type(error).__name__}: {str(error).strip().splitlines()[0][:200]}"
    finally:
        out.unlink(missing_ok=True)
    return {"flips": _flips(of_float, logits)}


def _flips(of_float: NDArray[np.float32], logits: NDArray[np.float32]) -> float:
    """Share of the decisions that differ, at a threshold of 0.5."""
    return float(((of_float >= 0) != (logits >= 0)).mean())


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
