"""docs/benchmarks.md and its plots, made from the documents in benchmarks/results/ and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from suite.published import published_speeds

from edgeau._system.atomic_file import write_whole
from edgeau.errors import InputError
from edgeau_apps.bench.result import median_interval
from edgeau_export.report.html.plots import Bar, Point, bars, points, svg_file

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "benchmarks.md"
PLOTS = ROOT / "docs" / "benchmarks"
MEASURED = ("one-thread", "scaling", "profile")
FRONT = "int8-front.json"
# In the plot; the others lie on top of these or of each other.
NAMED_ROWS = ("float32", "plain", "robust", "onnxruntime", "nncf", "ai-edge-quantizer")

Document = dict[str, Any]
Rows = Sequence[Document]


def write_page() -> Document:
    """Writes the page and its plots.

    Returns:
        The documents by name of the part.

    Raises:
        InputError: a part was not measured yet.
    """
    documents = read_documents()
    for file, content in pages(documents).items():
        file.parent.mkdir(exist_ok=True)
        write_whole(file, content.encode())
    return documents


def pages(documents: Document) -> dict[Path, str]:
    """Every file of the page with its content."""
    plots = _plots(documents)
    return {PAGE: _page(documents), **{PLOTS / name: svg_file(figure) for name, figure in plots.items()}}


def read_documents() -> Document:
    missing = [name for name in MEASURED if not (RESULTS / f"{name}.json").is_file()]
    if missing:
        raise InputError(f"{', '.join(missing)} not measured yet; python benchmarks/run.py --help says how")
    files = [*(f"{name}.json" for name in MEASURED), *([FRONT] if (RESULTS / FRONT).is_file() else [])]
    return {Path(file).stem: json.loads((RESULTS / file).read_text(encoding="utf-8")) for file in files}


def _page(documents: Document) -> str:
    one, scaling, profile = (documents[name] for name in MEASURED)
    parts = [
        _head(one, documents),
        _pipeline_section(one),
        _networks_section(one),
        _scaling_section(scaling),
        _profile_section(profile),
        _front_section(documents.get("int8-front")),
        _bars_section(one),
        _missing_section(one, documents),
        _method_section(one, documents),
    ]
    return "\n\n".join(parts) + "\n"


def _head(one: Document, documents: Document) -> str:
    about = one["provenance"]
    loads = [documents[name]["provenance"] for name in MEASURED]
    return f"""# Benchmarks

This page compares edgeau with other programs, with other engines for the same network, and with other INT8 quantizers.
To measure your own machine and bundle, run `edgeau-bench bundle/` ([report, bench, doctor](report-and-bench.md)).

