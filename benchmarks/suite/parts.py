"""Measurements, part by part; each gives the rows of one JSON document."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgeau import open_source
from edgeau.bundle import load_bundle, packaged_bundle_path
from edgeau.errors import InputError
from edgeau.metrics import sigmoid

sys.path.insert(0, str(Path(__file__).parents[1]))
import pipeline_overhead
from suite.files import Files, megabytes
from suite.turns import Subject, ratio, take_turns

SIZE = (640, 480)
SIZES = ((320, 240), SIZE, (1280, 720), (1920, 1080))
FACES = (1, 2, 4)
FLOAT = "edgeau float32, ONNX Runtime"
OPENVINO = "OpenVINO float32"
PIPELINE = "edgeau, whole pipeline"
PIPELINE_LITERT = "edgeau, whole pipeline, bundle with LiteRT files"
PIPELINE_ONE = "edgeau, whole pipeline, max_faces=1"
FACEMESH = "MediaPipe FaceMesh alone (468 points)"
FACEMESH_IRISES = "MediaPipe FaceMesh alone (478 points)"
FACEMESH_SEARCHING = "MediaPipe FaceMesh alone (478 points, up to 4 faces)"
INT8 = "edgeau INT8, ONNX Runtime"
PACKAGED = {"model.fp32.onnx": FLOAT, "model.int8.onnx": INT8}  # the bundle's files and their rows

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Bench:
    """Length and tools of a benchmark.

    Attributes:
        files: that are compared.
        peers: the Python of the other tools.
        cache: of the engines' choice, of this run alone.
        rounds: of all subjects.
        calls: in a visit.
        frames: of the profile.
    """

    files: Files
    peers: Path
    cache: Path
    rounds: int
    calls: int
    frames: int


def one_thread(bench: Bench) -> dict[str, Any]:
    """The network in every engine, FaceMesh, and the pipeline, one processor, one thread, in one run."""
    subjects, sizes, failed = _networks(bench)
    subjects += [
        _facemesh(FACEMESH, irises=False, max_faces=1),
        _facemesh(FACEMESH_IRISES, irises=True, max_faces=1),
        _facemesh(FACEMESH_SEARCHING, irises=True, max_faces=4),
        _pipeline(PIPELINE),
        _pipeline(PIPELINE_ONE, max_faces=1),
        _pipeline(PIPELINE_LITERT, bundle=bench.files.bundle()),
    ]
    rows = take_turns(subjects, bench.rounds, bench.calls, bench.cache, "one thread")
    rows = [{**row, "kind": subject.kind} for row, subject in zip(rows, subjects, strict=True)]
    _compare(rows)
    for row in rows:
        if row["name"] in sizes:
            row["megabytes"] = sizes[row["name"]]
    return {"threads": 1, "processors": 1, "size": SIZE, "faces": 1, "rows": rows + failed, **_bars(rows)}


def scaling(bench: Bench) -> dict[str, Any]:
    """The pipeline with more faces, more pixels and more threads, in one run; no processor is kept from it."""
    subjects = [_pipeline(f"{n} faces", faces=n, everywhere=True) for n in FACES]
    subjects += [
        _pipeline(f"{w}x{h}", width=w, height=h, everywhere=True) for w, h in SIZES if (w, h) != SIZE
    ]
    counts = range(2, len(os.sched_getaffinity(0)) + 1)
    subjects += [_pipeline(f"{n} threads", threads=n, everywhere=True) for n in counts]
    subjects += [_pipeline(f"{n} threads, 4 faces", threads=n, faces=4, everywhere=True) for n in counts]
    rounds = max(2, bench.rounds // 2)
    rows = take_turns(subjects, rounds, bench.calls, bench.cache, "scaling")
    for row, subject in zip(rows, subjects, strict=True):
        row |= {key: subject.options[key] for key in ("faces", "width", "height", "threads")}
    return {"rows": rows}


def profile(bench: Bench) -> dict[str, Any]:
    """Split the pipeline's processor time by its stages."""
    with open_source("clip") as source:
        frame = next(iter(source)).image
    with _cache_at(bench.cache):
        return pipeline_overhead.measure(None, frame, bench.frames)


PARTS: dict[str, Callable[[Bench], dict[str, Any]]] = {
    "one-thread": one_thread,
    "scaling": scaling,
    "profile": profile,
}


def _networks(bench: Bench) -> tuple[list[Subject], dict[str, float], Rows]:
    """The packaged network in every engine; sizes by name; rows of those whose file could not be made."""
    files, here = bench.files, Path(sys.executable)
    made: list[tuple[str, str, bool, Path, Callable[[], Path]]] = [
        (FLOAT, "session:onnxruntime", True, here, lambda: files.float_onnx),
        (INT8, "session:onnxruntime", True, here, lambda: files.int8_onnx),
        ("edgeau float32, LiteRT", "session:litert", True, here, lambda: files.litert("fp32")),
        ("edgeau INT8, LiteRT", "session:litert", True, here, lambda: files.litert("int8")),
        (OPENVINO, "openvino", False, bench.peers, lambda: files.float_onnx),
        ("OpenVINO INT8 (NNCF)", "openvino", False, bench.peers, files.openvino_int8),
        ("edgeau INT8 in OpenVINO", "openvino", True, bench.peers, lambda: files.int8_onnx),
        ("NCNN float32 (pnnx)", "ncnn", False, bench.peers, files.ncnn),
        ("ONNX Runtime's own INT8", "session:onnxruntime", False, here, lambda: files.by_tool("onnxruntime")),
        (
            "LiteRT INT8 (ai-edge-quantizer)",
            "session:litert",
            False,
            here,
            lambda: files.by_tool("ai-edge-quantizer"),
        ),
    ]
    subjects, sizes, failed = [], {}, []
    crops = str(files.crops(held_out=True))
    for name, kind, ours, python, file in made:
        try:
            path = file()
        except InputError as error:
            failed.append({"name": name, "ours": ours, "kind": kind, "fault": str(error)})
            continue
        worker, _, runtime = kind.partition(":")
        options = {"file": str(path), "runtime": runtime, "crops": crops, "threads": 1}
        subjects.append(Subject(name, worker, options, ours, python, _one_processor()))
        sizes[name] = megabytes(path)
    return subjects, sizes, failed


