"""Five newcomers, each from an empty folder to a result by the pages alone, timed: ``python -m tests.newcomers.run [--only maker] [--write]``.

The wheel is built once from what git tracks; pip finds it beside its own index, as if it were released. Each newcomer has a home, a
cache and an environment of their own. ``--write`` puts the table into docs/first-five-minutes.md. Exit code 1 when a step failed.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from edgeau._system.processor import processor_name
from tests.matrix.run import build_wheel
from tests.newcomers.steps import NEWCOMERS, steps, title

__all__ = ["PAGE", "main", "walk"]

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "first-five-minutes.md"
_BEGIN, _END = "<!-- begin: newcomers -->", "<!-- end: newcomers -->"
_PASSED_ON = ("PATH", "LANG", "PIP_CONFIG_FILE", "PIP_INDEX_URL", "PIP_CERT", "SSL_CERT_FILE")


def main(argv: Sequence[str] | None = None) -> int:
    """Walk them, print the table, write it where asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", action="append", choices=NEWCOMERS, help="one of them; may be repeated")
    parser.add_argument("--write", action="store_true", help=f"replace the table of {PAGE.name}")
    arguments = parser.parse_args(argv)
    lines, failed = [], False
    with tempfile.TemporaryDirectory(prefix="edgeau-newcomers.") as name:
        wheel = build_wheel(Path(name))
        for newcomer in arguments.only or NEWCOMERS:
            folder = Path(name) / newcomer
            folder.mkdir()
            rows, fault, megabytes = walk(newcomer, wheel.parent, folder)
            failed |= bool(fault)
            lines += _lines(newcomer, rows, fault, megabytes)
            print("\n".join(lines[-len(rows) - 4 :]), flush=True)
            subprocess.run(["rm", "-rf", str(folder)], check=True)
    said = f"{processor_name()}, {date.today().isoformat()}; `python -m tests.newcomers.run --write`.\n"  # noqa: DTZ011 - the machine's day
    if arguments.write:
        whole = "\n".join([_BEGIN, "", said, *lines, _END])
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(re.sub(f"{_BEGIN}.*{_END}", lambda _: whole, page, flags=re.DOTALL), encoding="utf-8")
    return int(failed)


def walk(newcomer: str, wheels: Path, folder: Path) -> tuple[list[float], str, int]:
    """Run the steps of one newcomer.

    Args:
        newcomer: name of the script.
        wheels: folder that holds the wheel of edgeau.
        folder: empty; home and working folder of the newcomer.

    Returns:
        Seconds of each step that was begun, the fault of the last one ("" when all passed), and megabytes of the environment.
    """
    links = " ".join(filter(None, (str(wheels), os.environ.get("PIP_FIND_LINKS"))))
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | {
        "HOME": str(folder),
        "CLONE": str(ROOT),
        "PIP_FIND_LINKS": links,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    environment["PATH"] = f"{folder / 'env' / 'bin'}:{environment['PATH']}"
    seconds, fault = [], ""
    for step in steps(newcomer):
        began = time.monotonic()
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", step.commands],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds.append(time.monotonic() - began)
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
            fault = f"exit code {done.returncode}: {said}"
            break
    files = (file for file in (folder / "env").rglob("*") if file.is_file() and not file.is_symlink())
    return seconds, fault, round(sum(file.stat().st_size for file in files) / 1e6)


def _lines(newcomer: str, seconds: Sequence[float], fault: str, megabytes: int) -> list[str]:
    walked = steps(newcomer)[: len(seconds)]
    installing = sum(s for s, step in zip(seconds, walked, strict=True) if "pip install" in step.commands)
    rows = [
        f"| [{step.page}]({step.page if step.page != 'README.md' else '../README.md'}) | `{step.words.replace('`', '')}` | {s:.0f} s |"
        for s, step in zip(seconds, walked, strict=True)
    ]
    whole = f"{len(walked)} steps, {sum(seconds):.0f} s, of which steps with pip took {installing:.0f} s; environment {megabytes} MB. "
    return [
        f"**`{newcomer}.sh`** {title(newcomer)} {whole}{f'Stopped: {fault}' if fault else 'Reached.'}",
        "",
        "| page | words that the step follows | time |",
        "|---|---|---|",
        *rows,
        "",
    ]


if __name__ == "__main__":
    raise SystemExit(main())
