"""Write ``commands.md``: the options that commands share, and an example of each command.

python docs/commands.py            # writes it
python docs/commands.py --check    # exit code 1 when it is out of date
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

from edgeau_apps.console_scripts import COMMANDS

PAGE = Path(__file__).with_name("commands.md")
_HEAD = """# Commands

`edgeau NAME` and `edgeau-NAME` are the same program. `docs/commands.py` writes this page from the commands themselves.

Every command has `--help` with an example, `--version`, `--quiet` (errors and results only) and `--verbose`. Results go to standard output, everything
else to standard error; progress is drawn on a terminal only. A word that is not known is answered with the one that it resembles. `edgeau --completion
bash` (or `zsh`; needs `edgeau[completion]`) prints a script that completes commands and options:

```text
mkdir -p ~/.local/share/bash-completion/completions
edgeau --completion bash > ~/.local/share/bash-completion/completions/edgeau
```

Exit codes: 0 done, 1 done in part (it says what not), 2 something that you can fix, 3 a gate refused, 70 a bug of edgeau, 130 interrupted.

## The same options for the same things

Options that more than one command has; what each takes is the same everywhere.
"""


def parsers() -> dict[str, argparse.ArgumentParser]:
    """Name to parser of every command."""
    return {name: import_module(command.module)._parser() for name, command in COMMANDS.items()}


def options(parser: argparse.ArgumentParser) -> dict[str, str]:
    """Long option to what it takes, "" for a flag; without those that every command has."""
    found = {}
    for action in parser._actions:
        for name in action.option_strings:
            if (
                name.startswith("--")
                and name not in ("--help", "--version", "--quiet", "--verbose")
                and not name.startswith("--no-")
            ):
                choices = "{" + ",".join(map(str, action.choices)) + "}" if action.choices else ""
                found[name] = (
                    "" if action.nargs == 0 else str(action.metavar or choices or action.dest.upper())
                )
    return found


def page() -> str:
    """The whole page."""
    every = parsers()
    of = {name: options(parser) for name, parser in every.items()}
    shared = sorted(
        {option for own in of.values() for option in own if sum(option in other for other in of.values()) > 1}
    )
    lines = [_HEAD, "| option | takes | commands |", "|---|---|---|"]
    for option in shared:
        takes = dict.fromkeys(own[option] for own in of.values() if option in own)
        shown = " or ".join(f"`{one}`" for one in takes if one).replace("|", "\\|")
        lines.append(
            f"| `{option}` | {shown} | {', '.join(name for name, own in of.items() if option in own)} |"
        )
    for name, parser in every.items():
        example = str(parser.epilog).partition("example:")[2].strip()
        lines += [
            "",
            f"## edgeau {name}",
            "",
            f"{COMMANDS[name].summary[0].upper()}{COMMANDS[name].summary[1:]}.",
            "",
            "```sh",
            example,
            "```",
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    text = page()
    if "--check" in sys.argv[1:]:
        raise SystemExit(
            0
            if PAGE.read_text(encoding="utf-8") == text
            else "commands.md is out of date: python docs/commands.py writes it"
        )
    PAGE.write_text(text, encoding="utf-8")
