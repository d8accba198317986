"""Every command line in the pages is taken by the parser of that command, and every link leads to a file."""

import re
import shlex
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from edgeau.errors import UsageError
from edgeau_apps import console_scripts

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = {f"edgeau-{command.name}": command.module for command in console_scripts.COMMANDS.values()} | {
    "edgeau_training.evaluation.fusion_command": "edgeau_training.evaluation.fusion_command",
}
_FENCE = re.compile(r"^```(?:bash|sh)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def command_lines(text):
    for block in _FENCE.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words[:2] == ["python", "-m"]:
                words = words[2:]
            if (
                words[:1] == ["edgeau"] and len(words) > 1 and not words[1].startswith("-")
            ):  # "edgeau X" and "edgeau-X" are the same program
                words = [f"edgeau-{words[1]}", *words[2:]]
            if words and words[0].startswith(("edgeau-", "edgeau.", "edgeau_")):
                yield [word for word in words if word != "[...]"]


def shown():
    return [
        pytest.param(words, id=f"{page.name}: {' '.join(words)}")
        for page in PAGES
        for words in command_lines(page.read_text(encoding="utf-8"))
    ]


@cache
def parser(command):
    return import_module(COMMANDS[command])._parser()


def parse(words):
    command, *arguments = words
    if command not in COMMANDS:  # a module with a main of its own: it has to be there
        import_module(command)
        return
    if ">" in arguments:
        arguments = arguments[: arguments.index(">")]
    parser(command).parse_args(arguments)


@pytest.mark.parametrize("words", shown())
def test_the_parser_takes_it(words):
    parse(words)


def test_an_option_that_does_not_exist_would_be_found():
    (words,) = command_lines(
        "```sh\nedgeau-analyze clip --out results/ \\\n  --no-such-option  # words\n```\n"
    )
    with pytest.raises(UsageError, match="no-such-option"):
        parse(words)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_there_and_says_its_name(command, capsys):
    with pytest.raises(SystemExit) as done:
        parser(command).parse_args(["--help"])
    assert done.value.code == 0
    assert "example:" in capsys.readouterr().out


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page):
    links = [link for link in _LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_index_names_every_page():
    index = set(_LINK.findall((ROOT / "docs" / "README.md").read_text(encoding="utf-8")))
    assert {page.name for page in PAGES[1:]} - {"README.md"} <= index
