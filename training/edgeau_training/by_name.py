"""Building what a recipe names: a network, a loss, a sampler, a data set."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping
from typing import Any, Union, get_args, get_origin

from edgeau._system.named_object import named_object
from edgeau.errors import UsageError

__all__ = ["build_by_name"]

_PLAIN = (bool, int, float, str, type(None))


def build_by_name(kind: str, known: Mapping[str, str], name: str, /, *arguments: Any, **options: Any) -> Any:
    """Call the class or function behind a name; its module is imported only now.

    Options are compared with the signature before the call, so that an error raised inside it keeps its trace.

    Args:
        kind: what the names are names of, for messages.
        known: name -> ``"module:class"`` or ``"module:function"``.
        name: a key of ``known``.
        arguments: positional ones, ours.
        options: the recipe's.

    Raises:
        UsageError: the name is not known, or an option does not fit.
    """
    if name not in known:
        raise UsageError(f"{kind} {name!r} is not known; known: {', '.join(sorted(known))}")
    build: Callable[..., Any] = named_object(known[name])
    _check_options(f"{kind} {name!r}", build, arguments, options)
    return build(*arguments, **options)


def _check_options(
    what: str, build: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]
) -> None:
    signature = inspect.signature(build, eval_str=True)
    parameters = list(signature.parameters.values())
    try:
        signature.bind(*arguments, **options)
    except TypeError as error:
        taken = [
            parameter.name
            for parameter in parameters[len(arguments) :]
            if parameter.kind is not inspect.Parameter.VAR_KEYWORD
        ]
        raise UsageError(
            f"{what} does not take these options {sorted(options)}: {error}; "
            f"it takes {', '.join(taken) if taken else 'none'}"
        ) from error
    for name, value in options.items():
        parameter = signature.parameters.get(name)
        if parameter is not None and not _fits(value, parameter.annotation):
            wanted = inspect.formatannotation(parameter.annotation)
            raise UsageError(f"{what}: option {name} is {value!r}, which is not a {wanted}")


def _fits(value: Any, annotation: Any) -> bool:
    """Tell whether a value is of a plain type, or of one of several; whatever is not plain is left to the callee."""
    kinds = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)
    if not all(kind in _PLAIN for kind in kinds):
        return True
    if isinstance(value, bool):
        return bool in kinds
    return isinstance(value, kinds) or (isinstance(value, int) and float in kinds)
