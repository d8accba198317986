"""``edgeau-export``: a bundle for a board, from any network."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from edgeau._system.command import DONE, PARTLY, CommandParser, f1_drop, print_json, run
from edgeau._system.install_lines import extra_line
from edgeau._system.tool_environment import FOLDER_VARIABLE, TOOLS
from edgeau.bundle.signature import Signer
from edgeau.bundle.signature.options import add_signing_options
from edgeau.errors import DependencyError, UsageError
from edgeau_export.progress import ProgressReporter
from edgeau_export.tools.making import make_tool

__all__ = ["main"]

_NAME = "edgeau-export"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    return run(_NAME, _body, argv)


def _body(argv: Sequence[str] | None) -> int:
    arguments = _parser().parse_args(argv)
    if arguments.tools is not None:
        os.environ[FOLDER_VARIABLE] = str(arguments.tools)
    if arguments.make_tool is not None:
        make_tool(arguments.make_tool, ProgressReporter(_NAME))
        return DONE
    if arguments.describe is None and (arguments.target is None or arguments.out is None):
        raise UsageError("--target and --out are needed: which board, and where the bundle goes")
    # Imported only now, so that --help needs neither onnx nor a second of patience.
    try:
        from edgeau_export.export import export_bundle
    except ImportError as error:
        raise DependencyError(
            f"exporting needs {error.name}, which is not installed: {extra_line('export')}"
        ) from error
    if arguments.describe is not None:
        from edgeau_export.source_network.describe import describe

        print(describe(arguments.describe), end="")
        return DONE
    from edgeau_export.report.tables import summary

    if arguments.certificate is not None and arguments.sign is None:
        raise UsageError("--certificate says whose key signs; give the key too: --sign KEY")
    signer = None if arguments.sign is None else Signer(arguments.sign, arguments.certificate)
    progress = ProgressReporter(_NAME)
    calib, published = arguments.calib, None
    if ":" in (calib or "") or arguments.calib_option:
        # Only here: data sets are read by the training package, which a path does not need.
        from edgeau_export.quantization.published_set import published_set

        published = published_set(calib, arguments.calib_option)
    manifest = export_bundle(
        arguments.target,
        arguments.out,
        arguments.model,
        None if calib is None or published is not None else Path(calib),
        None if arguments.precision is None else _split(arguments.precision),
        accepted=_split(arguments.calib_accept),
        max_f1_drop=arguments.max_f1_drop,
        landmarks=_landmarks(arguments.landmarks),
        published=published,
        progress=progress,
        signer=signer,
    )
    if arguments.json:
        print_json(manifest.to_dict() | {"path": str(arguments.out.resolve())})
    else:
        print(summary(manifest, arguments.out))
        if (arguments.out / "index.html").is_file():
            print(f"page: python -m http.server --directory {arguments.out}, or any other web server")
    return PARTLY if manifest.left_out or progress.incomplete else DONE


def _split(text: str) -> tuple[str, ...]:
    return tuple(part for part in (piece.strip() for piece in text.split(",")) if part)


def _landmarks(given: list[str] | None) -> Path | str | None:
    """One place, ``none``, or None where nothing was asked for."""
    if given is None:
        return None
    if len(given) > 1:
        raise UsageError(f"two landmark sets were given ({' and '.join(given)}); a bundle carries one")
    return given[0] if given[0] == "none" else Path(given[0])


def _parser() -> CommandParser:
    parser = CommandParser(
        _NAME,
        "Export a network for a board: float files that give the network's own answers, INT8 with its measured loss, "
        "everything verified and in one folder.",
        f"{_NAME} --model mrpnet.safetensors --target raspberrypi --calib faces/ --out bundle/",
    )
    parser.add_argument(
        "--model",
        metavar="NAME|FILE",
        help="default, light, a checkpoint of edgeau-train (.safetensors), or a model.toml that describes "
        "any other network (default: the packaged network for the target; light for small boards)",
    )
    parser.add_argument(
        "--describe",
        type=Path,
        metavar="FILE",
        help="print a model.toml to fill in for a network's file, and exit",
    )
    parser.add_argument(
        "--target", metavar="NAME", help="board to export for, such as cpu, raspberrypi or jetson"
    )
    parser.add_argument(
        "--calib",
        metavar="DIR|FILE|SET:DIR",
        help="faces to calibrate INT8 on: a table of pictures (.csv), pictures, videos, .npz of crops, a data set of edgeau-synth, or "
        "a published set (bp4d:DIR, disfa:DIR, emotionet:DIR, aff-wild2:DIR)",
    )
    parser.add_argument(
        "--calib-option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="option of a published set's reader, as under [data] in a recipe: coding=list.txt",
    )
    parser.add_argument(
        "--calib-accept",
        metavar="LIST",
        default="",
        help="rules of the calibration linter to ignore, such as one-person",
    )
    parser.add_argument(
        "--out", type=Path, metavar="BUNDLE", help="folder of the bundle, created or replaced"
    )
    parser.add_argument(
        "--precision",
        metavar="LIST",
        help="such as fp32,int8 (default: all precisions of the target that this machine can make)",
    )
    parser.add_argument(
        "--max-f1-drop",
        type=f1_drop,
        default=0.005,
        metavar="X",
        help="largest loss of mean F1 that INT8 may cause; one AU may lose four times as much. Sensitive layers stay in float, "
        "and INT8 that exceeds the limit is refused with exit code 3 (default: %(default)s)",
    )
    parser.add_argument(
        "--landmarks",
        action="append",
        metavar="FILE|none",
        help="face landmark networks for the bundle: face_landmarker.task, a wheel of mediapipe up to 0.10.21, or a folder; "
        "none leaves them out (default: those of this machine, which edgeau-landmarks lists)",
    )
    parser.add_argument(
        "--make-tool",
        metavar="NAME",
        help=f"create the separate Python environment of a compiler ({', '.join(TOOLS)}), print its licence, and exit",
    )
    parser.add_argument(
        "--tools",
        type=Path,
        metavar="DIR",
        help=f"folder of those environments (default: ${FOLDER_VARIABLE}, or edgeau/tools in the user's data directory)",
    )
    add_signing_options(parser)
    parser.add_json()
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