def _compare(rows: Rows) -> None:
    """Instead of its logits each network gets how far its answers are from float32's."""
    manifest = load_bundle(packaged_bundle_path()).manifest
    thresholds = np.array([manifest.artifacts[0].thresholds[label] for label in manifest.labels])
    truth = sigmoid(np.array(next(row["logits"] for row in rows if row["name"] == FLOAT), np.float32))
    for row in rows:
        if "logits" in row:
            probabilities = sigmoid(np.array(row.pop("logits"), np.float32))
            row["probability_off"] = round(float(np.abs(probabilities - truth).mean()), 5)
            row["flips"] = round(float(((probabilities >= thresholds) != (truth >= thresholds)).mean()), 4)
            row["measured_on"] = len(truth)


def _bars(rows: Rows) -> dict[str, Any]:
    """The comparisons that edgeau is measured by."""
    by_name = {row["name"]: row for row in rows if not row.get("fault")}
    own = [name for name, row in by_name.items() if row["ours"] and row["kind"] == "session"]
    fastest = min(own, key=lambda name: float(by_name[name]["p50_ms"]))
    fastest_packaged = min(PACKAGED.values(), key=lambda name: float(by_name[name]["p50_ms"]))
    chosen = PACKAGED[by_name[PIPELINE]["artifact"]]
    asked = [
        (
            "whole pipeline / (FaceMesh + fastest file of the bundle)",
            PIPELINE,
            (FACEMESH, fastest_packaged),
            1.25,
        ),
        (
            "the same, the pipeline asked for one face, as FaceMesh is",
            PIPELINE_ONE,
            (FACEMESH, fastest_packaged),
            1.25,
        ),
        ("whole pipeline / (FaceMesh + fastest file of all)", PIPELINE, (FACEMESH, fastest), 1.25),
        ("the same, of a bundle that has that file", PIPELINE_LITERT, (FACEMESH, fastest), 1.25),
        (
            "the same, FaceMesh asked for what the pipeline asks for",
            PIPELINE_LITERT,
            (FACEMESH_SEARCHING, fastest),
            1.25,
        ),
        ("chosen file / OpenVINO float32", chosen, (OPENVINO,), 1.0),
    ]
    cpu = {name: float(row["cpu_p50_ms"]) for name, row in by_name.items()}
    extra = {
        "irises": cpu[FACEMESH_IRISES] - cpu[FACEMESH],
        "search for more faces": cpu[FACEMESH_SEARCHING] - cpu[FACEMESH_IRISES],
        "edgeau's own work": cpu[PIPELINE] - cpu[FACEMESH_SEARCHING] - cpu[chosen],
    }
    gap = {name: round(ms, 2) for name, ms in extra.items()}
    return {"bars": [_bar(by_name, *one) for one in asked], "gap_cpu_ms": gap}


def _bar(
    by_name: dict[str, dict[str, Any]], name: str, above: str, below: tuple[str, ...], limit: float
) -> dict[str, Any]:
    def compared(times: str) -> dict[str, float]:
        return ratio(np.array(by_name[above][times]), np.sum([by_name[one][times] for one in below], axis=0))

    cpu = compared("visits_cpu_ms")["ratio"]
    return {
        "name": name,
        "above": above,
        "below": below,
        "limit": limit,
        **compared("visits_ms"),
        "cpu_ratio": cpu,
    }


def _facemesh(name: str, *, irises: bool, max_faces: int) -> Subject:
    options = {**_picture(1, *SIZE), "irises": irises, "max_faces": max_faces, "threads": 1}
    return Subject(name, "facemesh", options, processors=_one_processor())


def _pipeline(
    name: str,
    *,
    faces: int = 1,
    width: int = SIZE[0],
    height: int = SIZE[1],
    threads: int = 1,
    max_faces: int = 4,
    everywhere: bool = False,
    bundle: Path | None = None,
) -> Subject:
    options = {
        **_picture(faces, width, height),
        "file": None if bundle is None else str(bundle),
        "engine": None,
        "threads": threads,
        "max_faces": max_faces,
    }
    return Subject(name, "pipeline", options, True, processors=None if everywhere else _one_processor())


def _picture(faces: int, width: int, height: int) -> dict[str, int]:
    return {"faces": faces, "width": width, "height": height}


def _one_processor() -> tuple[int, ...]:
    """The last one; the first has most of the system's own work."""
    return (max(os.sched_getaffinity(0)),)


@contextmanager
def _cache_at(folder: Path) -> Iterator[None]:
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["XDG_CACHE_HOME"]
        else:
            os.environ["XDG_CACHE_HOME"] = before
