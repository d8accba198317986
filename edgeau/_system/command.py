"""Manners that every edgeau command shares: exit codes, ``--json``, errors in one line, Ctrl-C.

Exit codes: 0 done, 1 done in part, 2 the user can fix it, 3 a gate refused, 70 a bug of edgeau (``EX_SOFTWARE`` of
sysexits.h), 130 interrupted, 143 terminated. A program that crashes natively prints where (``faulthandler``).
"""

from __future__ import annotations

import argparse
import errno
import faulthandler
import logging
import os
import platform
import re
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from importlib import metadata
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from edgeau._system.did_you_mean import did_you_mean
from edgeau._system.install_lines import extra_line
from edgeau._system.json_text import json_text
from edgeau._system.named_object import named_object
from edgeau._system.progress import show_progress
from edgeau._system.version import VERSION
from edgeau.errors import DependencyError, EdgeauError, UsageError

__all__ = [
    "BUG",
    "DONE",
    "INTERRUPTED",
    "PARTLY",
    "TERMINATED",
    "CommandParser",
    "entry",
    "f1_drop",
    "frames_a_second",
    "positive",
    "print_json",
    "run",
    "say_left_out",
    "seconds",
    "sigterm_unwinds",
    "talk",
]

TERMINATED = 128 + signal.SIGTERM
"""Exit code of a program that SIGTERM ended, as shells count it."""

_PACKAGES = ("edgeau", "edgeau_apps", "edgeau_calibration", "edgeau_export", "edgeau_training")

DONE = 0
PARTLY = 1
BUG = 70
INTERRUPTED = 130

# How argparse words a value that is none of the choices, on Python 3.10 to 3.13.
_CHOICE = re.compile(r"invalid choice: '?(.*?)'? \(choose from (.*)\)")
_DIGITS = 12  # of a number that a person types
_SHOWN = 10  # lines of what was left out
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# What the system says of a place that the user named, or of the disk that it is on: nothing that edgeau could have done.
_PLACE = (
    errno.ENAMETOOLONG,
    errno.ELOOP,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.EIO,
    errno.ESTALE,
    errno.ENOTDIR,
)


