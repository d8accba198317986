"""``edgeau-analyze``: action units of pictures and videos as tables that other tools read."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2

from edgeau import Pipeline
from edgeau._system.command import DONE, PARTLY, CommandParser, frames_a_second, positive, print_json, run
from edgeau._system.printable import printable
from edgeau._system.processor import usable_processors
from edgeau.action_units.unchanged import SKIP
from edgeau.annotation import Annotator
from edgeau.bundle.signature.options import add_signature_options, signature_policy
from edgeau.errors import InputError, OutputError, UsageError
from edgeau.stages import MOST_FACES
from edgeau.temporal.smoothing import Smoother
from edgeau_apps.analyze.analyze_inputs import analyze
from edgeau_apps.analyze.annotated import check_video_writer
from edgeau_apps.analyze.decoder_logging import quieten_decoders
from edgeau_apps.analyze.identity import Identity
from edgeau_apps.analyze.inputs import Input, find_inputs, loaded_for
from edgeau_apps.analyze.progress import Progress, say
from edgeau_apps.analyze.ray import analyze_spread
from edgeau_apps.analyze.result import Outcome, exit_code
from edgeau_apps.analyze.resume import State, Tables, placed, state_of
from edgeau_apps.analyze.sinks import Options
from edgeau_apps.optional_outputs import add_optional_outputs

__all__ = ["main"]

NAME = "edgeau-analyze"
_DESCRIPTION = """\
Find faces in pictures and videos and write their facial action units.

Without --out, faces and their AUs are printed. With --out DIR each picture or
video gives DIR/<stem>.csv, with the columns of OpenFace 2.2,
and DIR/<stem>.jsonl, with one frame a line. A folder stands for the pictures
and videos directly in it, a pattern such as 'faces/**/*.png' may go deeper,
and 'clip' is a packaged sample. Inputs of one name in several folders keep
their folders; within one folder the later ones get -2, -3, ... behind it.
With --sequence a folder or a pattern (also 'frames/%04d.png') is one film.

Faces are found from 2.5 % of the picture's long side upward, at any angle in the
image plane.

The CSV has one row per face, and one row with success 0 for a frame without
faces. AUxx_c is the decision (0 or 1); AUxx_p the probability (OpenFace has
none, so these columns come last); AUxx_r five times the estimated intensity,
for the AUs that have one. An AU that could not be read has empty cells, never 0.
frame counts from 1, as in OpenFace; index in the JSON lines from 0.
confidence is 1 or 0, like success, since the landmark models give no score.
source is the input. Eye closure is AU43 and, as in OpenFace, also AU45.

