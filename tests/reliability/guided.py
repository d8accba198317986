"""Coverage-guided malformed input for one reader (atheris): what reaches new lines of edgeau is changed further.

    python -m tests.reliability.guided "manifest" --seconds 60 [--keep FOLDER]

Inputs begin as those of :mod:`tests.reliability.readers`; a fault ends the run, and its input is kept.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.reliability.mutations import mutated

__all__ = ["GuidedResult", "guided"]

# Readers whose work is done in Python, where lines can be followed.
FOLLOWED = (
    "manifest", "signature", "golden answers", "landmark model", "neutral baseline", "calibration crops", "picture headers",
    "ONNX, weights elsewhere", "TFLite", "checkpoints", "tables of pictures", "targets", "training recipes", "model.toml", "addresses",
)  # fmt: skip


@dataclass
class GuidedResult:
    """Outcome of one reader: inputs that were read, and the fault that ended the run with the file of its input."""

    name: str
    inputs: int
    fault: str = ""


def guided(name: str, seconds: int, keep: Path) -> GuidedResult:
    """Follow one reader in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "tests.reliability.guided",
        name,
        "--seconds",
        str(seconds),
        "--keep",
        str(keep),
        "--inside",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10 * seconds + 300)
    lines = done.stderr.splitlines()
    said = [line.split() for line in lines if "stat::number_of_executed_units" in line]
    fault = next(
        (line for line in lines if "Uncaught Python exception" in line or "ERROR: libFuzzer" in line), ""
    )
    detail = next(
        (
            line
            for number, line in enumerate(lines)
            if number and "Uncaught Python exception" in lines[number - 1]
        ),
        "",
    )
    return GuidedResult(
        name, int(said[-1][-1]) if said else 0, f"{fault} {detail}".strip() if done.returncode else ""
    )


def _inside(name: str, seconds: int, keep: Path) -> None:
    import atheris

    with atheris.instrument_imports(
        include=["edgeau", "edgeau_export", "edgeau_calibration", "edgeau_training"],
        enable_loader_override=False,
    ):
        from edgeau.errors import EdgeauError
        from tests.reliability.readers import make_readers

        home = Path(tempfile.mkdtemp(prefix="edgeau-guided-"))
        reader = make_readers(home)[name]
    corpus = home / "corpus"
    corpus.mkdir()
    for number in range(100):
        (corpus / str(number)).write_bytes(reader.make(random.Random(number)))

    def one(content: bytes) -> None:
        try:
            reader.read(content)
        except EdgeauError:
            return

    def changed(content: bytes, most: int, seed: int) -> bytes:
        dice = random.Random(seed)
        if dice.random() < 0.4:
            return bytes(atheris.Mutate(content, most))
        return (reader.make(dice) if dice.random() < 0.3 else mutated(content, dice))[:most]

    keep.mkdir(parents=True, exist_ok=True)
    options = [
        f"-max_total_time={seconds}",
        "-timeout=10",
        "-rss_limit_mb=4096",
        "-print_final_stats=1",
        "-max_len=200000",
        f"-artifact_prefix={keep}/",
    ]
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    atheris.Setup(["guided", *options, str(corpus)], one, custom_mutator=changed)
    atheris.Fuzz()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.guided", description=__doc__)
    parser.add_argument(
        "reader", nargs="?", choices=FOLLOWED, help="all of them, one after the other, without it"
    )
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--keep", type=Path, default=Path("kept"), help="folder for inputs of faults")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        _inside(arguments.reader, arguments.seconds, arguments.keep)
        return 0
    faults = 0
    for name in [arguments.reader] if arguments.reader else FOLLOWED:
        result = guided(name, arguments.seconds, arguments.keep)
        faults += bool(result.fault)
        print(
            f"{name}: {result.inputs} inputs{', FAULT ' + result.fault if result.fault else ''}", flush=True
        )
    return 3 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
