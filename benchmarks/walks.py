"""Print the files of edgeau that four pieces of work pass, in the order of their first call.

    python benchmarks/walks.py [load|frame|export|calibration]...

A file counts once a function of it is called; importing it is not a call. Threads of the work are not followed. The cache is
empty at the start of each, as on a machine that meets a bundle for the first time.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import cv2

import edgeau
from edgeau import Pipeline, open_source

ROOT = Path(edgeau.__file__).resolve().parents[1]  # of the tree that is imported
_ROOMS = ("edgeau/", "export/", "calibration/", "training/", "apps/")


@contextlib.contextmanager
def followed(passed: list[str]) -> Iterator[None]:
    """Collect the files whose functions are called inside."""
    seen: set[str] = set()

    def look(frame: FrameType, event: str, _argument: Any) -> None:
        code = frame.f_code
        if event != "call" or code.co_filename in seen or code.co_name == "<module>":
            return
        if not code.co_filename.startswith(str(ROOT)) or code.co_name not in _functions(code.co_filename):
            return
        seen.add(code.co_filename)
        name = Path(code.co_filename).relative_to(ROOT).as_posix()
        if name.startswith(_ROOMS):
            passed.append(name)

    sys.setprofile(look)
    try:
        yield
    finally:
        sys.setprofile(None)


_KNOWN: dict[str, frozenset[str]] = {}


def _functions(file: str) -> frozenset[str]:
    """Names of the functions in a file: bodies of classes run when it is imported, and are no calls."""
    if file not in _KNOWN:
        tree = ast.parse(Path(file).read_text(encoding="utf-8"))
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
        _KNOWN[file] = frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))
    return _KNOWN[file]


def load() -> list[str]:
    """``Pipeline.load()`` of the packaged bundle."""
    passed: list[str] = []
    with followed(passed):
        pipeline = Pipeline.load()
    pipeline.close()
    return passed


def frame() -> list[str]:
    """``Pipeline.process`` of one frame of the packaged clip."""
    passed: list[str] = []
    with Pipeline.load() as pipeline, open_source("clip") as source:
        picture = next(iter(source)).image
        with followed(passed):
            pipeline.process(picture)
    return passed


def export() -> list[str]:
    """``edgeau-export --target cpu --precision fp32`` of the default."""
    from edgeau_export.command import main

    passed: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        options = [
            "--target",
            "cpu",
            "--precision",
            "fp32",
            "--landmarks",
            "none",
            "--out",
            f"{folder}/bundle",
        ]
        with followed(passed):
            code = main(options)
    if code:
        raise SystemExit(f"the export ended with {code}")
    return passed


def calibration() -> list[str]:
    """Calibration crops from a folder of eight frames of the clip, read and linted as an export does."""
    from edgeau.faces.alignment import Alignment
    from edgeau_calibration.data.load import load_calibration_set
    from edgeau_calibration.linter import lint

    passed: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        with open_source("clip") as source:
            for number, one in zip(range(8), source, strict=False):
                cv2.imwrite(f"{folder}/{number}.png", one.image)
        with followed(passed):
            list(lint(load_calibration_set(Path(folder), Alignment(), 8)))
    return passed


WALKS: dict[str, Callable[[], list[str]]] = {
    "load": load,
    "frame": frame,
    "export": export,
    "calibration": calibration,
}


def main() -> None:
    """Print them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("walk", nargs="*", metavar="WALK", help="which; all of them without")
    walks = parser.parse_args().walk or list(WALKS)
    if unknown := [name for name in walks if name not in WALKS]:
        parser.error(f"there is no walk {unknown[0]!r}; there are {', '.join(WALKS)}")
    for name in walks:
        with tempfile.TemporaryDirectory() as cache:
            os.environ["XDG_CACHE_HOME"] = cache
            passed = WALKS[name]()
        print(f"{name}: {len(passed)} files", *passed, sep="\n  ")


if __name__ == "__main__":
    main()
