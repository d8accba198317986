"""``edgeau-export``: a bundle for a board, from a checkpoint or from the packaged default."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeau.command import DONE, CommandParser, print_json, run
from edgeau.errors import DependencyError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_NAME = "edgeau-export"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run(_NAME, _body, argv)


def _body(argv: Sequence[str] | None) -> int:
    arguments = _parser().parse_args(argv)
    # Imported only now, so that --help needs neither onnx nor a second of patience.
    try:
        from edgeau_export.export import ExportRequest, export_bundle
    except ImportError as error:
        raise DependencyError(
            f"exporting needs {error.name}, which is not installed: pip install 'edgeau[export]'"
        ) from error
    from edgeau_export.summary import summary
    from edgeau_export.voice import Voice

    request = ExportRequest(
        target=arguments.target,
        out=arguments.out,
        checkpoint=arguments.checkpoint,
        calib=arguments.calib,
        precisions=None if arguments.precision is None else _split(arguments.precision),
        accepted=_split(arguments.calib_accept),
    )
    manifest = export_bundle(request, Voice(_NAME))
    if arguments.json:
        print_json(manifest.to_dict() | {"path": str(request.out.resolve())})
    else:
        print(summary(manifest, request.out))
    return DONE


def _split(text: str) -> tuple[str, ...]:
    return tuple(part for part in (piece.strip() for piece in text.split(",")) if part)


def _parser() -> CommandParser:
    parser = CommandParser(
        _NAME,
        "Exports a network for a board: ONNX that answers as the network does, INT8 with its measured cost, "
        "everything verified and in one folder.",
        f"{_NAME} --checkpoint mrpnet.safetensors --target raspberrypi --calib faces/ --out bundle/",
    )
    parser.add_argument(
        "--checkpoint", type=Path, metavar="FILE", help=".safetensors; without it the packaged default"
    )
    parser.add_argument(
        "--target", required=True, metavar="NAME", help="board, e.g. cpu, raspberrypi, jetson"
    )
    parser.add_argument(
        "--calib",
        type=Path,
        metavar="DIR|FILE",
        help="faces to calibrate INT8 on: pictures, videos, .npz of crops, a data set of edgeau-synth",
    )
    parser.add_argument(
        "--calib-accept",
        metavar="LIST",
        default="",
        help="refusals of the calibration linter to overrule, e.g. one-person",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="BUNDLE", help="folder to make or replace")
    parser.add_argument(
        "--precision",
        metavar="LIST",
        help="e.g. fp32,int8; without it all of the target that can be made here",
    )
    parser.add_json()
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