Exit code: 0 all done, 1 some inputs failed or ended early (named on stderr),
2 nothing could be done."""
_FOR_FILES = ("annotate", "landmarks", "pose", "events", "resume", "status", "ray")
_SHOWN = 5  # names in a message
_UNTRAINED = "UNTRAINED NETWORK: these numbers are meaningless"


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    return run(NAME, _analyze, argv)


def _parser() -> CommandParser:
    parser = CommandParser(NAME, _DESCRIPTION, f"{NAME} portrait.jpg film.mp4 --out results --annotate")
    parser.add_argument(
        "inputs", nargs="+", metavar="INPUT", help="a picture, a video, a folder, a pattern, or clip"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder for the tables, created if missing (default: print faces and AUs and write nothing)",
    )
    parser.add_argument(
        "--bundle",
        metavar="NAME|DIR",
        help="default, light, or a folder that edgeau-export made (default: default)",
    )
    parser.add_argument(
        "--annotate", action="store_true", help="also write <stem>.annotated.png, .jpg or .mp4"
    )
    parser.add_argument(
        "--landmarks",
        type=int,
        choices=(68, 478),
        help="also write landmarks: the 68 iBUG points, or all 478 of the mesh",
    )
    parser.add_argument(
        "--pose", action="store_true", help="also write head rotation (OpenFace's axes, radians)"
    )
    parser.add_argument(
        "--smooth",
        action=argparse.BooleanOptionalAction,
        default=True,
        help=f"smooth and debounce the AUs of videos over time, with a lag of at most {Smoother().latency_s:.2f} s; "
        "the table always has the raw probabilities too (default: on)",
    )
    parser.add_argument(
        "--events",
        action="store_true",
        help="also write <stem>.events.csv: when each AU of a video began and ended",
    )
    add_optional_outputs(parser)
    parser.add_argument(
        "--experimental", action="store_true", help="also report AUs that are not validated on real faces"
    )
    parser.add_argument(
        "--artifact",
        metavar="SEL",
        help="engine and precision: onnxruntime, int8, onnxruntime/int8, ... or a file (default: the fastest on this machine)",
    )
    parser.add_argument(
        "--threads",
        type=positive,
        metavar="N",
        help="threads per inference (default: 1 on several cores, for a single picture half of the processors)",
    )
    parser.add_argument(
        "--cores",
        type=positive,
        default=usable_processors(),
        metavar="N",
        help="processors for decoding, landmarks and networks; results do not change (default: all, %(default)s)",
    )
    parser.add_argument(
        "--max-faces",
        type=positive,
        default=MOST_FACES,
        metavar="N",
        help="most faces to look for; 1 is faster (default: %(default)s)",
    )
    parser.add_argument(
        "--search-every",
        type=positive,
        default=1,
        metavar="N",
        help="frames of a video between two searches for further faces while the known ones are in view; more is faster where the background moves (default: 1)",
    )
    parser.add_argument(
        "--skip",
        choices=tuple(SKIP),
        default="off",
        help="do not run the network on faces of videos that have not changed since its last run; auto is for live streams (default: off)",
    )
    parser.add_argument(
        "--sequence",
        action="store_true",
        help="treat each INPUT, a folder or pattern of pictures, as one video: with tracks, times and one table",
    )
    parser.add_argument(
        "--fps",
        type=frames_a_second,
        metavar="RATE",
        help="frames per second of such a video (default: 25)",
    )
    parser.add_argument(
        "--landmarker-model",
        type=Path,
        metavar="FILE",
        help="face landmark networks to use instead of the bundle's: a face_landmarker.task, a wheel or a folder",
    )
    add_signature_options(parser)
    parser.add_argument(
        "--resume",
        action="store_true",
        help="skip inputs whose complete tables are in DIR already, made with the same bundle and options",
    )
    parser.add_argument("--status", action="store_true", help="only report how many inputs are done and left")
    parser.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="distribute the inputs over a Ray cluster; local: over the processors of this machine",
    )
    parser.add_json()
    return parser


def _analyze(argv: Sequence[str] | None) -> int:
    arguments = _parser().parse_args(argv)
    _check_out(arguments)
    quieten_decoders()
    if arguments.fps is not None and not arguments.sequence:
        raise UsageError("--fps is for films of pictures; give --sequence too")
    found = find_inputs(arguments.inputs, sequence=arguments.sequence)
    inputs, tables = list(found.inputs), None
    if arguments.out is not None:
        tables = Tables(arguments.out)
        inputs = placed(inputs, tables)
    if not inputs:
        raise InputError("; ".join(item.why for item in found.refused))
    if found.left_out:
        say(f"{NAME}: {_left_out(found.left_out)}", sys.stderr)
    identity = Identity.of(arguments)
    done = 0
    if tables is not None and (arguments.status or arguments.resume):
        state = state_of(inputs, tables, identity, found.refused)
        if arguments.status:
            return _status(state, as_json=arguments.json)
        inputs, done = list(state.left), len(state.done)
    if arguments.annotate and any(one.kind == "video" for one in inputs):
        check_video_writer()
    many = len(inputs) > 1 or any(one.kind == "video" for one in inputs)
    with loaded_for(inputs, lambda: _load(arguments, many=many)) as pipeline:
        outcomes = [_told(Outcome(item.name, error=item.why), quiet=True) for item in found.refused]
        outcomes += _analyze_all(inputs, pipeline, arguments)
        if arguments.json:
            print_json(_document(pipeline, outcomes))
        if not pipeline.bundle.manifest.network.trained:
            say(f"{NAME}: {_UNTRAINED}", sys.stderr)
    return exit_code(outcomes, done)


def _check_out(arguments: argparse.Namespace) -> None:
    if arguments.out is None:
        for option in _FOR_FILES:
            if getattr(arguments, option):
                raise UsageError(f"--{option} is about files; give a folder for them with --out DIR")
    elif arguments.out.exists() and not arguments.out.is_dir():
        raise OutputError(f"--out {str(arguments.out)!r} is a file; give a folder")


def _left_out(files: list[Path]) -> str:
    shown = ", ".join(printable(file) for file in files[:_SHOWN])
    more = f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else ""
    what = "file that is neither a picture nor a video by its name"
    if len(files) > 1:
        what = "files that are neither pictures nor videos by their names"
    return f"left out {len(files)} {what}: {shown}{more}"


def _status(state: State, *, as_json: bool) -> int:
    if as_json:
        print_json(state.to_dict())
    else:
        say("\n".join([state.line(), *(left.name for left in state.left)]), sys.stdout)
    for item in state.refused:
        say(f"{NAME}: {item.why}", sys.stderr)
    return DONE if state.is_done else PARTLY


def _load(arguments: argparse.Namespace, *, many: bool) -> Pipeline:
    """Load what the arguments ask for; ``many`` says that there is more than one picture to look at."""
    # Networks side by side do more than threads of one network, and look at more frames.
    spread = many and arguments.cores > 1 and not arguments.ray
    threads = 1 if arguments.threads is None and spread else arguments.threads
    if spread:
        cv2.setNumThreads(1)  # every processor has a frame; OpenCV's own threads would wait for one
    return Pipeline.load(
        arguments.bundle,
        artifact=arguments.artifact,
        threads=threads,
        max_faces=arguments.max_faces,
        experimental=arguments.experimental,
        landmarker_model=arguments.landmarker_model,
        filters=None if arguments.smooth else (),
        signatures=signature_policy(arguments),
        skip=arguments.skip,
        search_every=arguments.search_every,
        also=arguments.also,
    )


def _analyze_all(inputs: list[Input], pipeline: Pipeline, arguments: argparse.Namespace) -> list[Outcome]:
    outcomes = []
    with Progress(NAME, len(inputs), "inputs", draw=len(inputs) > 1) as bar:
        for outcome in _outcomes(inputs, pipeline, arguments):
            outcomes.append(_told(outcome, quiet=arguments.json))
            bar.step()
    order = {given.name: place for place, given in enumerate(inputs)}  # a cluster gives them as they come
    return sorted(outcomes, key=lambda outcome: order[outcome.input])


def _outcomes(inputs: list[Input], pipeline: Pipeline, arguments: argparse.Namespace) -> Iterator[Outcome]:
    if arguments.ray:
        yield from analyze_spread(arguments.ray, inputs, arguments, _opened)
    else:
        options = _options(pipeline, arguments)
        yield from analyze(inputs, pipeline, options)


def _opened(arguments: argparse.Namespace) -> tuple[Pipeline, Options]:
    """Open what a worker needs."""
    pipeline = _load(arguments, many=False)
    return pipeline, _options(pipeline, arguments)


def _options(pipeline: Pipeline, arguments: argparse.Namespace) -> Options:
    annotator = _annotator(pipeline, arguments)
    return Options(
        arguments.out,
        arguments.landmarks,
        arguments.pose,
        arguments.events,
        annotator,
        Identity.of(arguments),
        arguments.fps,
        arguments.sequence,
        1 if arguments.ray else arguments.cores,
    )


def _annotator(pipeline: Pipeline, arguments: argparse.Namespace) -> Annotator | None:
    if not arguments.annotate:
        return None
    trained = pipeline.bundle.manifest.network.trained
    return Annotator(pipeline.thresholds, warning=None if trained else _UNTRAINED)


def _told(outcome: Outcome, *, quiet: bool) -> Outcome:
    """The outcome, told to the user: what was written on stdout, what went wrong on stderr."""
    if outcome.error:
        say(f"{NAME}: {outcome.error}", sys.stderr)
    if outcome.has_output and not quiet:
        say(outcome.text(), sys.stdout)
    return outcome


def _document(pipeline: Pipeline, outcomes: list[Outcome]) -> dict[str, Any]:
    network = pipeline.bundle.manifest.network
    return {
        "bundle": str(pipeline.bundle.directory),
        "network": {"name": network.name, "title": network.title, "trained": network.trained},
        "artifact": {"file": pipeline.artifact.file, "precision": pipeline.artifact.precision},
        "engine": str(pipeline.describe()),
        "labels": list(pipeline.labels),
        "inputs": [outcome.to_dict() for outcome in outcomes],
    }
