from __future__ import annotations

import argparse
import errno
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from edgeau._system import command
from edgeau._system.version import VERSION
from edgeau.errors import BundleError, GateRefusedError


def failing(error: BaseException):
    def body(argv):
        raise error

    return body


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BundleError("it is\n  damaged"), 2),
        (GateRefusedError("F1 fell by 0.3"), 3),
        (KeyboardInterrupt(), 130),
    ],
)
def test_an_error_becomes_one_line_and_its_exit_code(error, code: int, capsys) -> None:
    assert command.run("edgeau-x", failing(error), []) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("edgeau-x: ")
    assert captured.err.count("\n") == 1


def test_our_bugs_keep_their_trace_and_say_where_to_report_them(capsys) -> None:
    assert command.run("edgeau-x", failing(ZeroDivisionError("of ours")), []) == 70
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("Traceback")
    assert "ZeroDivisionError: of ours" in lines
    assert lines[-1].startswith("edgeau-x: this is a bug in edgeau")
    assert "please report it" in lines[-1]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_under_stdout_is_no_success() -> None:
    program = (
        "import sys; from edgeau._system import command\n"
        "sys.exit(command.run('edgeau-x', lambda _: print('line') or 0, []))\n"
    )
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", program], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert done.stderr == "edgeau-x: [Errno 28] No space left on device; free some space and run it again\n"


def parser() -> command.CommandParser:
    made = command.CommandParser("edgeau-x", "Does x.", "edgeau-x --number 3")
    made.add_argument("--number", type=int)
    made.add_json()
    return made


@pytest.mark.parametrize("argv", [["--nmber", "3"], ["--number", "three"], ["--num", "3"], ["stray"]])
def test_a_wrong_argument_ends_like_all_errors(argv: list[str], capsys) -> None:
    assert command.run("edgeau-x", lambda given: parser().parse_args(given) and 0, argv) == 2
    assert "edgeau-x --help shows what there is" in capsys.readouterr().err


def test_a_wrong_option_is_told_which_one_was_meant(capsys) -> None:
    assert command.run("edgeau-x", lambda given: parser().parse_args(given) and 0, ["--nmber=3"]) == 2
    assert capsys.readouterr().err == (
        "edgeau-x: unrecognized arguments: --nmber=3; did you mean '--number'? edgeau-x --help shows what there is\n"
    )


