"""Building what a recipe names: a loss, a sampler, a data set."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from edgeau.errors import UsageError

__all__ = ["build_by_name"]


def build_by_name(kind: str, known: Mapping[str, str], name: str, *arguments: Any, **options: Any) -> Any:
    """An object of the class that a name stands for; its module is imported only now.

    Args:
        kind: what the names are names of, for messages.
        known: name -> ``"module:class"``.
        name: a key of ``known``.
        arguments: of the class, ours.
        options: of the class, the recipe's.

    Raises:
        UsageError: the name is not known, or an option does not fit.
    """
    if name not in known:
        raise UsageError(f"{kind} {name!r} is not known; known: {', '.join(sorted(known))}")
    module, attribute = known[name].split(":")
    try:
        return getattr(import_module(module), attribute)(*arguments, **options)
    except TypeError as error:
        raise UsageError(f"{kind} {name!r} does not take these options {sorted(options)}: {error}") from error
