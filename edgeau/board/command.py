"""``edgeau-finish BUNDLE``: run on the board, where the bundle's TensorRT engines belong."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from edgeau._system.command import DONE, PARTLY, CommandParser, f1_drop, print_json, run
from edgeau._system.records import to_dict
from edgeau.bundle.manifest import Measured
from edgeau.bundle.signature.options import add_signing_options

__all__ = ["main"]

_NAME = "edgeau-finish"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run(_NAME, _body, argv)


def _body(argv: Sequence[str] | None) -> int:
    arguments = _parser().parse_args(argv)
    # Imported only now, so that --help is quick.
    from edgeau.board.build import finish_bundle
    from edgeau.bundle.signature import Signer
    from edgeau.runtimes.tensorrt.options import EngineOptions, dla_core_of

    options = EngineOptions(
        workspace_mib=arguments.workspace,
        optimization_level=arguments.level,
        dla_core=dla_core_of(arguments.device),
        version_compatible=arguments.version_compatible,
    )
    signer = None if arguments.sign is None else Signer(arguments.sign, arguments.certificate)
    finished = finish_bundle(arguments.bundle, options, max_f1_drop=arguments.max_f1_drop, signer=signer)
    if arguments.json:
        rows = [to_dict(row) for row in finished.manifest.measured]
        print_json(
            {"chosen": finished.chosen.file, "measured": rows, "path": str(arguments.bundle.resolve())}
        )
    else:
        for row in finished.manifest.measured:
            print(_line(row))
        print(f"this machine runs {finished.chosen.file}; recorded in {arguments.bundle / 'manifest.json'}")
    return DONE if finished.whole else PARTLY


def _line(row: Measured) -> str:
    if row.latency_ms is None:
        return f"{row.file}: not used: {row.fault}"
    parts = [f"{row.file}: {row.latency_ms:.2f} ms on {row.engine}"]
    if row.decision_flips is not None:
        parts.append(
            f"{row.decision_flips:.2%} of decisions differ from where it was made ({row.count} samples)"
        )
    if row.f1_mean is not None:
        drop = "" if row.f1_drop_mean is None else f" (float minus this: {row.f1_drop_mean:+.3f})"
        parts.append(f"F1 {row.f1_mean:.3f}{drop}")
    if row.fault is not None:
        parts.append(f"not used: {row.fault}")
    return ", ".join(parts)


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(
        _NAME,
        "Finish a bundle on the board that runs it: build its TensorRT engines, time them, check their answers "
        "against those of the export and record all of it in the bundle's manifest.",
        "edgeau finish bundle/",
    )
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="folder that edgeau-export made")
    parser.add_argument(
        "--device",
        default="gpu",
        metavar="NAME",
        help="gpu, or dla:0 or dla:1 on boards that have them (default: gpu)",
    )
    parser.add_argument(
        "--workspace",
        type=int,
        default=1024,
        metavar="MIB",
        help="most scratch memory for a kernel (default: 1024)",
    )
    parser.add_argument(
        "--level",
        type=int,
        metavar="0..5",
        help="optimization level: how long to search for fast kernels (default: TensorRT's, 3)",
    )
    parser.add_argument(
        "--version-compatible",
        action="store_true",
        help="build engines that later TensorRT versions of the same major version can load",
    )
    parser.add_argument(
        "--max-f1-drop",
        type=f1_drop,
        default=0.01,
        metavar="X",
        help="largest loss of mean F1 on the bundle's samples; an artifact that loses more is not used (default: 0.01)",
    )
    add_signing_options(parser)
    parser.add_json()
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