Everything was measured on {about["date"][:10]} on an {about["processor"]} ({about["cores"]} cores), with edgeau {about["edgeau"]} and the packaged
weights of that date: [how it was measured](#how-it-was-measured).{_disturbed(loads)}"""


def _method_section(one: Document, documents: Document) -> str:
    about = one["provenance"]
    loads = [documents[name]["provenance"] for name in MEASURED]
    seen = ", ".join(f"{p['load_before']} to {p['load_after']}" for p in loads)
    packages = ", ".join(
        f"{name} {version}" for name, version in {**about["packages"], **about["peers"]}.items()
    )
    return f"""## How it was measured

This command measures everything and writes this page from `benchmarks/results/`:

```sh
python benchmarks/run.py --work bench --peers-python peers/bin/python --front int8_front.json
```

`benchmarks/peers-requirements.txt` lists the packages of the other tools' environment. `benchmarks/int8_front.py` writes
`int8_front.json`.

- Command of this page: `{about["command"]}`, {about["date"][:10]}.
- Machine: {about["processor"]} ({about["machine"]}, {about["cores"]} cores). Load average over one minute, before and after each part:
  {seen}. The measurement itself adds about 1.
- Versions: Python {about["python"]}, edgeau {about["edgeau"]}, {packages}.
- All rows of a table were measured in one run. Each program or file has its own process. They take turns, in a new order in every round, so
  that a disturbance of the machine affects all of them. The first call of each turn is not counted.
- Intervals are 95 % bootstrap intervals over rounds.
- Figures that others published are marked as published. They were not measured here."""


def _disturbed(parts: Sequence[Document]) -> str:
    """The warning for results that were measured while other programs ran."""
    if all(max(part["load_before"], part["load_after"]) <= part["cores"] for part in parts):
        return ""
    return (
        "\n\n**Other programs kept the processors busy during the measurement: wall-clock times (p50, p95, frames/s) are far above those "
        "of an idle machine. CPU times are closer to them.**"
    )


def _bars_section(one: Document) -> str:
    rows = [
        (
            bar["name"],
            f"{bar['above']} / ({' + '.join(bar['below'])})",
            f"{bar['ratio']:.2f} [{bar['low']:.2f} {bar['high']:.2f}]",
            f"{bar['cpu_ratio']:.2f}",
            f"{bar['limit']:.2f}",
            _verdict(bar),
        )
        for bar in one["bars"]
    ]
    head = ("limit", "what is divided", "ratio [95 %]", "ratio of CPU times", "at most", "met")
    gap = ", ".join(f"{name} {ms:.1f} ms" for name, ms in one["gap_cpu_ms"].items())
    return "\n".join(
        [
            "## Limits that edgeau sets itself",
            "",
            _table(head, rows, words=2),
            "",
            "The pipeline does more than the two parts that it is compared with. In addition to FaceMesh at its defaults and the",
            f"chosen file, it needs this CPU time per frame: {gap}.",
            "",
            _chosen(one),
        ]
    )


def _chosen(one: Document) -> str:
    """The artifact that each pipeline took from its bundle."""
    taken = [
        f"{row['name']}: `{row['artifact']}`"
        for row in one["rows"]
        if row.get("artifact") and "faces_found" in row
    ]
    return f"Files that each pipeline chose as the fastest of its bundle: {'; '.join(taken)}."


def _verdict(bar: Document) -> str:
    if bar["ratio"] <= bar["limit"]:
        return "yes"
    return f"no, {bar['ratio'] / bar['limit'] - 1:.1%} over"


def _networks_section(one: Document) -> str:
    networks = [row for row in one["rows"] if "megabytes" in row and "p50_ms" in row]
    rows = [
        (
            f"**{row['name']}**" if row["ours"] else row["name"],
            row["engine"],
            f"{row['megabytes']:.1f}",
            f"{row['p50_ms']:.1f}",
            f"{row['p95_ms']:.1f}",
            f"{row['cpu_p50_ms']:.1f}",
            f"{row['probability_off']:.4f}",
            f"{row['flips']:.1%}",
        )
        for row in sorted(networks, key=lambda row: float(row["p50_ms"]))
    ]
    head = ("file", "engine", "MB", "p50 ms", "p95 ms", "CPU ms", "difference", "flips")
    failed = [f"- {row['name']}: {row['fault']}" for row in one["rows"] if row.get("fault")]
    count = networks[0]["measured_on"]
    return "\n".join(
        [
            f"## {one['provenance']['network']} in every engine, one face, one thread",
            "",
            _table(head, rows, words=2),
            "",
            "![Median latency by engine](benchmarks/engines.svg)",
            "",
            "The whiskers of the plot are 95 % confidence intervals of the median over turns, from order statistics.",
            "",
            "Files in bold are made by edgeau. The others were made from the same float ONNX file with the vendors' tools at",
            "their defaults, and calibrated on the same packaged crops.",
            "",
            "- **difference**: mean absolute difference of a probability from that of float32.",
            "- **flips**: share of decisions that differ from those of float32, at the thresholds of float32.",
            "",
            f"Both columns are from {count} rendered crops that were not used for calibration. These are enough to show a broken file,",
            "but too few to measure F1, which is in the [table of INT8](#int8-loss-of-f1-size-and-time).",
            *failed,
        ]
    )


def _pipeline_section(one: Document) -> str:
    found = [row for row in one["rows"] if "faces_found" in row and "p50_ms" in row]
    rows = [
        (
            f"**{row['name']}**" if row["ours"] else row["name"],
            "measured here, one thread",
            f"{row['p50_ms']:.1f}",
            f"{1e3 / row['p50_ms']:.1f}",
            row.get("artifact", ""),
        )
        for row in found
    ]
    rows += [
        (speed.tool, f"published: {speed.hardware}", f"{1e3 / speed.fps:.0f}", f"{speed.fps:g}", speed.note)
        for speed in published_speeds()
    ]
    sources = sorted({speed.source for speed in published_speeds()})
    return "\n".join(
        [
            "## The whole pipeline, one face, 640x480",
            "",
            _table(("program", "measured or published", "ms per frame", "frames/s", "note"), rows, words=2),
            "",
            "The frames are those of the packaged clip, in order. By default the pipeline looks for up to four faces, so it searches every",
            "frame for more faces; FaceMesh looks for one by default. The pipeline's landmarks include irises (478 points).",
            "",
            "The published figures are from other machines, other action units and another accuracy. They only show what users of these",
            "tools can expect. Sources:",
            "",
            *(f"- {source}" for source in sources),
        ]
    )


def _scaling_section(scaling: Document) -> str:
    rows = [
        (
            str(row["faces"]),
            f"{row['width']}x{row['height']}",
            str(row["threads"]),
            f"{row['p50_ms']:.1f}",
            f"{row['p95_ms']:.1f}",
            f"{row['cpu_p50_ms']:.1f}",
            str(row["faces_found"]),
            row["artifact"],
        )
        for row in scaling["rows"]
    ]
    head = ("faces", "frame", "threads", "p50 ms", "p95 ms", "CPU ms", "found", "artifact")
    return "\n".join(
        [
            "## More faces, more pixels, more threads",
            "",
            _table(head, rows),
            "",
            "![Latency by faces](benchmarks/faces.svg) ![Latency by resolution](benchmarks/resolution.svg)",
            "![Latency by threads](benchmarks/threads.svg)",
            "",
            "The whole pipeline was measured on all processor cores. **threads** is the number of threads of the network. Frames with",
            "several faces show copies of the clip's face side by side. **CPU ms** is the CPU time of all threads per frame, including those of",
            "MediaPipe, which chooses their number.",
        ]
    )


def _profile_section(profile: Document) -> str:
    stages = [*_stages(profile)]
    whole = sum(ms for _, ms, _ in stages)
    rows = [(name, f"{ms:.2f}", f"{ms / whole:.1%}", kind) for name, ms, kind in stages]
    size = f"{profile['frame']['width']}x{profile['frame']['height']}"
    return "\n".join(
        [
            "## Where the time goes",
            "",
            f"CPU time per frame of {size} with one face, median of {profile['frames']} frames, with `{profile['artifact']}` in",
            f"{profile['engine']}. `python benchmarks/pipeline_overhead.py` measures other bundles and pictures.",
            "",
            _table(("stage", "CPU ms", "share", "model or pipeline"), rows),
            "",
            f"Measured as a whole, edgeau's own work (the rows of the pipeline) takes {profile['own_cpu_ms']:.2f} ms.",
        ]
    )


def _stages(profile: Document) -> Iterable[tuple[str, float, str]]:
    for name, ms in sorted(profile["models_cpu_ms"].items(), key=lambda stage: -stage[1]):
        yield name, ms, "model"
    for name, ms in sorted(profile["own_parts_cpu_ms"].items(), key=lambda stage: -stage[1]):
        yield name, ms, "pipeline"


def _front_section(front: Document | None) -> str:
    title = "## INT8: loss of F1, size and time\n\n"
    if front is None:
        return (
            title
            + "Not measured yet: `benchmarks/int8_front.py` measures it, and `--front` adds it to this page."
        )
    rows = [
        (
            f"**{row['name']}**" if row["by"] == "edgeau" else f"{row['name']} (its own default)",
            f"{row['f1_mean']:.4f}",
            f"{row['drop_as_made']:+.4f}",
            f"{row['drop']:+.4f} [{row['drop_interval'][0]:+.4f} {row['drop_interval'][1]:+.4f}]",
            f"{row['drop_worst']:+.4f}",
            f"{row['flips']:.1%}",
            f"{row['macs_int8']:.0%}",
            f"{row['size_ratio']:.2f}",
            "-" if row["latency_p50_ms"] is None else f"{row['latency_p50_ms']:.1f}",
        )
        for row in front["rows"]
    ]
    head = (
        "recipe",
        "mean F1",
        "drop, float's thresholds",
        "drop, refitted [95 %]",
        "worst AU",
        "flips",
        "MACs in INT8",
        "size",
        "p50 ms",
    )
    failed = [f"- {name}: {reason}" for name, reason in front["failed"].items()]
    timed = any(row["latency_p50_ms"] is not None for row in front["rows"])
    return title + "\n".join(
        [
            _table(head, rows),
            "",
            *(["![Loss of F1 against latency](benchmarks/int8.svg)", ""] if timed else []),
            f"{front['network']}, without the fusion with landmarks. F1 is measured on {front['faces']} rendered test faces. Thresholds are fitted",
            f"again on {front['fitted_on']} validation faces, and {front['calibrated_on']} crops calibrate. A negative drop is a gain. **size** is the size of the",
            f"file relative to float32. Made by `benchmarks/int8_front.py`, {front['machine']}, ONNX Runtime {front['onnxruntime']}.",
            "[INT8 within a budget](int8.md) describes the recipes.",
            *failed,
        ]
    )


def _missing_section(one: Document, documents: Document) -> str:
    failed = [row["name"] for row in one["rows"] if row.get("fault")]
    gaps = [
        "Raspberry Pi, Jetson and Android: no board was available.",
        "NCNN's INT8: its Python package does not contain the quantizer.",
        "Accuracy on labelled photographs of people: none were available. Every F1 on this page is from rendered faces.",
    ]
    gaps += [f"{name}: the reason is below its table." for name in failed]
    gaps += [] if "int8-front" in documents else ["The INT8 quantizers."]
    return "## Not measured\n\n" + "\n".join(f"- {gap}" for gap in gaps)


def _plots(documents: Document) -> dict[str, str]:
    one, scaling = documents["one-thread"], documents["scaling"]["rows"]
    networks = [row for row in one["rows"] if "megabytes" in row and "p50_ms" in row]
    engines = [
        Bar(row["name"], (row["p50_ms"],), (median_interval(row["visits_ms"]),))
        for row in sorted(networks, key=lambda row: float(row["p50_ms"]))
    ]
    alone = [row for row in scaling if row["threads"] == 1]
    faces = [row for row in alone if (row["width"], row["height"]) == (640, 480)]
    sizes = [row for row in alone if row["faces"] == 1]
    threads = [
        Bar(
            f"{row['faces']} {'face' if row['faces'] == 1 else 'faces'}, {row['threads']} {'thread' if row['threads'] == 1 else 'threads'}",
            (row["p50_ms"],),
            (median_interval(row["visits_ms"]),),
        )
        for row in sorted(scaling, key=lambda row: (row["faces"], row["threads"]))
        if (row["width"], row["height"]) == (640, 480) and row["faces"] in (1, 4)
    ]
    plots = {
        "threads.svg": bars("", threads, "median latency of a frame of 640x480, ms"),
        "engines.svg": bars("", engines, "median latency of one face, one thread, ms"),
        "faces.svg": points(
            "",
            [
                Point(
                    f"{row['p50_ms']:.0f} ms",
                    row["faces"],
                    row["p50_ms"],
                    interval=median_interval(row["visits_ms"]),
                )
                for row in faces
            ],
            "faces in view",
            "median latency of a frame, ms",
            joined=True,
            from_zero=True,
        ),
        "resolution.svg": points(
            "",
            [
                Point(
                    f"{row['width']}x{row['height']}",
                    row["width"] * row["height"] / 1e6,
                    row["p50_ms"],
                    interval=median_interval(row["visits_ms"]),
                )
                for row in sizes
            ],
            "size of the frame, megapixels",
            "median latency of a frame, ms",
            joined=True,
            from_zero=True,
        ),
    }
    front = documents.get("int8-front")
    timed = [row for row in front["rows"] if row["latency_p50_ms"] is not None] if front else []
    if timed:
        plots["int8.svg"] = points(
            "",
            [
                Point(
                    row["name"],
                    row["latency_p50_ms"],
                    row["drop"],
                    int(row["by"] != "edgeau"),
                    named=row["name"] in NAMED_ROWS,
                    interval=tuple(row["drop_interval"]),
                )
                for row in timed
            ],
            "median latency of one face, one thread, ms",
            "drop of mean F1, 0..1",
            logarithmic=(True, False),
            legend=("edgeau's recipes", "other tools at their defaults"),
        )
    return plots


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, words: int = 1) -> str:
    """Markdown; the first ``words`` columns are words, the others figures."""
    rule = ["---"] * words + ["---:"] * (len(head) - words)
    lines = [head, rule, *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)
