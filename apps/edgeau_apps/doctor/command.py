"""``edgeau-doctor``: the findings as a list, and an exit code by the worst of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edgeau import __version__
from edgeau._system.command import DONE, PARTLY, CommandParser, print_json, run, seconds
from edgeau._system.json_text import json_text, parse_json
from edgeau._system.records import from_dict, to_dict
from edgeau.errors import InputError, RecordError, UsageError, UserError
from edgeau_apps.doctor.checks import examine
from edgeau_apps.doctor.finding import LEVELS, Finding
from edgeau_apps.doctor.machine import MachineDescription
from edgeau_apps.doctor.probe import this_machine
from edgeau_apps.doctor.trials import TIME_LIMIT, try_machine

__all__ = ["main"]

_SIGNS = {"good": "ok", "note": "--", "warning": "!!", "problem": "XX"}
# What runs with limits is done in part; what cannot run is the user's to fix.
_CODES = {"good": DONE, "note": DONE, "warning": PARTLY, "problem": UserError.exit_code}


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    return run("edgeau-doctor", _body, argv)


def _body(argv: Sequence[str] | None) -> int:
    arguments = _parser().parse_args(argv)
    if arguments.sbom is not None:
        others = [name for name in ("machine", "json") if getattr(arguments, name)]
        if others:
            raise UsageError(
                f"--sbom writes what is installed here into its own JSON file; leave out --{' and --'.join(others)}"
            )
        return _write_sbom(arguments.sbom, arguments.bundle)
    if arguments.machine is None:
        machine = replace(
            this_machine(time_limit=arguments.time_limit),
            landmarks_in_bundle=_brings_landmarks(arguments.bundle),
        )
        findings = [
            *examine(machine),
            *try_machine(machine, arguments.bundle, time_limit=arguments.time_limit),
        ]
    else:
        if arguments.bundle is not None:
            raise UsageError("a bundle can be tried only on this machine; leave out --machine or the bundle")
        machine = _described(arguments.machine)
        findings = list(examine(machine))
    worst = max((finding.level for finding in findings), key=LEVELS.index)
    if arguments.json:
        print_json(
            {
                "edgeau": __version__,
                "worst": worst,
                "findings": to_dict(findings),
                "machine": to_dict(machine),
            }
        )
    else:
        print("\n".join(_lines(findings)))
    return _CODES[worst]


def _write_sbom(file: Path, bundle: str | None) -> int:
    # Imported only now: the doctor itself runs where numpy is missing.
    from edgeau._system.atomic_file import write_whole
    from edgeau.bundle import bundle_folder, load_bundle
    from edgeau_apps.doctor.bill_of_materials import bill_of_materials

    document = bill_of_materials(None if bundle is None else load_bundle(bundle_folder(bundle)))
    write_whole(file, f"{json_text(document)}\n".encode())
    print(f"{file}: CycloneDX 1.6, {len(document['components'])} components")
    return DONE


def _brings_landmarks(bundle: str | None) -> bool:
    """Tell whether a bundle has landmark networks; checked without numpy, which may be missing."""
    if bundle is None:
        return False
    try:
        found = parse_json((Path(bundle) / "manifest.json").read_text("utf-8"))["landmarks"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return found is not None


def _parser() -> CommandParser:
    parser = CommandParser(
        "edgeau-doctor",
        "Test what this machine can run: landmarks of a packaged frame, the golden answers of every artifact, whole frames. "
        "Lists what is missing, with the matching pip command. "
        "Exit code: 0 all is well, 1 runs with limits, 2 something must be fixed.",
        "edgeau-doctor --json > machine.json",
    )
    parser.add_argument(
        "bundle",
        nargs="?",
        metavar="NAME|DIR",
        help="bundle to test: its artifacts and landmark networks (default: the packaged default)",
    )
    parser.add_argument(
        "--machine",
        type=Path,
        metavar="FILE",
        help="diagnose another machine from its output of edgeau-doctor --json",
    )
    parser.add_argument(
        "--sbom",
        type=Path,
        metavar="FILE",
        help="write a bill of materials instead (CycloneDX 1.6): what is installed here, and the bundle with its model card",
    )
    parser.add_argument(
        "--time-limit",
        type=seconds,
        default=TIME_LIMIT,
        metavar="SECONDS",
        help="time limit of each test; a test that exceeds it counts as a warning (default: %(default)g)",
    )
    parser.add_json()
    return parser


def _described(path: Path) -> MachineDescription:
    try:
        document = parse_json(path.read_text("utf-8"))
        return from_dict(MachineDescription, document.get("machine", document), str(path))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, AttributeError, RecordError) as error:
        raise InputError(
            f"{path} describes no machine ({error}); make one with edgeau-doctor --json"
        ) from error


def _lines(findings: Sequence[Finding]) -> list[str]:
    width = max(len(finding.subject) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{_SIGNS[finding.level]}  {finding.subject.ljust(width)}  {finding.says}")
        if finding.fix:
            lines.append(f"    {' ' * width}  do: {finding.fix}")
    counts = Counter(finding.level for finding in findings)
    bad = [
        f"{counts[level]} {level}{'s' * (counts[level] > 1)}"
        for level in ("problem", "warning")
        if counts[level]
    ]
    return [*lines, "", ", ".join(bad) if bad else "everything needed is here"]
