"""The matrix: every promised Python times every extra that a user would take, from the wheel, without constraints.

``python -m tests.matrix.run [--python 3.13] [--extra litert] [--jobs N] [--write docs/installing.md]``; exit code 1 when a row failed or a Python is
not on this machine. Each row makes an empty environment, installs, and runs ``pip check``, ``edgeau-doctor BUNDLE``,
``edgeau-analyze`` on the packaged clip and a picture, the six lines of the README,
``edgeau-analyze`` with the packaged default in the engine of that name, and with ``export`` an export.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

from edgeau._system.processor import processor_name
from edgeau_export.export import export_bundle
from tests.matrix.pythons import PROMISED, interpreter
from tests.matrix.row import Row, run_row

__all__ = ["EXTRAS", "build_wheel", "main"]

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "docs" / "portrait.jpg"
EXTRAS = ("litert", "onnxruntime", "openvino", "export")
_STEPS = ("install", "doctor", "analyze", "default", "six lines", "export")
_BEGIN, _END = "<!-- begin: matrix -->", "<!-- end: matrix -->"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the rows, print the table, write it where asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", action="append", choices=PROMISED, help="one of them; may be repeated")
    parser.add_argument("--extra", action="append", choices=EXTRAS, help="one of them; may be repeated")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="rows at a time (default 1)")
    parser.add_argument("--write", type=Path, metavar="FILE", help="page whose table is replaced")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="edgeau-matrix.") as name:
        folder = Path(name)
        wheel = build_wheel(folder)
        export_bundle("raspberrypi", folder / "bundle")
        versions = arguments.python or PROMISED
        missing = [version for version in versions if interpreter(version) is None]

        def made(which: tuple[str, str]) -> Row:
            version, extra = which
            place = folder / f"{version}-{extra}"
            place.mkdir()
            python = interpreter(version)
            assert python is not None
            row = run_row(python, version, extra, wheel, folder / "bundle", PICTURE, place)
            print(_line(row), flush=True)
            subprocess.run(["rm", "-rf", str(place)], check=True)
            return row

        wanted = [(v, e) for v in versions if v not in missing for e in arguments.extra or EXTRAS]
        with ThreadPoolExecutor(arguments.jobs) as pool:
            rows = list(pool.map(made, wanted))
    text = _table(rows, missing, arguments.jobs)
    print(text)
    if arguments.write is not None:
        page = arguments.write.read_text(encoding="utf-8")
        whole = f"{_BEGIN}\n\n{text}\n{_END}"
        arguments.write.write_text(
            re.sub(f"{_BEGIN}.*{_END}", lambda _: whole, page, flags=re.DOTALL), encoding="utf-8"
        )
    return 1 if missing or any(row.fault for row in rows) else 0


def build_wheel(folder: Path, commit: str | None = None) -> Path:
    """The wheel of the files that git tracks, as they are, built as a user's pip builds it: litter in the tree can neither hide nor cause a fault.

    Args:
        folder: gets the source and the wheel.
        commit: whose files are taken; None takes those of this tree, changes included.
    """
    source = folder / "source"
    if commit is None:
        tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
        for name in filter(None, tracked.decode().split("\0")):
            if (ROOT / name).is_file():
                (source / name).parent.mkdir(parents=True, exist_ok=True)
                (source / name).write_bytes((ROOT / name).read_bytes())
    else:
        archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True).stdout
        source.mkdir(parents=True)
        subprocess.run(["tar", "--extract", "--directory", str(source)], input=archive, check=True)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(folder / "dist"),
    ]
    subprocess.run([*command, str(source)], check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    return wheel


def _line(row: Row) -> str:
    cells = [row.python, f"`{row.extra}`", f"{row.megabytes} MB", *(row.cell(step) for step in _STEPS)]
    return f"| {' | '.join(cells)} | {row.fault or 'works'} |"


def _table(rows: Sequence[Row], missing: Sequence[str], jobs: int) -> str:
    beside = "" if jobs == 1 else f", {jobs} rows at a time, so that their seconds are only rough"
    head = ["Python", "extra", "environment", *_STEPS, "`pip check` and all steps"]
    lines = [
        f"{processor_name()}, x86-64, {date.today().isoformat()}; `python -m tests.matrix.run`{beside}.",  # noqa: DTZ011 - the machine's day
        "",
        f"| {' | '.join(head)} |",
        "|" + "---|" * len(head),
        *map(_line, rows),
        "",
    ]
    lines += [f"Python {version} is not on this machine: not run.\n" for version in missing]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
