"""Programs that write: what each leaves behind must be whole, the old or the new, whenever and however it is ended.

``python -m tests.reliability.jobs NAME FOLDER`` does one. Each says ``begin`` on stdout when its work begins, and ``kept N`` once N
messages or rows are promised to be on the disk.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

__all__ = ["CHECKS", "JOBS"]

ROWS = 200  # of a recording
ROUNDS = 1_000_000
"""How often the work is done over; a power cut is tried in each of its steps, and needs few."""


def _say(text: str) -> None:
    print(text, flush=True)


def bundle(folder: Path) -> None:
    """A bundle is written, again and again, in the place of the one before."""
    import edgeau
    from edgeau.bundle import BundleWriter, load_bundle, packaged_bundle_path

    del edgeau
    given = load_bundle(packaged_bundle_path("light"))
    _say("begin")
    for number in range(ROUNDS):
        with BundleWriter(folder / "bundle") as writer:
            for record in given.manifest.files:
                place = writer.directory / record.file
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(given.path(record.file), place)
            (writer.directory / "number.txt").write_text(str(number) * 1000)
            writer.finish(given.manifest)
        _say(f"kept {number}")


def check_bundle(folder: Path, kept: int) -> str | None:
    from edgeau.bundle import load_bundle
    from edgeau.errors import BundleError

    place = folder / "bundle"
    if not place.exists():
        return None if kept < 0 else f"bundle {kept} was in its place and is gone"
    try:
        load_bundle(place)
    except BundleError as error:
        return str(error)
    text = (place / "number.txt").read_text()
    number = int(text[: len(text) // 1000])
    return None if number >= kept else f"bundle {kept} was in its place, and {number} stands there"


def tables(folder: Path) -> None:
    """Results go to CSV and JSON lines, whole files that take their place at the end."""
    from edgeau import Pipeline
    from edgeau.results import FrameResult
    from edgeau.sinks import open_sink

    with Pipeline.load("light", threads=1) as pipeline:
        _say("begin")
        for number in range(ROUNDS):
            with (
                open_sink(str(folder / "rows.csv"), pipeline) as csv,
                open_sink(str(folder / "rows.jsonl"), pipeline) as lines,
            ):
                for index in range(50):
                    result = FrameResult(index=index, time_s=index / 25, age_s=0.0, dropped=0, faces=())
                    csv.write(result)
                    lines.write(result)
            _say(f"kept {number}")


def check_tables(folder: Path, kept: int) -> str | None:
    for name in ("rows.csv", "rows.jsonl"):
        path = folder / name
        if not path.exists():
            if kept >= 0:
                return f"{name} was in its place and is gone"
            continue
        text = path.read_text()
        # JSON lines have no head: a file of no result, each of which was reported as lost, is empty.
        if not text.endswith("\n") and (text or name != "rows.jsonl"):
            return f"{name} ends in half a line"
        if name == "rows.jsonl":
            for line in text.splitlines():
                json.loads(line)
    return None


def store(folder: Path) -> None:
    """Messages that a broker has not confirmed."""
    from edgeau.sinks.offline_store import OfflineStore

    store = OfflineStore(folder / "store", 50_000_000)
    _say("begin")
    for number in range(ROUNDS):
        store.append(json.dumps({"number": number, "text": "x" * (number * 37 % 900)}))
        _say(f"kept {number}")


def check_store(folder: Path, kept: int) -> str | None:
    from edgeau.sinks.offline_store import OfflineStore

    if not (folder / "store").exists():
        return None if kept < 0 else "the store is gone"
    store = OfflineStore(folder / "store", 50_000_000)
    try:
        rows = store.after(0, 10_000_000)
        numbers = [json.loads(line)["number"] for _, line in rows]
    finally:
        store.close()
    if numbers != list(range(len(numbers))):
        return "messages are missing or out of order"
    return (
        None
        if len(numbers) > kept
        else f"message {kept} was confirmed to its writer and is gone (there are {len(numbers)})"
    )


def recording(folder: Path) -> None:
    """A growing file: what was written before a kill is kept beside its place."""
    from edgeau._system.atomic_file import AtomicFile

    _say("begin")
    for number in range(ROUNDS):
        with (
            AtomicFile(folder / "film.csv", growing=True) as file,
            file.temporary.open("w", encoding="utf-8", buffering=1) as text,
        ):
            for row in range(ROWS):
                text.write(f"{number},{row}\n")
        _say(f"kept {number}")


def check_recording(folder: Path, kept: int) -> str | None:
    place = folder / "film.csv"
    if not place.exists():
        return None if kept < 0 else "the recording was in its place and is gone"
    lines = place.read_text().splitlines()
    if len(lines) != ROWS:
        return f"a recording of {len(lines)} of {ROWS} rows stands in the place of a whole one"
    return None if int(lines[0].split(",")[0]) >= kept else "an older recording stands there"


def folder_(folder: Path) -> None:
    """A folder that takes the place of the one before."""
    from edgeau._system.atomic_folder import AtomicFolder

    _say("begin")
    for number in range(ROUNDS):
        made = AtomicFolder(folder / "whole")
        try:
            for name in ("a", "b/c"):
                (made.path / name).parent.mkdir(exist_ok=True)
                (made.path / name).write_text(f"{number}\n" * 50)
            made.commit()
        finally:
            made.close()
        _say(f"kept {number}")


def check_folder(folder: Path, kept: int) -> str | None:
    place = folder / "whole"
    if not place.exists():
        return None if kept < 0 else "the folder was in its place and is gone"
    lines = [
        (place / name).read_text().splitlines() if (place / name).exists() else [] for name in ("a", "b/c")
    ]
    if [len(one) for one in lines] != [50, 50] or len({*lines[0], *lines[1]}) != 1:
        return "files of the folder are half, missing, or of two different ones"
    return None if int(lines[0][0]) >= kept else "an older folder stands there"


def checkpoint(folder: Path) -> None:
    """A checkpoint of a training, replaced at every step."""
    import torch

    from edgeau_training.checkpoint import CheckpointInfo, save_checkpoint

    torch.manual_seed(0)
    network = torch.nn.Linear(300, 300)
    _say("begin")
    for number in range(ROUNDS):
        save_checkpoint(
            folder / "a.safetensors", network, CheckpointInfo("mrpnet", ("AU1",), {}, training=str(number))
        )
        _say(f"kept {number}")


def check_checkpoint(folder: Path, kept: int) -> str | None:
    from edgeau.errors import CheckpointError
    from edgeau_training.checkpoint import read_info

    place = folder / "a.safetensors"
    if not place.exists():
        return None if kept < 0 else "the checkpoint was in its place and is gone"
    try:
        number = int(read_info(place).training)
    except CheckpointError as error:
        return str(error)
    return None if number >= kept else f"checkpoint {number} stands in the place of {kept}"


def analyze(folder: Path) -> None:
    """The program itself, over pictures."""
    from edgeau_apps.analyze.command import main

    pictures = folder / "pictures"
    pictures.mkdir(exist_ok=True)
    face = np.ascontiguousarray(cv2.imread(str(_astronaut())))
    for number in range(6):
        if not (pictures / f"{number}.png").exists():
            cv2.imwrite(str(pictures / f"{number}.png"), face[number:])
    _say("begin")
    main([str(pictures), "--out", str(folder / "out"), "--threads", "1", "--bundle", "light"])


def check_analyze(folder: Path, kept: int) -> str | None:
    for path in (folder / "out").glob("[0-9]*.csv"):
        lines = path.read_text().splitlines()
        if len(lines) < 2 or len({line.count(",") for line in lines if not line.startswith("#")}) != 1:
            return f"{path.name} is not a whole table"
    return None


def export(folder: Path) -> None:
    """The program itself, to a bundle."""
    from edgeau_export.command import main

    _say("begin")
    main(["--model", "light", "--target", "cpu", "--precision", "fp32", "--out", str(folder / "bundle")])
    (folder / "number").write_text("x")


def check_export(folder: Path, kept: int) -> str | None:
    from edgeau.bundle import load_bundle
    from edgeau.errors import BundleError

    if not (folder / "bundle").exists():
        return None
    try:
        load_bundle(folder / "bundle")
    except BundleError as error:
        return str(error)
    return None


def _astronaut() -> Path:
    import skimage.data

    return Path(skimage.data.__file__).parent / "astronaut.png"


JOBS: dict[str, Callable[[Path], None]] = {
    "bundle": bundle, "tables": tables, "store": store, "recording": recording, "folder": folder_, "checkpoint": checkpoint, "analyze": analyze, "export": export,
}  # fmt: skip
CHECKS: dict[str, Callable[[Path, int], str | None]] = {
    "bundle": check_bundle, "tables": check_tables, "store": check_store, "recording": check_recording, "folder": check_folder,
    "checkpoint": check_checkpoint, "analyze": check_analyze, "export": check_export,
}  # fmt: skip


if __name__ == "__main__":
    if len(sys.argv) > 3:
        ROUNDS = int(sys.argv[3])
    JOBS[sys.argv[1]](Path(sys.argv[2]))
