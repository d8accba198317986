"""docs/commands.md is what the commands say, and one option means one thing."""

import shlex
import subprocess
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from edgeau._system.command import CommandParser
from edgeau.errors import UsageError
from edgeau_apps import console_scripts

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def written():
    spec = spec_from_file_location("commands_page", ROOT / "docs" / "commands.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(written):
    assert written.PAGE.read_text(encoding="utf-8") == written.page(), "python docs/commands.py writes it"


# Options that take another thing where the thing is another: a device of TensorRT and one of torch, files and folders to write.
DIFFERENT = {
    "--data": "a training's data set needs no word for its kind: the recipe has it",
    "--device": "TensorRT's devices and torch's",
    "--folds": "report's are a result of evaluate",
    "--landmarks": "points to write, and networks to pack",
    "--out": "a folder, a bundle, a file",
    "--precision": "of artifacts, and of a training's arithmetic",
    "--size": "a camera's two sides, a rendered picture's one",
    "--threads": "bench compares several",
}


def test_an_option_takes_the_same_everywhere(written):
    of = {name: written.options(parser) for name, parser in written.parsers().items()}
    takes = {}
    for own in of.values():
        for option, what in own.items():
            takes.setdefault(option, set()).add(what)
    assert {option for option, found in takes.items() if len(found) > 1} == set(DIFFERENT)


def test_every_command_has_the_common_manners(written):
    for name, parser in written.parsers().items():
        known = set(parser._option_string_actions)
        assert {"--help", "--version", "--quiet", "--verbose", "-q", "-v"} <= known, name
        assert f"edgeau-{name}" in parser.epilog or f"edgeau {name}" in parser.epilog, name
        assert ("--json" in known) is (name != "live"), name


@pytest.mark.parametrize(
    ("argv", "meant"),
    [
        ("anlyze", "did you mean 'analyze'?"),
        ("analyze x --anotate", "did you mean '--annotate'?"),
        ("analyze x --landmarks 86", "(choose from"),
        ("analyze x.png --bundle ligth", "does not exist"),
        ("live --source clp", "did you mean 'clip'?"),
        ("live --source clip --sink mqt://x/y", "did you mean 'mqtt'?"),
        ("live --source clip --sink osc://x:1?prefx=2", "unknown option"),
        ("live --source clip --size 1280", "must be WIDTHxHEIGHT"),
        ("live --source clip --size 1280x720", "--size is for cameras"),
        ("bench lihgt", "did you mean 'light'?"),
        ("explain ligt clip --out x", "did you mean 'light'?"),
        ("report mrpnt", "did you mean 'mrpnet'?"),
        ("export --target rasberrypi --out x", "did you mean 'raspberrypi'?"),
        ("export --target cpu --precision itn8 --out x", "did you mean 'int8'?"),
        ("export --model defualt --target cpu --out x", "did you mean 'default'?"),
        ("evaluate defalt --data x", "did you mean 'default'?"),
        ("evaluate default --data x --part fusd", "did you mean 'fused'?"),
        ("train mrpnet-bp4 --data x --out y", "did you mean 'mrpnet-bp4d'?"),
    ],
)
def test_a_mistyped_word_is_answered_with_the_one_that_was_meant(argv, meant, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert console_scripts.main(argv.split()) == 2
    said = capsys.readouterr().err
    assert meant in said
    assert said.count("\n") == 1


def test_quiet_and_verbose_exclude_each_other():
    with pytest.raises(UsageError, match="not allowed with"):
        CommandParser("edgeau-x", "", "edgeau-x").parse_args(["-q", "-v"])


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_completion_names_commands_and_options(shell, capsys):
    pytest.importorskip("shtab")
    assert console_scripts.main(["--completion", shell]) == 0
    script = capsys.readouterr().out
    assert "analyze" in script
    assert "--annotate" in script


def test_bash_completes(tmp_path, capsys):
    pytest.importorskip("shtab")
    assert console_scripts.main(["--completion", "bash"]) == 0
    (tmp_path / "completion").write_text(capsys.readouterr().out)
    ask = 'source completion; COMP_WORDS=(edgeau analyze --anno); COMP_CWORD=2; _shtab_edgeau "$@"; echo "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", ask], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["--annotate"]


def test_every_example_is_taken_by_its_parser(written):
    for parser in written.parsers().values():
        for line in str(parser.epilog).partition("example:")[2].strip().splitlines():
            command, *arguments = shlex.split(line.partition(" > ")[0])
            name = arguments.pop(0) if command == "edgeau" else command.removeprefix("edgeau-")
            written.parsers()[name].parse_args(arguments)