class CommandParser(argparse.ArgumentParser):
    """An argument parser whose usage errors are :class:`UsageError`, so that they end like all others."""

    def __init__(self, name: str, description: str, example: str) -> None:
        super().__init__(
            prog=name,
            description=description,
            epilog=f"example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self.add_argument("--version", action="version", version=f"{name} {VERSION}")
        talking = self.add_mutually_exclusive_group()
        talking.add_argument(
            "-q", "--quiet", action="store_true", help="errors and results only: no progress, no warnings"
        )
        talking.add_argument(
            "-v",
            "--verbose",
            action="store_true",
            help="also print what is done and which files and engines are used",
        )

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print, as :class:`UsageError`."""
        raise UsageError(f"{message}; {self._meant(message)}{self.prog} --help shows what there is")

    def parse_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        """Parse, and from then on say as much as ``--quiet`` and ``--verbose`` ask for."""
        arguments = super().parse_args(args, namespace)
        talk(self.prog, quiet=arguments.quiet, verbose=arguments.verbose)
        return arguments

    def _meant(self, message: str) -> str:
        """Ask whether the option or value that an unknown one resembles was meant; "" where it resembles nothing."""
        choice = _CHOICE.search(message)
        if choice is not None:
            return did_you_mean(choice[1], re.findall(r"[^\s',]+", choice[2]))
        if not message.startswith("unrecognized arguments"):
            return ""
        options = self._option_string_actions
        unknown = [word.partition("=")[0] for word in message.split() if word.startswith("-")]
        return next(
            (meant for word in unknown if word not in options and (meant := did_you_mean(word, options))), ""
        )

    def add_json(self) -> None:
        """The ``--json`` option."""
        self.add_argument(
            "--json", action="store_true", help="print one JSON document on stdout, and nothing else"
        )


def talk(name: str, *, quiet: bool, verbose: bool) -> None:
    """Set what a command says beside its results, on stderr: warnings, unless asked for less or more.

    Args:
        name: name of the command, put before each line.
        quiet: errors only, and no progress.
        verbose: what edgeau does, too.
    """
    logging.basicConfig(format=f"{name}: %(message)s")
    show_progress(not quiet)
    if quiet:
        logging.getLogger().setLevel(logging.ERROR)
    elif verbose:
        for package in _PACKAGES:
            logging.getLogger(package).setLevel(logging.INFO)


@contextmanager
def _talk_as_before() -> Iterator[None]:
    """Take back what :func:`talk` set when the command ends: a program that calls it goes on saying what it said."""
    levels = {name: logging.getLogger(name).level for name in ("", *_PACKAGES)}
    try:
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
        show_progress(True)


def frames_a_second(text: str) -> float:
    """The value of an option that is a rate; for ``type=``.

    Raises:
        argparse.ArgumentTypeError: it is not a number above 0, or one of 10,000 and more.
    """
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate < 10_000:
        raise argparse.ArgumentTypeError(f"must be a number of frames a second, got {text!r}")
    return rate


def seconds(text: str) -> float:
    """The value of an option that is a time; for ``type=``.

    Raises:
        argparse.ArgumentTypeError: it is not a number above 0, or one of more than a day.
    """
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e5:
        raise argparse.ArgumentTypeError(f"must be a number of seconds above 0, got {text!r}")
    return number


def f1_drop(text: str) -> float:
    """The value of an option that limits a drop of F1; for ``type=``.

    Raises:
        argparse.ArgumentTypeError: it is not a number from 0 to 1.
    """
    try:
        drop = float(text)
    except ValueError:
        drop = -1.0
    if not 0 <= drop <= 1:
        raise argparse.ArgumentTypeError(f"must be a drop of F1, 0 to 1, such as 0.005, got {text!r}")
    return drop


def run(name: str, body: Callable[[Sequence[str] | None], int], argv: Sequence[str] | None = None) -> int:
    """Run a command's body and turn what it raises into an exit code.

    Args:
        name: name of the command, put before its error line.
        body: takes the arguments, returns the exit code.
        argv: arguments without the program's name; None takes those of the process.
    """
    _open_closed_streams()
    _show_every_letter()
    _trace_crashes()
    try:
        with sigterm_unwinds(), _talk_as_before():
            code = body(argv)
            try:
                sys.stdout.flush()  # what cannot be printed is noticed here, not when the interpreter ends
            except BrokenPipeError:  # the reader went away; what was done was done
                _silence_stdout()
            return code
    except EdgeauError as error:
        print(f"{name}: {_one_line(error)}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(f"{name}: interrupted; nothing half-written was left", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our stdout went away (| head): not an error of ours; keep the interpreter's flush from raising.
        _silence_stdout()
        return DONE
    except Exception as error:  # noqa: BLE001 - the last line of defence: a trace, a code of its own, and what to do
        if (
            isinstance(error, OSError)
            and error.errno in _PLACE
            and not isinstance(error.filename, int | None)
        ):
            print(f"{name}: {os.fsdecode(error.filename)!r}: {error.strerror}", file=sys.stderr)
            return EdgeauError.exit_code
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            print(f"{name}: {_one_line(error)}; free some space and run it again", file=sys.stderr)
            _silence_stdout()
            return EdgeauError.exit_code
        # Of a circular link, before Python 3.13.
        if isinstance(error, RuntimeError) and str(error).startswith("Symlink loop"):
            print(f"{name}: {_one_line(error)}", file=sys.stderr)
            return EdgeauError.exit_code
        if isinstance(error, ImportError) and (package := _package_of(error)):
            print(
                f"{name}: {package} is installed and cannot be used ({_one_line(error)}); edgeau-doctor says what to do",
                file=sys.stderr,
            )
            return EdgeauError.exit_code
        traceback.print_exc()
        print(
            f"{name}: this is a bug in edgeau {VERSION} (Python {platform.python_version()}, {platform.platform()}); "
            f"please report it with the lines above and the command: {_where_to_report()}",
            file=sys.stderr,
        )
        return BUG


def _package_of(error: ImportError) -> str:
    """Name another program's package that is there and does not work, for lack of a library or in another version; else ""."""
    package = (error.name or "").partition(".")[0]
    return "" if isinstance(error, ModuleNotFoundError) or package.startswith("edgeau") else package


def _where_to_report() -> str:
    """The address for faults that this package was built with."""
    try:
        links = metadata.metadata("edgeau").get_all("Project-URL") or []
    except metadata.PackageNotFoundError:
        links = []
    found = (link.partition(", ") for link in links)
    return next((address for name, _, address in found if name == "Issues"), "CONTRIBUTING.md says where")


def entry(name: str, module: str, extra: str) -> partial[int]:
    """Make the function that starts a command as a program: its module is imported only then, so that a missing package is one line.

    Args:
        name: name of the command.
        module: that has its ``main``.
        extra: extra of edgeau that brings the packages.
    """

    def body(argv: Sequence[str] | None) -> int:
        try:
            code: int = named_object(f"{module}:main")(argv)
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package.startswith("edgeau"):
                raise
            raise DependencyError(
                f"it needs {package}, which is not installed: {extra_line(extra)}"
            ) from error
        return code

    return partial(run, name, body)


def say_left_out(name: str, lines: Sequence[str]) -> None:
    """Say on stderr what a command did not do, one line each; many are counted, so that they do not fill the terminal."""
    for line in lines[:_SHOWN]:
        print(f"{name}: left out: {line}", file=sys.stderr)
    if len(lines) > _SHOWN:
        print(f"{name}: left out: {len(lines) - _SHOWN} more", file=sys.stderr)


def positive(text: str) -> int:
    """An option's whole number of 1 or more, which fits into 31 bits.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if not text.isdecimal() or not text.strip("0"):
        raise argparse.ArgumentTypeError(f"must be a whole number of 1 or more, got {text!r}")
    if len(text) > _DIGITS or int(text) >= 1 << 31:
        raise argparse.ArgumentTypeError(f"must be at most 2,147,483,647, got {text[: 2 * _DIGITS]}")
    return int(text)


def print_json(document: Any) -> None:
    """Print one JSON document on stdout."""
    text = json_text(document, encoding=sys.stdout.encoding or "utf-8")
    try:
        sys.stdout.write(text)
        sys.stdout.write("\n")
    except BrokenPipeError:  # the reader went away: the command's code still says how it went
        _silence_stdout()


def _trace_crashes() -> None:
    """An engine or decoder that crashes natively ends with a trace of every thread, and not without a word."""
    if not faulthandler.is_enabled():
        # A descriptor of its own: the usual one may lead elsewhere at that moment (native_stderr).
        with suppress(OSError):  # there is no stderr
            faulthandler.enable(os.dup(2))


def _show_every_letter() -> None:
    """Escape what a console cannot print, and bytes of a file name that are no text, instead of failing on them."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _open_closed_streams() -> None:
    """Lead closed standard streams, which are None, nowhere: the next file to be opened would take their number, and what native code prints."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is not None:
            continue
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:  # they are opened in their order, so that it is as a rule
                os.dup2(nowhere, number)
                os.close(nowhere)
            os.set_inheritable(number, True)
        setattr(sys, name, Path(os.devnull).open("w" if number else "r", encoding="utf-8"))  # noqa: SIM115 - until the end


def _silence_stdout() -> None:
    """Keep the interpreter's last flush from raising once more; what can still be printed is."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    with suppress(OSError, ValueError):  # a stream of an embedding program has no descriptor
        place = sys.stdout.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, place)
        os.close(nowhere)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


@contextmanager
def sigterm_unwinds() -> Iterator[None]:
    """Inside the block SIGTERM raises :class:`SystemExit`, so that every ``with`` around it finishes its files.

    Otherwise it kills at once, and leaves half of what was being written. Signals reach the main thread only: in any other
    the block does nothing, nor does it where somebody handles SIGTERM already.
    """
    ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    )
    if ours:
        signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        if ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not interrupt the finishing
    raise SystemExit(TERMINATED)
