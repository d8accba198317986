"""Reads from our own source which members of a foreign module it touches: by the names that the code gives to what it holds."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator


def used_in(source: str, variables: dict[str, str]) -> set[str]:
    """Dotted names below the module, of every attribute of a variable that holds something of it."""
    found = set()
    for node in ast.walk(ast.parse(textwrap.dedent(source))):
        if isinstance(node, ast.Attribute):
            dotted = _dotted(node)
            if dotted is None:
                continue
            owner, *path = dotted
            if owner == "self" and path and path[0].lstrip("_") in variables:
                owner, *path = path
                owner = owner.lstrip("_")
            if owner in variables and path:
                found.add(".".join(filter(None, (variables[owner], *path))))
    return {name for name in found if not _foreign(name)} | set(_overridden(source, variables))


def methods_of(kind: type) -> dict[str, str]:
    """Source of every method and property that a class of ours has, its own or inherited."""
    found = {}
    for name in dir(kind):
        member = inspect.getattr_static(kind, name)
        function = member.fget if isinstance(member, property) else member
        if inspect.isfunction(function):
            found[name] = inspect.getsource(function)
    return found


def _dotted(node: ast.expr) -> list[str] | None:
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        start = _dotted(node.value)
        return None if start is None else [*start, node.attr]
    return None


def _foreign(name: str) -> bool:
    """``code().name`` and the like are Python's own enums, and so are no members of the module."""
    return name.endswith((".name", ".value"))


def _overridden(source: str, variables: dict[str, str]) -> Iterator[str]:
    """Methods of our classes that derive from one of the module."""
    for node in ast.walk(ast.parse(textwrap.dedent(source))):
        if isinstance(node, ast.ClassDef):
            for base in map(_dotted, node.bases):
                if base is not None and len(base) == 2 and base[0] in variables:
                    yield from (
                        f"{base[1]}.{item.name}" for item in node.body if isinstance(item, ast.FunctionDef)
                    )
