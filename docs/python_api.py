"""Write docs/python-api.md from the docstrings of what ``edgeau`` exports; ``--check`` only says whether it is up to date."""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import edgeau

_PAGE = Path(__file__).with_name("python-api.md")
_HEAD = """# Python API

Written by `python docs/python_api.py` from the docstrings of `edgeau`; a test fails when it is out of date. Public is what
`edgeau.__all__` lists, all of it is here, and everything is imported from `edgeau` itself; the rest may change in any release.
"""


def page() -> str:
    """The whole page."""
    sections = (_section(name, getattr(edgeau, name)) for name in sorted(edgeau.__all__, key=str.lower))
    return "\n".join([_HEAD, *sections])


def _section(name: str, thing: Any) -> str:
    lines = [f"## {name}\n", _entry(name, thing)]
    if inspect.isclass(thing) and not issubclass(thing, Exception):
        lines += [f"### {name}.{member}\n\n{_entry(member, value)}" for member, value in _members(thing)]
    return "\n".join(lines)


def _members(thing: type) -> Iterator[tuple[str, Any]]:
    for name, value in vars(thing).items():
        method = inspect.isfunction(value) or isinstance(value, classmethod | staticmethod | property)
        if method and not name.startswith("_"):
            yield name, value


def _entry(name: str, thing: Any) -> str:
    return f"```text\n{_head(name, thing)}\n\n{inspect.getdoc(thing) or 'No words.'}\n```\n"


def _head(name: str, thing: Any) -> str:
    if isinstance(thing, property):
        annotation = inspect.signature(thing.fget).return_annotation if thing.fget else "Any"
        return f"property {name} -> {_plain(annotation)}"
    if inspect.isclass(thing):
        hidden = issubclass(thing, Exception) or getattr(thing, "_is_protocol", False)
        return f"class {name}" + ("" if hidden else _signature(thing))
    bound = isinstance(thing, classmethod | staticmethod)
    return (
        f"{type(thing).__name__ + ' ' if bound else ''}{name}{_signature(thing.__func__ if bound else thing)}"
    )


def _signature(thing: Callable[..., Any]) -> str:
    """Without the quotes around annotations, and without self and cls."""
    signature = inspect.signature(thing)
    parameters = [one for name, one in signature.parameters.items() if name not in ("self", "cls")]
    shown = []
    star = False
    for one in parameters:
        if one.kind is one.KEYWORD_ONLY and not star:
            shown.append("*")
        star = star or one.kind in (one.KEYWORD_ONLY, one.VAR_POSITIONAL)
        prefix = {one.VAR_POSITIONAL: "*", one.VAR_KEYWORD: "**"}.get(one.kind, "")
        kind = "" if one.annotation is one.empty else f": {_plain(one.annotation)}"
        default = "" if one.default is one.empty else f" = {_default(one.default)}"
        shown.append(f"{prefix}{one.name}{kind}{default}")
    end = (
        ""
        if signature.return_annotation in (signature.empty, None)
        else f" -> {_plain(signature.return_annotation)}"
    )
    return f"({', '.join(shown)}){end}"


def _plain(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


def _default(value: Any) -> str:
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


def main() -> int:
    """Write or check the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit code 1 when it is out of date"
    )
    wanted = page()
    if not parser.parse_args().check:
        _PAGE.write_text(wanted, encoding="utf-8")
    elif not _PAGE.is_file() or _PAGE.read_text(encoding="utf-8") != wanted:
        print(f"{_PAGE.name} is out of date: python docs/python_api.py writes it", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
