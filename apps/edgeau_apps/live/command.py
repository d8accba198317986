"""``edgeau-live`` (= ``edgeau-webcam``): a window, or a page for boards without a screen."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from edgeau import Pipeline, open_source
from edgeau._system.bounded_log import limited_logs
from edgeau._system.command import DONE, CommandParser, frames_a_second, positive, run
from edgeau._system.install_lines import extra_line
from edgeau.action_units.unchanged import SKIP
from edgeau.bundle.signature.options import add_signature_options, signature_policy
from edgeau.errors import DependencyError, InputError, UsageError
from edgeau.sources import Source
from edgeau_apps.analyze.decoder_logging import quieten_decoders
from edgeau_apps.live import window
from edgeau_apps.live.overlay import Overlay
from edgeau_apps.live.serve.certificate import Encryption
from edgeau_apps.live.session import WebcamSession
from edgeau_apps.optional_outputs import add_optional_outputs

__all__ = ["main"]

NAME = "edgeau-live"
_UNTRAINED = "UNTRAINED NETWORK: these numbers mean nothing"
_DEFAULT = "127.0.0.1:8765"
_OF_PAGE = ("tls", "token", "metrics", "no_video")
_OF_STATIC = ("static", "serve", "tls", "tls_key", "signatures", "trust", "quiet", "verbose")
_DESCRIPTION = (
    "Show facial action units of a camera live, in a window or in a browser.\n\nkeys in the window:\n"
    + "\n".join(f"  {key:9} {what}" for key, what in window.KEYS.items())
)


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    return run(NAME, _body, argv)


def _parser() -> CommandParser:
    parser = CommandParser(NAME, _DESCRIPTION, f"{NAME} --source clip --serve 127.0.0.1:8765")
    parser.add_argument(
        "--source",
        default="0",
        metavar="SRC",
        help="camera number, picamera2, argus, an RTSP or HTTP address, a file, or clip (default: 0)",
    )
    parser.add_argument(
        "--bundle",
        metavar="NAME|DIR",
        help="default, light, or a folder that edgeau-export made (default: default)",
    )
    parser.add_argument(
        "--serve",
        nargs="?",
        const=_DEFAULT,
        metavar="HOST:PORT",
        help=f"serve a page instead of opening a window (default: {_DEFAULT}); 0.0.0.0:8765 makes it reachable from the network, with a token",
    )
    parser.add_argument(
        "--static",
        type=Path,
        metavar="DIR",
        help=f"only serve the page that edgeau-export --target web made, at the address of --serve (default: {_DEFAULT})",
    )
    parser.add_argument(
        "--token", help="token for pages that are not on loopback (default: a random one, printed at start)"
    )
    parser.add_argument(
        "--tls",
        nargs="?",
        const="",
        metavar="CERTIFICATE",
        help="serve over HTTPS, with a certificate in PEM or a self-signed one for this machine",
    )
    parser.add_argument(
        "--tls-key",
        type=Path,
        metavar="FILE",
        help="key of that certificate in PEM, if it is in another file",
    )
    parser.add_argument("--metrics", action="store_true", help="also serve /metrics for Prometheus")
    parser.add_argument("--no-video", action="store_true", help="send numbers to the page, but no pictures")
    parser.add_argument(
        "--sink",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="where to send results; may be repeated: a file (.csv, .jsonl, .parquet), - for JSON lines on stdout, or a "
        "ws://, http://, mqtt://, lsl://, vmc://, osc:// or udp:// address (docs/sinks.md); without --serve and a display, nothing is shown",
    )
    parser.add_argument(
        "--size",
        type=_size,
        metavar="WIDTHxHEIGHT",
        help="frame size to request from a camera, such as 1280x720 (default: the camera's own)",
    )
    parser.add_argument(
        "--fps",
        type=frames_a_second,
        metavar="RATE",
        help="frames per second to request from a camera, or to play a file at (default: its own)",
    )
    parser.add_argument(
        "--landmarker-model",
        type=Path,
        metavar="FILE",
        help="face landmark networks to use instead of the bundle's: a face_landmarker.task, a wheel or a folder",
    )
    parser.add_argument(
        "--max-faces", type=positive, default=4, metavar="N", help="most faces to look for (default: 4)"
    )
    parser.add_argument(
        "--far",
        action="store_true",
        help="find faces from 2.5%% of the long side upward instead of 11%%; every 25th frame then costs about as much as ten",
    )
    parser.add_argument(
        "--search-every",
        type=positive,
        default=1,
        metavar="N",
        help="frames between two searches for further faces while the known ones are in view; more is faster where the background moves (default: 1)",
    )
    parser.add_argument(
        "--skip",
        choices=tuple(SKIP),
        default="off",
        help="do not run the network on faces that have not changed: on, auto (only while the frame rate cannot be kept) or off (default: off)",
    )
    parser.add_argument(
        "--smooth",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="smooth and debounce AUs over time; sinks and recordings get the raw probabilities too (default: on)",
    )
    parser.add_argument(
        "--threads",
        type=positive,
        metavar="N",
        help="threads per inference (default: half of the processors)",
    )
    add_optional_outputs(parser)
    parser.add_argument(
        "--experimental", action="store_true", help="also report AUs that are not validated on real faces"
    )
    parser.add_argument(
        "--artifact",
        metavar="SEL",
        help="engine and precision: onnxruntime, litert, int8, litert/int8, ... or a file (default: the fastest on this machine)",
    )
    add_signature_options(parser)
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="folder for recordings made in the window (default: .)",
    )
    return parser


def _body(argv: Sequence[str] | None) -> int:
    parser = _parser()
    arguments = parser.parse_args(argv)
    with limited_logs():
        return _show(parser, arguments)


def _show(parser: CommandParser, arguments: argparse.Namespace) -> int:
    if arguments.tls_key is not None and not arguments.tls:
        raise UsageError("--tls-key is the key of a certificate; give that with --tls CERTIFICATE")
    if arguments.static is not None:
        others = [
            name
            for name, value in vars(arguments).items()
            if name not in _OF_STATIC and value != parser.get_default(name)
        ]
        if others:
            options = ", ".join(f"--{name.replace('_', '-')}" for name in others)
            raise UsageError(
                f"--static serves files, and takes --serve, --tls, --tls-key, --signatures and --trust; leave out {options}"
            )
        _serve_static(arguments)
        return DONE
    quieten_decoders()
    _source(arguments).close()  # what cannot be opened is reported before a network is loaded
    address = arguments.serve
    why = window.can_open() if address is None else ""
    if why and not arguments.sink:
        print(f"{NAME}: {why}, so the page is served instead of a window", file=sys.stderr)
        address = _DEFAULT
    if address is None:
        of_page = [
            f"--{name.replace('_', '-')}"
            for name in _OF_PAGE
            if getattr(arguments, name) != parser.get_default(name)
        ]
        if of_page:
            raise UsageError(f"{' and '.join(of_page)}: the page alone has that; give --serve too")
    session = WebcamSession(
        lambda artifact: _load(arguments, artifact), lambda: _source(arguments), arguments.sink
    )
    try:
        trained = session.bundle.manifest.network.trained
        overlay = Overlay(session, None if trained else _UNTRAINED)
        if address is None:
            session.start()
            if why:
                print(f"{NAME}: {why}; results go to {', '.join(session.sink_names)}", file=sys.stderr)
                _wait(session)
            else:
                window.show(session, overlay, arguments.out)
            if session.failure is not None:
                raise session.failure
        else:
            _serve(session, overlay, arguments, address)
    finally:
        session.close()
    return DONE


def _size(text: str) -> tuple[int, int]:
    """Width and height of ``1280x720``."""
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise argparse.ArgumentTypeError(f"must be WIDTHxHEIGHT such as 1280x720, got {text!r}")
    return int(width), int(height)


def _wait(session: WebcamSession) -> None:
    """Until the source ends, or Ctrl-C."""
    seen = 0
    while session.alive:
        seen, _ = session.wait(seen, 0.5)


def _load(arguments: argparse.Namespace, artifact: str | None) -> Pipeline:
    return Pipeline.load(
        arguments.bundle,
        artifact=artifact or arguments.artifact,
        max_faces=arguments.max_faces,
        far=arguments.far or None,
        experimental=arguments.experimental,
        threads=arguments.threads,
        landmarker_model=arguments.landmarker_model,
        filters=None if arguments.smooth else (),
        signatures=signature_policy(arguments),
        skip=arguments.skip,
        search_every=arguments.search_every,
        also=arguments.also,
    )


def _source(arguments: argparse.Namespace) -> Source:
    what = arguments.source
    file = what == "clip" or Path(what).is_file()
    if Path(what).is_dir():
        raise InputError(f"{what!r} is a folder; live sources are cameras, streams, videos and clip")
    if file and arguments.size is not None:
        raise InputError(f"--size is for cameras; {what!r} is a file and keeps its size")
    if file:
        return open_source(what, real_time=True, repeat=True, fps=arguments.fps)
    return open_source(what, size=arguments.size, fps=arguments.fps)


def _serve(session: WebcamSession, overlay: Overlay, arguments: argparse.Namespace, address: str) -> None:
    with _needs_aiohttp():
        from edgeau_apps.live.serve.server import serve
    out = sys.stderr if "-" in arguments.sink else sys.stdout  # which then has nothing but JSON lines
    serve(
        session,
        overlay,
        address,
        token=arguments.token,
        video=not arguments.no_video,
        out=out,
        encryption=_encryption(arguments),
        with_metrics=arguments.metrics,
    )


def _serve_static(arguments: argparse.Namespace) -> None:
    with _needs_aiohttp():
        from edgeau_apps.live.serve.static_site import serve_site
    serve_site(
        arguments.static,
        arguments.serve or _DEFAULT,
        out=sys.stdout,
        encryption=_encryption(arguments),
        signatures=signature_policy(arguments),
    )


@contextmanager
def _needs_aiohttp() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise DependencyError(f"the page needs aiohttp ({error}): {extra_line('web')}") from error


def _encryption(arguments: argparse.Namespace) -> Encryption | None:
    if arguments.tls is None:
        return None
    return Encryption(Path(arguments.tls) if arguments.tls else None, arguments.tls_key)
