from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import tomllib

from edgeau._system.version import VERSION
from edgeau_apps import console_scripts

SCRIPTS = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["scripts"]


def test_the_list_shows_every_command(capsys) -> None:
    assert console_scripts.main([]) == 0
    shown = capsys.readouterr().out
    for name, command in console_scripts.COMMANDS.items():
        assert f"  {name:<11}{command.summary}" in shown


def test_the_version_is_one_line(capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        console_scripts.main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"edgeau {VERSION}\n"


def test_a_misspelt_command_is_told_which_one_was_meant(capsys) -> None:
    assert console_scripts.main(["anlyze", "a.png"]) == 2
    assert capsys.readouterr().err.startswith(
        "edgeau: there is no command 'anlyze'; did you mean 'analyze'? there are analyze, live, "
    )


def test_every_command_is_a_program_of_its_own_too() -> None:
    expected = {"edgeau": "edgeau_apps.console_scripts:main"}
    expected |= {f"edgeau-{name}": f"edgeau_apps.console_scripts:{name}" for name in console_scripts.COMMANDS}
    assert expected | {"edgeau-webcam": "edgeau_apps.console_scripts:live"} == SCRIPTS
    assert set(console_scripts.COMMANDS) | {"main", "COMMANDS"} == set(console_scripts.__all__)


@pytest.mark.parametrize("name", console_scripts.COMMANDS)
def test_both_ways_start_the_same_program(name: str, capsys) -> None:
    for start in (
        lambda: getattr(console_scripts, name)(["--no-such-option"]),
        lambda: console_scripts.main([name, "--no-such-option"]),
    ):
        assert start() == 2
        assert capsys.readouterr().err.startswith(f"edgeau-{name}: ")


def test_it_starts_as_a_module_and_imports_nothing_that_may_be_missing() -> None:
    program = (
        "import sys, runpy; sys.argv = ['edgeau', 'nothing']\n"
        "try: runpy.run_module('edgeau', run_name='__main__')\n"
        "except SystemExit as ended: print(ended.code, {'numpy', 'cv2', 'torch', 'onnx'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "2 set()\n"
