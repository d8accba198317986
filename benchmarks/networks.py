"""Twenty networks of timm's and torchvision's kinds as strangers bring them: what is made of each, and what INT8 costs.

    python benchmarks/networks.py --faces DATA --work DIR [--only NAME,...] [--again NAME,...] [--write docs/networks.md] [--json]

DATA is a data set of edgeau-synth, or an .npy of crops, uint8 (n, 256, 256, 3) RGB; 640 faces are taken. Each network is
exported by edgeau-export from a state dict, a builder and a model.toml, in a process of its own, and leaves DIR/NAME/row.json; one
that is there is not measured again, so that a run that was broken off goes on. INT8 is calibrated on 128 faces and compared with
the float file on 256 that nobody saw before, beside ONNX Runtime's own ``quantize_static`` at its defaults on the same faces. Every
product of layers is left in integers, without a budget: what the export's budget would refuse is seen by its flips (2 % by default).
Needs timm and torchvision (the extra ``train``). --write puts the table into a page, between the marks "networks". Exit code 1:
a process died; 3: a bar is missed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from page_part import write_part
from suite.network_names import KINDS, NETWORKS
from this_machine import machine_name, today

from edgeau._system.command import DONE, PARTLY, CommandParser, print_json, run
from edgeau.errors import InputError
from edgeau_calibration.data.shards import encoded_crops, shards_in

NAME = "benchmarks/networks.py"
GATE = 3
FACES = 640
# Of twenty, made in every form; of ONNX Runtime's flips, ours at most, or so many decisions of chance.
MADE_EVERYWHERE, RATIO = 18, 1.1
_LIMIT = 3600  # seconds of one network


def main(argv: Sequence[str] | None = None) -> int:
    return run(NAME, _body, argv)


def _body(argv: Sequence[str] | None) -> int:
    options = _parser().parse_args(argv)
    work: Path = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    names = options.only.split(",") if options.only else list(NETWORKS)
    again = options.again.split(",") if options.again else []
    if unknown := sorted({*names, *again} - set(NETWORKS)):
        raise InputError(f"no network {', '.join(unknown)}; there are {', '.join(NETWORKS)}")
    faces = work / "faces.npy"
    if not faces.is_file():
        np.save(faces, _faces(options.faces))
    died = [name for name in names if not _measured(name, faces, work, again=name in again)]
    rows = [row for name in NETWORKS if (row := _row(work, name)) is not None]
    text = table(rows)
    if options.json:
        print_json({"rows": rows, "machine": machine_name()})
    else:
        print(text)
    if options.write is not None:
        write_part(options.write, "networks", text)
    if died:
        print(f"{NAME}: no row of {', '.join(died)}; see their log in {work}", file=sys.stderr)
        return PARTLY
    return GATE if missed(rows) else DONE


def _faces(given: Path | None) -> np.ndarray:
    if given is None:
        raise InputError("--faces is needed: a data set of edgeau-synth, or an .npy of crops")
    if given.suffix == ".npy":
        return np.load(given)[:FACES]
    shards = shards_in(given)
    if not shards:
        raise InputError(f"{given} holds no shards; give a folder that edgeau-synth wrote")
    files, _ = encoded_crops(shards, FACES)
    decoded = [cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR) for file in files]
    crops: np.ndarray = np.stack(decoded)[..., ::-1]
    if len(crops) < FACES:
        raise InputError(f"{given} gives {len(crops)} faces; {FACES} are taken")
    return crops


def _row(work: Path, name: str) -> dict[str, Any] | None:
    file = work / name / "row.json"
    return json.loads(file.read_text("utf-8")) if file.is_file() else None


def _measured(name: str, faces: Path, work: Path, *, again: bool) -> bool:
    """Measure a network in a process of its own where its row is not there; False where that failed."""
    if again:
        (work / name / "row.json").unlink(missing_ok=True)
    if _row(work, name) is not None:
        return True
    script = Path(__file__).parent / "suite" / "network_trial.py"
    log = work / f"{name}.log"
    print(f"{time.strftime('%H:%M:%S')} {name}", file=sys.stderr, flush=True)
    with log.open("w", encoding="utf-8") as stream:
        try:
            subprocess.run(
                [sys.executable, str(script), name, str(faces), str(work / name)],
                stdout=stream,
                stderr=subprocess.STDOUT,
                check=False,
                timeout=_LIMIT,
            )
        except subprocess.TimeoutExpired:
            return False
    return _row(work, name) is not None


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The page's part: counts, then one row a network, then what was not made and why."""
    whole = sum(_whole(row) for row in rows)
    over = missed(rows)
    lines = [
        f"{whole} of {len(rows)} networks are made in every form (bar: {MADE_EVERYWHERE} of 20). "
        + (
            f"Beyond {RATIO} x ONNX Runtime's flips: {', '.join(over)}."
            if over
            else f"None flips more than {RATIO} x ONNX Runtime's own."
        ),
        f"{machine_name()}, {today()}.",
        "",
        "| network | input | M parameters | fp32 ONNX | fp32 LiteRT | INT8 ONNX | INT8 LiteRT | TensorRT Q/DQ | `quantize_static` | CPU seconds |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *map(_line, rows),
    ]
    measured = {row["network"] for row in rows}
    if absent := [name for name in NETWORKS if name not in measured]:
        lines += ["", f"Not measured: {', '.join(absent)}."]
    reasons = [
        (row["network"], kind, row[kind])
        for row in rows
        for kind in (*KINDS, "quantize_static")
        if isinstance(row[kind], str)
    ]
    if reasons:
        lines += [
            "",
            "Not made:",
            "",
            *(f"- {network}, {kind}: {reason}" for network, kind, reason in reasons),
        ]
    return "\n".join(lines)


def missed(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Networks with an INT8 form whose flips exceed the bar."""
    found = []
    for row in rows:
        peer = row["quantize_static"]
        if isinstance(peer, str):
            continue
        ours = [row[kind]["flips"] for kind in KINDS if "fp32" not in kind and not isinstance(row[kind], str)]
        if any(flips > RATIO * peer["flips"] for flips in ours):
            found.append(row["network"])
    return found


def _whole(row: dict[str, Any]) -> bool:
    return all(not isinstance(row[kind], str) for kind in KINDS)


def _line(row: dict[str, Any]) -> str:
    height, width = row["size"]
    cells = [row["network"], f"{width} x {height}", f"{row['parameters'] / 1e6:.1f}"]
    cells += [_cell(row[kind]) for kind in (*KINDS, "quantize_static")]
    return f"| {' | '.join([*cells, str(row['seconds']['all'])])} |"


def _cell(value: dict[str, Any] | str) -> str:
    if isinstance(value, str):
        return "not made"
    if "difference" in value:
        return f"{value['difference']:.0e} of {value['allowed']:.0e}"
    return f"{100 * value['flips']:.2f} %"


def _parser() -> CommandParser:
    parser = CommandParser(
        f"python {NAME}",
        "Twenty networks of timm's and torchvision's kinds through every form, with INT8 beside ONNX Runtime's own.",
        f"python {NAME} --faces data/synth --work networks --write docs/networks.md",
    )
    parser.add_argument("--faces", type=Path, metavar="DATA", help="a data set of edgeau-synth, or an .npy")
    parser.add_argument("--work", type=Path, required=True, metavar="DIR", help="keeps finished rows")
    parser.add_argument("--only", metavar="LIST", help=f"of {', '.join(NETWORKS)}")
    parser.add_argument("--again", metavar="LIST", help="measure these once more")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table into this page")
    parser.add_json()
    return parser


if __name__ == "__main__":
    sys.exit(main())