def test_every_command_tells_its_version(capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        parser().parse_args(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"edgeau-x {VERSION}\n"


def test_help_has_an_example(capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        parser().parse_args(["--help"])
    assert caught.value.code == 0
    assert "example:\n  edgeau-x --number 3" in capsys.readouterr().out


def test_json_is_one_document(capsys) -> None:
    command.print_json({"name": "größer", "values": [1, None]})
    assert json.loads(capsys.readouterr().out) == {"name": "größer", "values": [1, None]}


def test_json_has_no_numbers_that_json_does_not_know() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        command.print_json({"value": float("nan")})


def test_a_reader_that_goes_away_is_no_error() -> None:
    program = (
        "import sys; from edgeau._system import command\n"
        "def body(argv):\n"
        "    for _ in range(100000): print('line')\n"
        "    return 0\n"
        "sys.exit(command.run('edgeau-x', body, []))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        error = process.stderr.read()
    assert (process.returncode, error) == (0, "")


def test_a_program_whose_package_is_missing_says_so_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "wants.py").write_text("import not_there.at_all\n")
    (tmp_path / "wants_ours.py").write_text("import edgeau.not_there\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("sys.argv", ["edgeau-x"])
    assert command.entry("edgeau-x", "wants", "train")() == 2
    assert capsys.readouterr().err == (
        "edgeau-x: it needs not_there, which is not installed: pip install 'edgeau[train]'\n"
    )
    assert command.entry("edgeau-x", "wants_ours", "train")() == 70  # a fault of ours is not hidden
    assert "ModuleNotFoundError: No module named 'edgeau.not_there'" in capsys.readouterr().err


def test_a_native_crash_leaves_a_trace_though_native_lines_are_being_dropped() -> None:
    program = (
        "import faulthandler, re, sys\n"
        "from edgeau._system import command\n"
        "from edgeau._system.native_stderr import native_lines_dropped\n"
        "def crashing_body(_):\n"
        "    with native_lines_dropped(re.compile(b'x')): faulthandler._sigsegv()\n"
        "sys.exit(command.run('edgeau-x', crashing_body, []))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGSEGV
    assert "Segmentation fault" in done.stderr
    assert "in crashing_body" in done.stderr


@pytest.mark.parametrize("option", ["--quiet", "--verbose"])
def test_a_command_called_from_a_program_leaves_its_messages_as_they_were(option: str) -> None:
    levels = [logging.getLogger(name).level for name in ("", "edgeau", "edgeau_apps")]

    def body(argv: Sequence[str] | None) -> int:
        command.CommandParser("edgeau-test", "A test.", "edgeau-test").parse_args(argv)
        assert [logging.getLogger(name).level for name in ("", "edgeau", "edgeau_apps")] != levels
        return 0

    assert command.run("edgeau-test", body, [option]) == 0
    assert [logging.getLogger(name).level for name in ("", "edgeau", "edgeau_apps")] == levels


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENAMETOOLONG, "File name too long", "a" * 300),
        PermissionError(errno.EACCES, "Permission denied", b"/closed/it"),
        OSError(errno.EIO, "Input/output error", Path("/stick/it")),
    ],
)
def test_a_place_that_the_system_refuses_is_one_line(error: OSError, capsys) -> None:
    assert command.run("edgeau-x", failing(error), []) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "bug" not in said
    assert str(error.strerror) in said


def test_an_error_of_the_system_without_a_place_is_ours(capsys) -> None:
    assert command.run("edgeau-x", failing(PermissionError(errno.EACCES, "Permission denied")), []) == 70
    assert "this is a bug" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["0", "-1", "x", "", "2147483648", "9" * 30, "9" * 5000, "²"])
def test_a_number_that_no_engine_takes_is_a_wrong_argument(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="must be"):
        command.positive(text)
    assert command.positive("2147483647") == 2147483647
    assert command.positive("007") == 7


@pytest.mark.parametrize(
    "what", ["print('line')", "command.print_json(['line'])", "command.print_json(['line' * 100000])"]
)
def test_the_code_says_how_it_went_when_the_reader_has_gone(what: str) -> None:
    program = (
        "import sys; from edgeau._system import command\n"
        f"sys.exit(command.run('edgeau-x', lambda _: {what} or command.PARTLY, []))\n"
    )
    read, write = os.pipe()
    os.close(read)
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        [sys.executable, "-c", program], stdout=write, stderr=subprocess.PIPE, check=False, env=buffered
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (command.PARTLY, b"")


@pytest.mark.parametrize("closed", ["1", "2", "1 and 2", "0"])
def test_closed_streams_lead_nowhere_and_no_file_takes_their_place(tmp_path: Path, closed: str) -> None:
    program = (
        "import os, sys; from edgeau._system import command\n"
        "def body(argv):\n"
        f"    with open({str(tmp_path / 'table.csv')!r}, 'w') as file:\n"
        "        os.write(1, b'what native code prints'); os.write(2, b'and complains of')\n"
        "        print('said', file=sys.stderr); command.print_json({'a': sys.stderr.isatty()})\n"
        "        file.write('a,b')\n"
        "    return 0\n"
        "sys.exit(command.run('edgeau-x', body, []))\n"
    )
    redirections = " ".join(f"{number}>&-" for number in closed.split(" and "))
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" -c "$1" {redirections}', sys.executable, program],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "table.csv").read_text() == "a,b"
    assert ("said" in done.stdout, "said" in done.stderr) == (False, "2" not in closed)


def test_a_package_that_cannot_be_loaded_is_the_users_to_fix(capsys) -> None:
    error = ImportError("libGL.so.1: cannot open shared object file", name="cv2", path="cv2.abi3.so")
    assert command.run("edgeau-x", failing(error), []) == 2
    said = capsys.readouterr().err
    assert said == (
        "edgeau-x: cv2 is installed and cannot be used (libGL.so.1: cannot open shared object file); edgeau-doctor says what to do\n"
    )
    assert command.run("edgeau-x", failing(ImportError("no", name="edgeau.stages")), []) == 70


def test_a_circular_link_is_one_line(tmp_path: Path, capsys) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert command.run("edgeau-x", lambda _: bool((tmp_path / "loop").resolve(strict=True)), []) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("text", ["nan", "-0.1", "2", "much", "inf"])
def test_a_drop_of_f1_is_a_share(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="0 to 1"):
        command.f1_drop(text)
    assert command.f1_drop("0.01") == 0.01
