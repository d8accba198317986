"""``edgeau-bench``: a table of this machine, its file, and the comparison of two files."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentTypeError, Namespace
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from edgeau._system.atomic_file import atomic_path
from edgeau._system.command import DONE, PARTLY, CommandParser, positive, print_json, run, seconds
from edgeau._system.processor import usable_processors
from edgeau._system.records import to_dict
from edgeau._system.text_table import aligned_lines
from edgeau.bundle import bundle_folder, load_bundle
from edgeau.errors import UsageError
from edgeau_apps.bench.comparison import Compared, compare
from edgeau_apps.bench.energy import EnergyMeter, energy_meter
from edgeau_apps.bench.measurement import BenchSettings, measure, measure_file
from edgeau_apps.bench.provenance import Began, provenance
from edgeau_apps.bench.result import Result, Row, median_interval, read_result, shown_ms
from edgeau_apps.bench.single_file import FILES, file_to_measure

__all__ = ["main"]

_ALPHA = 0.01  # differences that chance makes less often than this are called real


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    return run("edgeau-bench", _body, argv)


def _body(argv: Sequence[str] | None) -> int:
    argv = sys.argv[1:] if argv is None else argv
    arguments = _parser().parse_args(argv)
    if arguments.compare:
        _refuse_beside_compare(arguments)
        return _compared(arguments.compare, as_json=arguments.json)
    settings = BenchSettings(
        threads=arguments.threads or _default_threads(),
        batches=arguments.batch,
        seconds=arguments.seconds,
        artifact=arguments.artifact,
        starts=not arguments.no_start,
    )
    # Its place is taken first: a measurement takes minutes.
    with nullcontext() if arguments.out is None else atomic_path(arguments.out) as file:
        result, meter = _result(arguments.bundle, settings, argv)
        if file is not None:
            file.write_text(result.to_json(), encoding="utf-8")
    if arguments.json:
        print_json(json.loads(result.to_json()))
    else:
        print(_table(result, meter))
    return PARTLY if any(row.fault for row in result.rows) else DONE


def _refuse_beside_compare(arguments: Namespace) -> None:
    """Refuse what says something of a measurement, where none is made."""
    measuring = ("bundle", "threads", "artifact", "no_start", "out")
    given = [
        f"--{name.replace('_', '-')}".replace("--bundle", "a bundle")
        for name in measuring
        if getattr(arguments, name)
    ]
    if given:
        raise UsageError(f"--compare compares two results and measures nothing; leave out {', '.join(given)}")


def _result(bundle: str | None, settings: BenchSettings, argv: Sequence[str]) -> tuple[Result, str | None]:
    """Measure; gives the name of the energy meter as well, None where there is none."""
    began = Began()
    meter = energy_meter()
    with meter if meter is not None else nullcontext():
        rows, digest, network = _measured(bundle_folder(bundle), settings, meter)
    result = Result(provenance(digest, network, argv, began), tuple(rows))
    return result, None if meter is None else meter.name


def _measured(what: Path, settings: BenchSettings, meter: EnergyMeter | None) -> tuple[list[Row], str, str]:
    """Rows, digest and title of a bundle or of a single file."""
    if what.suffix not in FILES:
        bundle = load_bundle(what)
        return measure(bundle, settings, meter), bundle.digest, bundle.manifest.network.title
    if settings.artifact is not None or settings.batches != (1,):
        raise UsageError(
            f"--artifact and --batch are of bundles; {what} is one file, measured one picture at a time"
        )
    with file_to_measure(what) as file:
        return measure_file(file, settings, meter), file.digest, file.name


def _parser() -> CommandParser:
    parser = CommandParser(
        "edgeau-bench",
        "Measure a bundle on this machine: every engine, precision, number of threads and batch size, interleaved. "
        "Engines that do not run here are listed with the reason, and the exit code is then 1.",
        "edgeau-bench bundle/ --threads 1,2,4 --out bench.json",
    )
    parser.add_argument(
        "bundle",
        nargs="?",
        metavar="NAME|DIR|FILE",
        help="a bundle (default, light or a folder), an .onnx or .tflite file, or a model.toml (default: the packaged default)",
    )
    parser.add_argument(
        "--threads",
        type=_numbers,
        metavar="N,N",
        help="threads per inference (default: 1, half of the cores, and all)",
    )
    parser.add_argument(
        "--batch", type=_numbers, default=(1,), metavar="N,N", help="faces per inference (default: 1)"
    )
    parser.add_argument("--seconds", type=seconds, default=4.0, help="measuring time per row (default: 4)")
    parser.add_argument(
        "--artifact", metavar="SEL", help="measure only this engine, precision, engine/precision or file"
    )
    parser.add_argument("--no-start", action="store_true", help="do not measure start-up time and memory")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the result as JSON as well")
    parser.add_argument(
        "--compare",
        nargs=2,
        type=Path,
        metavar=("BEFORE", "AFTER"),
        help="compare two results instead of measuring",
    )
    parser.add_json()
    return parser


def _default_threads() -> tuple[int, ...]:
    cores = usable_processors()
    return tuple(sorted({1, max(1, cores // 2), cores}))


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(dict.fromkeys(positive(part.strip()) for part in text.split(",")))
    except ArgumentTypeError as error:
        raise ArgumentTypeError(f"it is not a list of numbers, such as 1,2,4: {error}") from None


_HEAD = (
    "model",
    "mean F1, 0..1",
    "threads",
    "faces a run",
    "p50, ms [95 %]",
    "p95, ms",
    "p99, ms",
    "start, s",
    "memory, MB",
    "energy, mJ",
)


def _table(result: Result, meter: str | None) -> str:
    measured = [row for row in result.rows if not row.fault]
    about = result.provenance
    lines = [f"{about.network} on {about.board}, {about.processor}, {about.cores} cores; {about.date}"]
    lines += aligned_lines([_HEAD, *map(_cells, measured)])
    lines += [f"{row.label}, {_threads(row)}: {row.fault}" for row in result.rows if row.fault]
    lines += _meaning(measured)
    if about.load is not None and about.load > 0.5 * about.cores:
        lines.append(
            f"other programs were running (load {about.load:.1f}): expect slower and wider figures than alone"
        )
    if about.throttled:
        lines.append(f"the board says: {about.throttled}")
    lines.append(
        f"energy: {meter}, of the whole processor or board while one run lasts"
        if meter
        else "energy: not reported by this machine"
    )
    return "\n".join(lines)


def _meaning(measured: Sequence[Row]) -> list[str]:
    """Say in words which row is the fastest, and what it gives up of F1."""
    timed = [(row.p50_ms / row.batch, row) for row in measured if row.p50_ms is not None]
    if not timed:
        return []
    least, fastest = min(timed, key=lambda one: one[0])
    said = (
        f"What this means: the fastest is {fastest.label} with {_threads(fastest)}, {shown_ms(least)} ms a face; finding the face and its "
        "landmarks comes on top (edgeau-doctor times whole frames)."
    )
    scored = [row.f1 for row in measured if row.f1 is not None]
    if fastest.f1 is not None:
        said += (
            f" Its mean F1 is {fastest.f1:.3f}, {fastest.f1 - max(scored):+.3f} beside the best of these (1 is perfect), as the "
            "bundle states it."
        )
    return [
        said,
        "Brackets: 95 % intervals of the median over the runs, by order statistics; runs that follow one another are not independent.",
    ]


def _threads(row: Row) -> str:
    return f"{row.threads} thread{'' if row.threads == 1 else 's'}" if row.threads else "the engine's threads"


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.label,
        "-" if row.f1 is None else f"{row.f1:.3f}",
        str(row.threads or "-"),
        str(row.batch),
        _median(row),
        shown_ms(row.p95_ms),
        shown_ms(row.p99_ms),
        "-" if row.start_s is None else f"{row.start_s:.2f}",
        "-" if row.memory_mb is None else f"{row.memory_mb:.0f}",
        "-" if row.joules is None else f"{1e3 * row.joules:.0f}",
    )


def _median(row: Row) -> str:
    interval = None if row.p50_ms is None else median_interval(row.samples_ms)
    return shown_ms(row.p50_ms) + (
        "" if interval is None else f" [{shown_ms(interval[0])} {shown_ms(interval[1])}]"
    )


def _compared(files: Sequence[Path], *, as_json: bool) -> int:
    before, after = (read_result(file) for file in files)
    rows = compare(before, after)
    if as_json:
        print_json([{**to_dict(row), "change": row.change, "real": row.p_value < _ALPHA} for row in rows])
        return DONE
    if before.provenance.processor != after.provenance.processor:
        print(f"different processors: {before.provenance.processor}; {after.provenance.processor}")
    for row in rows:
        print(_sentence(row))
    return DONE


def _sentence(row: Compared) -> str:
    threads = f"{row.threads} thread{'' if row.threads == 1 else 's'}" if row.threads else "any threads"
    what = f"{row.label}, {threads}, {row.batch} face{'' if row.batch == 1 else 's'} a run"
    figures = f"{row.before_ms:.3g} -> {row.after_ms:.3g} ms ({row.change:+.1%}, p = {row.p_value:.2g})"
    verdict = ("slower" if row.change > 0 else "faster") if row.p_value < _ALPHA else "no real difference"
    return f"{what}: {figures}: {verdict}"
