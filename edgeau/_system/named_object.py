"""An object from its name ``"module:attribute"``."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["named_object"]


def named_object(name: str) -> Any:
    """Import the module of ``"module:attribute"`` and take the attribute.

    Raises:
        ImportError: the module cannot be imported, or has no such attribute.
    """
    module, _, attribute = name.partition(":")
    home = import_module(module)  # an AttributeError inside it is its own
    try:
        return getattr(home, attribute)
    except AttributeError as error:
        raise ImportError(f"module {module} has no {attribute!r}") from error
