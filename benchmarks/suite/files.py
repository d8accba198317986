"""The files that are compared: the packaged network for every engine, each made as its maker's guide says.

All are made from one float ONNX file and, where integers are wanted, one set of calibration crops. They stay in a folder
that is named by the float file, so that a broken run goes on and a changed network is not taken for the old one.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from edgeau._system.atomic_file import atomic_path, write_whole
from edgeau.bundle import load_bundle, packaged_bundle_path
from edgeau.bundle.preprocessing import Preprocessor
from edgeau.errors import InputError
from edgeau_calibration.data.load import load_calibration_set
from edgeau_calibration.data.packaged import COUNT
from edgeau_export.onnx_to_tflite import tflite_bytes

HELD_OUT = 5  # every fifth packaged crop is measured on, the others calibrate
BENCHMARKS = Path(__file__).parents[1]


@dataclass(frozen=True)
class Files:
    """A folder of files that are made when they are first asked for.

    Attributes:
        folder: of this very network.
        peers: the Python of the environment that has the other tools.
    """

    folder: Path
    peers: Path

    @classmethod
    def of_default(cls, work: Path, peers: Path) -> Files:
        made = cls(work / f"files-{_digest(packaged_bundle_path() / 'model.fp32.onnx')}", peers)
        made.folder.mkdir(parents=True, exist_ok=True)
        return made

    @property
    def float_onnx(self) -> Path:
        return packaged_bundle_path() / "model.fp32.onnx"

    @property
    def int8_onnx(self) -> Path:
        return packaged_bundle_path() / "model.int8.onnx"

    def crops(self, *, held_out: bool) -> Path:
        """Normalised crops, float32 (n, 3, H, W), as a .npy."""
        file = self.folder / ("held_out.npy" if held_out else "calibrating.npy")
        if not file.is_file():
            manifest = load_bundle(packaged_bundle_path()).manifest
            crops = load_calibration_set(None, manifest.alignment, COUNT).crops
            chosen = np.arange(len(crops)) % HELD_OUT == 0
            np.save(file, Preprocessor(manifest.input).batch(crops[chosen == held_out]))
        return file

    def litert(self, precision: str) -> Path:
        """edgeau's TFLite file, ``fp32`` or ``int8``."""
        source = self.float_onnx if precision == "fp32" else self.int8_onnx

        def make(file: Path) -> None:
            write_whole(file, tflite_bytes(onnx.load(source), precision=precision, metadata={}))

        return self._made(f"edgeau.{precision}.{_digest(source)}.tflite", make)

    def bundle(self) -> Path:
        """The packaged default exported for a board with LiteRT as well, the one whose files this machine runs too."""

        def make(folder: Path) -> None:
            command = "import sys; from edgeau_export.command import main; sys.exit(main())"
            _run([Path(sys.executable), "-c", command, "--target", "cpu", "--out", folder])

        return self._made(f"bundle.cpu.{_digest(self.int8_onnx)}", make)

    def by_tool(self, tool: str) -> Path:
        """INT8 of ``onnxruntime`` or ``ai-edge-quantizer`` by int8_peers.py."""
        ours = tool == "onnxruntime"
        source = self.float_onnx if ours else self.litert("fp32")
        python = Path(sys.executable) if ours else self.peers

        def make(file: Path) -> None:
            script = BENCHMARKS / "int8_peers.py"
            _run([python, script, tool, source, self.crops(held_out=False), file])

        return self._made(f"{tool}.int8{'.onnx' if ours else '.tflite'}", make)

    def openvino_int8(self) -> Path:
        def make(file: Path) -> None:
            script = BENCHMARKS / "suite" / "openvino_int8.py"
            _run([self.peers, script, self.float_onnx, self.crops(held_out=False), file])
            file.with_suffix(".bin").rename(self.folder / "openvino.int8.bin")

        return self._made("openvino.int8.xml", make)

    def ncnn(self) -> Path:
        """The ``.param`` of NCNN's form, by pnnx, which is a program inside its package."""

        def make(file: Path) -> None:
            pnnx = subprocess.run(
                [self.peers, "-c", "import importlib.util as u; print(u.find_spec('pnnx').origin)"],
                capture_output=True, text=True, check=True,
            ).stdout.strip()  # fmt: skip
            shape = np.load(self.crops(held_out=True), mmap_mode="r").shape[1:]
            outputs = (f"ncnnparam={file}", f"ncnnbin={self.folder / 'ncnn.bin'}")
            others = ("pnnxparam", "pnnxbin", "pnnxpy", "pnnxonnx", "ncnnpy")
            dropped = (f"{other}={self.folder / 'pnnx.dropped'}" for other in others)
            size = f"inputshape=[{','.join(map(str, (1, *shape)))}]f32"
            # In a copy: pnnx writes a simplified model beside its input.
            copy = self.folder / "pnnx.onnx"
            copy.write_bytes(self.float_onnx.read_bytes())
            _run([Path(pnnx).with_name("pnnx"), copy, size, "fp16=0", *outputs, *dropped])
            for left in self.folder.glob("pnnx*"):
                left.unlink()

        return self._made("ncnn.param", make)

    def _made(self, name: str, make: Callable[[Path], None]) -> Path:
        file = self.folder / name
        if not file.exists():
            print(f"making {name}", file=sys.stderr, flush=True)
            with atomic_path(file) as partial:
                make(partial)
        return file


def megabytes(file: Path) -> float:
    """Size of a network's file; of one in two parts, both."""
    parts = [file, file.with_suffix(".bin")] if file.suffix in (".xml", ".param") else [file]
    return round(sum(part.stat().st_size for part in parts) / 1e6, 1)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


def _run(command: list[Path | str]) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise InputError(f"{Path(command[0]).name} {Path(command[1]).name}: {last}")
